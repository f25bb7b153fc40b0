"""Checks of an instruction: each limit, the reported address, and the order of the checks."""

import pytest

from support.programs import illegal_programs, random_program
from support.seeds import seed
from weft.spec import isa
from weft.spec.extents import regions
from weft.spec.isa import ErrorCode
from weft.spec.presets import PRESETS, preset
from weft_host.program.validate import check_fetch, check_instruction, check_program

CONFIG = preset("tiny")     # 4 x 4, 2048 bytes, 32 tiles of 16, 64 rows
WINDOWS = [(0x1000, 0x1FFF, True, False), (0x2000, 0x2FFF, True, True)]
COPY = dict(count=1, bytes=1, host_addr=0x1000)
BLOCK = dict(row_count=1, chunk_count=1, y_count=1, x_count=1)
ROWS = dict(count=1, bytes=1)
OUT = dict(y_count=1, x_count=1, channels=1)


def check(name, raw=None, **values):
    raw = raw or isa.encode(name, **values)
    return check_instruction(CONFIG, raw, address=0x123, windows=WINDOWS)


# name, fields at the limit, changes that exceed the limit by one, code, addr
LIMITS = [
    ("LOAD", COPY | dict(local_addr=2047), dict(local_addr=2048), "SPAD_BOUNDS", 2048),
    ("LOAD", COPY | dict(bytes=2048), dict(bytes=2049), "SPAD_BOUNDS", 0),
    ("LOAD", COPY | dict(count=5, local_pitch=511), dict(local_pitch=512), "SPAD_BOUNDS", 0),
    ("FILL", dict(count=2, bytes=4, local_addr=1000, local_pitch=1044), dict(local_pitch=1045),
     "SPAD_BOUNDS", 1000),
    ("LOAD_WGT", COPY | dict(local_addr=511), dict(local_addr=512), "WGT_BOUNDS", 512),
    ("LOAD_WGT", COPY | dict(count=65535, local_pitch=0, bytes=512), dict(bytes=513),
     "WGT_BOUNDS", 0),
    ("STORE", COPY | dict(host_addr=0x2000, local_addr=2047), dict(local_addr=2048),
     "SPAD_BOUNDS", 2048),
    ("MATMUL", BLOCK | dict(act_addr=2044), dict(act_addr=2045), "SPAD_BOUNDS", 2045),
    ("MATMUL", BLOCK | dict(x_count=3, x_pitch=1022), dict(x_pitch=1023), "SPAD_BOUNDS", 0),
    ("MATMUL", BLOCK | dict(row_count=2, row_pitch=2044), dict(row_pitch=2045), "SPAD_BOUNDS", 0),
    ("MATMUL", BLOCK | dict(x_count=3, x_pitch=511, depthwise=1, lead=2),
     dict(lead=3), "SPAD_BOUNDS", 0),
    ("MATMUL", BLOCK | dict(wgt_addr=31), dict(wgt_addr=32), "WGT_BOUNDS", 32),
    ("MATMUL", BLOCK | dict(row_count=4, chunk_count=8), dict(row_count=5), "WGT_BOUNDS", 0),
    ("MATMUL", BLOCK | dict(row_count=5, chunk_count=8, hold=1), dict(hold=0), "WGT_BOUNDS", 0),
    ("MATMUL", BLOCK | dict(acc_addr=63), dict(acc_addr=64), "ACC_BOUNDS", 64),
    ("MATMUL", BLOCK | dict(y_count=8, x_count=8), dict(x_count=9), "ACC_BOUNDS", 0),
    ("PARAMS", dict(channels=4, bias_addr=2032), dict(bias_addr=2033), "SPAD_BOUNDS", 2033),
    ("PARAMS", dict(channels=4, per_channel=1, scale_addr=2016), dict(scale_addr=2017),
     "SPAD_BOUNDS", 2017),
    ("PARAMS", dict(channels=4, scale_addr=2017), dict(per_channel=1), "SPAD_BOUNDS", 2017),
    ("DRAIN", OUT | dict(out_addr=2047), dict(channels=2), "SPAD_BOUNDS", 2047),
    ("DRAIN", OUT | dict(out_addr=2044, mode=3), dict(out_addr=2045), "SPAD_BOUNDS", 2045),
    ("DRAIN", OUT | dict(acc_addr=63), dict(x_count=2), "ACC_BOUNDS", 63),
    ("DRAIN", OUT | dict(y_count=4, acc_pitch=21), dict(acc_pitch=22), "ACC_BOUNDS", 0),
    ("LOAD", COPY | dict(host_addr=0x2FFF), dict(host_addr=0x3000), "HOST_WINDOW", 0x3000),
    ("LOAD", COPY | dict(host_addr=0x1000), dict(host_addr=0xFFF), "HOST_WINDOW", 0xFFF),
    ("LOAD", COPY | dict(count=2, host_addr=0x1800, host_pitch=0x7FF), dict(host_pitch=0x800),
     "HOST_WINDOW", 0x1800),      # a range must be in one window
    ("STORE", COPY | dict(host_addr=0x2000), dict(host_addr=0x1000), "HOST_WINDOW", 0x1000),
    ("LOAD", COPY, dict(count=0), "BAD_FIELD", 0x123),
    ("FILL", dict(count=1, bytes=1), dict(bytes=0), "BAD_FIELD", 0x123),
    ("MATMUL", BLOCK, dict(chunk_count=0), "BAD_FIELD", 0x123),
    ("MATMUL", BLOCK | dict(depthwise=1, lead=3), dict(lead=4), "BAD_FIELD", 0x123),
    ("MATMUL", BLOCK | dict(depthwise=1, lead=1), dict(depthwise=0), "BAD_FIELD", 0x123),
    ("MATMUL", BLOCK | dict(depthwise=1, lead=3), dict(lead=63), "BAD_FIELD", 0x123),
    ("DRAIN", OUT | dict(channels=4), dict(channels=5), "BAD_FIELD", 0x123),
    ("DRAIN", OUT, dict(channels=0), "BAD_FIELD", 0x123),
    ("DRAIN", OUT | dict(mode=3, clamp_min=-1, clamp_max=-1), dict(clamp_min=0), "BAD_FIELD",
     0x123),
    ("PARAMS", dict(channels=1, shift=62), dict(shift=63), "BAD_FIELD", 0x123),
    ("PARAMS", dict(channels=1, per_channel=1, multiplier=(1 << 31) - 1),
     dict(multiplier=1 << 31), "BAD_FIELD", 0x123),
    ("TABLE", dict(table_addr=1024), dict(table_addr=1025), "SPAD_BOUNDS", 1025),
    ("TABLE", dict(shift=62), dict(shift=63), "BAD_FIELD", 0x123),
    ("TABLE", dict(multiplier=(1 << 31) - 1), dict(multiplier=1 << 31), "BAD_FIELD", 0x123),
    ("MAP", ROWS | dict(a_addr=2047), dict(bytes=2), "SPAD_BOUNDS", 2047),
    ("MAP", ROWS | dict(b_addr=2048), dict(op=1), "SPAD_BOUNDS", 2048),
    ("MAP", ROWS | dict(op=2, b_addr=2047), dict(b_addr=2048), "SPAD_BOUNDS", 2048),
    ("MAP", ROWS | dict(out_addr=2047), dict(out_addr=2048), "SPAD_BOUNDS", 2048),
    ("MAP", ROWS | dict(count=2, a_pitch=2047), dict(a_pitch=2048), "SPAD_BOUNDS", 0),
    ("MAP", ROWS | dict(op=1, count=2, b_addr=7, b_pitch=2040), dict(b_pitch=2041),
     "SPAD_BOUNDS", 7),
    ("MAP", ROWS | dict(count=2, out_addr=9, out_pitch=2038), dict(out_pitch=2039),
     "SPAD_BOUNDS", 9),
    ("MAP", ROWS | dict(op=2), dict(op=3), "BAD_FIELD", 0x123),
    ("MAP", ROWS | dict(mode=2), dict(mode=3), "BAD_FIELD", 0x123),
    ("MAP", ROWS, dict(clamp_min=1), "BAD_FIELD", 0x123),
    ("MAP", ROWS, dict(bytes=0), "BAD_FIELD", 0x123),
    ("SOFTMAX", ROWS | dict(a_addr=2047), dict(bytes=2), "SPAD_BOUNDS", 2047),
    ("SOFTMAX", ROWS | dict(count=2, out_pitch=2047), dict(out_pitch=2048), "SPAD_BOUNDS", 0),
    ("SOFTMAX", ROWS, dict(count=0), "BAD_FIELD", 0x123),
    ("SYNC_LOAD", dict(wait=0b1110, signal=0b1110), dict(wait=1), "RESERVED_BITS", 0x123),
    ("SYNC_STORE", dict(wait=0b0111), dict(signal=8), "RESERVED_BITS", 0x123),
]


@pytest.mark.parametrize("name, good, bad, code, addr", LIMITS)
def test_each_limit_is_exact(name, good, bad, code, addr):
    assert check(name, **good) is None
    found = check(name, **(good | bad))
    assert found is not None and found.code == ErrorCode[code] and found.addr == addr
    assert found.unit == isa.BY_NAME[name].unit


def test_checks_are_made_in_the_order_of_the_hardware():
    word = int.from_bytes(isa.encode("LOAD", host_addr=0, local_addr=5000), "little")
    reserved = 1 << 255
    assert check(None, raw=(word | reserved | 0xFF).to_bytes(32, "little")).code == \
        ErrorCode.ILLEGAL_OPCODE
    assert check(None, raw=(word | reserved).to_bytes(32, "little")).code == \
        ErrorCode.RESERVED_BITS
    assert check(None, raw=word.to_bytes(32, "little")).code == ErrorCode.BAD_FIELD
    assert check("LOAD", count=1, bytes=1, local_addr=5000).code == ErrorCode.SPAD_BOUNDS
    assert check("LOAD", count=1, bytes=1).code == ErrorCode.HOST_WINDOW
    everywhere = BLOCK | dict(act_addr=5000, wgt_addr=99, acc_addr=99)
    assert check("MATMUL", **everywhere).code == ErrorCode.SPAD_BOUNDS
    assert check("MATMUL", **(everywhere | dict(act_addr=0))).code == ErrorCode.WGT_BOUNDS


def test_an_unknown_opcode_is_reported_for_the_sequencer():
    found = check(None, raw=bytes([0x99]) + bytes(31))
    assert (found.code, found.unit, found.addr) == (ErrorCode.ILLEGAL_OPCODE, isa.SEQUENCER, 0x123)


def test_every_reserved_bit_is_rejected():
    for instruction in isa.INSTRUCTIONS:
        for bit in range(256):
            if instruction.reserved_mask >> bit & 1:
                raw = (instruction.opcode | 1 << bit).to_bytes(32, "little")
                assert check(None, raw=raw).code == ErrorCode.RESERVED_BITS, (instruction, bit)


def test_addresses_do_not_wrap_before_they_are_checked():
    raw = isa.encode("LOAD", count=1, bytes=1, host_addr=0xFFFFFFFF)
    window = [(0, 0xFFFFFFFF, True, True)]
    assert check_instruction(CONFIG, raw, windows=window) is None
    found = check_instruction(CONFIG, raw, mem_base=32, windows=window)
    assert (found.code, found.addr) == (ErrorCode.HOST_WINDOW, 31)
    narrow = preset("tiny", addr_width=20)
    raw = isa.encode("LOAD", count=2, bytes=1, host_addr=0, host_pitch=(1 << 20) - 1)
    assert check_instruction(narrow, raw, windows=window) is None
    raw = isa.encode("LOAD", count=2, bytes=1, host_addr=1, host_pitch=(1 << 20) - 1)
    assert check_instruction(narrow, raw, windows=window).code == ErrorCode.HOST_WINDOW


def test_fetching_requires_read_permission():
    assert check_fetch(CONFIG, 0x1FE0, WINDOWS) is None
    found = check_fetch(CONFIG, 0x1FE1, WINDOWS)
    assert (found.code, found.unit, found.addr) == (ErrorCode.HOST_WINDOW, isa.SEQUENCER, 0x1FE1)
    assert check_fetch(CONFIG, 0x1000, [(0x1000, 0x1FFF, False, True)]) is not None


@pytest.mark.parametrize("name", PRESETS)
def test_accepts_legal_random_programs_and_rejects_illegal_ones(name):
    for offset in range(5):
        program = random_program(preset(name), seed(offset))
        assert not check_program(program), f"seed {seed(offset)}"
    codes = set()
    for program in illegal_programs(preset(name), seed(1)):
        (index, violation), = check_program(program)
        assert index == 2
        codes.add(violation.code.name)
    assert codes == {"ILLEGAL_OPCODE", "RESERVED_BITS", "BAD_FIELD", "SPAD_BOUNDS", "WGT_BOUNDS",
                     "ACC_BOUNDS", "HOST_WINDOW"}


def test_an_instruction_without_memory_accesses_no_region():
    assert regions(CONFIG, "SYNC_LOAD", {}) == []


@pytest.mark.parametrize("raw, reason", [
    (isa.encode("LOAD", **COPY | dict(host_addr=0x2FFF, bytes=2)),
     "LOAD: bytes 0x2fff to 0x3000 are in no window with READ"),
    (isa.encode("STORE", **COPY), "STORE: bytes 0x1000 to 0x1000 are in no window with WRITE"),
    (isa.encode("LOAD", **COPY | dict(host_addr=0xFFFFFFFF, bytes=2)),
     "LOAD: bytes 0xffffffff to 0x100000000 exceed the 32 address bits"),
    (isa.encode("LOAD", **COPY | dict(local_addr=2048)),
     "LOAD writes up to 2049 of 2048 bytes of scratchpad"),
    (isa.encode("MATMUL", **BLOCK | dict(wgt_addr=32)),
     "MATMUL reads up to 528 of 512 bytes of weight buffer"),
    (isa.encode("MATMUL", **BLOCK | dict(apart=1, y_count=2)),
     "MATMUL: y_count is 2 and must be 1 with apart set"),
    (isa.encode("MAP", **ROWS | dict(mode=3)), "MAP: mode is RAW, which MAP does not support"),
    (isa.encode("MAP", **ROWS | dict(clamp_min=1)),
     "MAP: clamp_min of 1 is greater than clamp_max of 0"),
    (bytes([0x99]) + bytes(31), "no instruction has opcode 0x99"),
    (isa.encode("SYNC_LOAD", wait=1), "SYNC_LOAD must not set bits 8"),
])
def test_the_reason_contains_the_numbers(raw, reason):
    assert check(None, raw=raw).reason == reason


def test_the_reason_for_a_rejected_fetch():
    assert check_fetch(CONFIG, 0x1FE1, WINDOWS).reason == \
        "fetch: bytes 0x1fe1 to 0x2000 are in no window with READ"


def test_compact_configurations_reject_each():
    found = check_instruction(preset("icebreaker"), isa.encode("LOAD", each=1, **COPY))
    assert found.reason == "LOAD: each is set, which compact configurations do not support"
