"""Failing programs on the RTL and the emulator: equal error records, no other effects."""

import random

import numpy as np
import pytest

from support.programs import MEMORY_BYTES, illegal_programs, random_program
from support.seeds import seed
from weft.spec import isa
from weft.spec.presets import preset
from weft_host import compile_gemm
from weft_host.compiler.gemm import gemm_reference
from weft_host.device import EmulatorDevice, RtlDevice
from weft_host.errors import DeviceError, ProgramError
from weft_host.program.file import Program
from weft_host.program.tensor import Tensor, Window

SEED = seed(1)
BASE = 0x20000      # not 0, so that absolute and relative addresses differ
LOAD, STORE = (1 << isa.UNITS.index(unit) for unit in ("LOAD", "STORE"))
# regions of `copies`: a window to read, a window to write, and memory outside of any window
SOURCE, TARGET, NOWHERE, SIZE = 0x1000, 0x2000, 0x3000, 0x1000


@pytest.fixture(scope="module", params=["tiny", "wide"])
def pair(request):
    """Return the RTL and the emulator, with equal memories larger than any program."""
    config = preset(request.param)
    with RtlDevice(config, memory_base=BASE, memory_bytes=MEMORY_BYTES, seed=SEED,
                   stalls="both") as rtl:
        yield rtl, EmulatorDevice(config, memory_base=BASE, memory_bytes=MEMORY_BYTES)


def memory(device):
    return device.read_memory(BASE, MEMORY_BYTES)


def fill(devices, number):
    raw = random.Random(number).randbytes(MEMORY_BYTES)
    for device in devices:
        device.write_memory(BASE, raw)


def failure(device, program, inputs=(), **options):
    """Run a program that must fail; return its error record."""
    with pytest.raises(DeviceError) as caught:
        device.run(program, list(inputs), **{"limit": 200_000, **options})
    return caught.value.record


def assert_recovers(devices, number):
    """Assert correct results of further programs; loading them performs a soft reset."""
    draw = np.random.default_rng(number)
    a, b = (draw.integers(-128, 128, shape, dtype=np.int8) for shape in ((3, 21), (21, 5)))
    for device in devices:
        program = compile_gemm(3, 21, 5, device.config, b=b)
        found = device.run(program, [a], limit=200_000).outputs["c"]
        assert (found == gemm_reference(a, b)).all()
        check = random_program(device.config, number, length=3)
        before = draw.integers(-128, 128, check.inputs[0].shape, dtype=np.int8)
        emulator = EmulatorDevice(device.config, memory_bytes=MEMORY_BYTES)
        assert (device.run(check, [before], limit=200_000).outputs["after"]
                == emulator.run(check, [before]).outputs["after"]).all()


def copies(config, *, load=SOURCE, store=TARGET, size=64, windows=None, name="LOAD"):
    """Return a program that loads from ``load`` and stores to ``store``.

    Its windows allow reads of SOURCE and writes of TARGET.
    """
    code = (isa.encode(name, count=1, bytes=size, host_addr=load, local_addr=1, signal=STORE)
            + isa.encode("STORE", count=1, bytes=size, host_addr=store, local_addr=1, wait=LOAD))
    return Program(
        config=config, instructions=code, memory_bytes=MEMORY_BYTES,
        tensors=(Tensor(name="target", shape=(SIZE,), offset=TARGET),),
        windows=windows or (Window(0, SIZE), Window(SOURCE, SIZE),
                            Window(TARGET, SIZE, read=False, write=True)))


def both(pair, program):
    """Run a failing program on both devices; assert equal records and memories."""
    records = [failure(device, program) for device in pair]
    assert records[0] == records[1]
    assert memory(pair[0]) == memory(pair[1])
    return records[0]


def test_illegal_instructions_have_equal_records(pair):
    count = 0
    for number, program in enumerate(illegal_programs(pair[0].config, SEED)):
        inputs = [np.random.default_rng(number).integers(-128, 128, tensor.shape, dtype=np.int8)
                  for tensor in program.inputs]
        records = [failure(device, program, inputs) for device in pair]
        assert records[0] == records[1], f"seed {SEED}, program {number}"
        assert memory(pair[0]) == memory(pair[1]), f"seed {SEED}, program {number}"
        count += 1
    assert count > 100
    assert_recovers(pair, SEED)


@pytest.mark.parametrize("opcode", [0x00, 0x01, 0x13, 0x14, 0x1E, 0x21, 0x3E, 0x41, 0x80, 0xFF])
def test_unknown_opcodes_are_errors(pair, opcode):
    fill(pair, opcode)
    good = copies(pair[0].config)
    bad = bytes([opcode]) + bytes(31)
    program = Program(config=good.config, instructions=good.instructions + bad + good.instructions,
                      memory_bytes=MEMORY_BYTES, windows=good.windows)
    record = both(pair, program)
    assert (record.unit, record.index) == ("SEQUENCER", 2)
    assert "OPCODE" in record.code
    assert_recovers(pair, opcode)


@pytest.mark.parametrize("changes, unit, index", [
    (dict(load=TARGET), "LOAD", 0),                     # write-only
    (dict(load=NOWHERE), "LOAD", 0),
    (dict(load=SOURCE + SIZE - 63), "LOAD", 0),         # the last byte is outside
    (dict(load=0xFFFFFF00), "LOAD", 0),
    (dict(store=SOURCE), "STORE", 1),                   # read-only
    (dict(store=NOWHERE), "STORE", 1),
    (dict(store=TARGET - 1), "STORE", 1),               # the first byte is outside
    (dict(store=TARGET + SIZE - 63), "STORE", 1),
    (dict(store=0), "STORE", 1),                        # the program itself
    (dict(store=0xFFFFFFF0), "STORE", 1),               # beyond the last address
])
def test_transfers_outside_the_windows_are_errors(pair, changes, unit, index):
    fill(pair, 5)
    program = copies(pair[0].config, **changes)
    for device in pair:
        device.load(program)
    before = memory(pair[1])
    record = both(pair, program)
    assert record.index == index and record.unit in (unit, "SEQUENCER")
    assert "WINDOW" in record.code
    assert memory(pair[0]) == before, "a byte was written"
    assert_recovers(pair, 5)


def test_fetch_outside_the_windows_is_an_error(pair):
    fill(pair, 6)
    program = copies(pair[0].config, windows=(
        Window(SOURCE, SIZE), Window(TARGET, SIZE, read=False, write=True)))
    record = both(pair, program)
    assert (record.unit, record.index) == ("SEQUENCER", 0) and "WINDOW" in record.code
    assert_recovers(pair, 6)


@pytest.mark.parametrize("response", ["SLVERR", "DECERR"])
@pytest.mark.parametrize("access, addr, unit, index", [
    ("read", 0, "SEQUENCER", 0), ("read", 33, "SEQUENCER", 1),
    ("read", SOURCE, "LOAD", 0), ("read", SOURCE + 150, "LOAD", 0),
    ("read", SOURCE + 299, "LOAD", 0),
    ("write", TARGET, "STORE", 1), ("write", TARGET + 150, "STORE", 1),
    ("write", TARGET + 299, "STORE", 1),
])
def test_bus_errors_on_any_beat_are_recorded(pair, response, access, addr, unit, index):
    fill(pair, 7)
    program = copies(pair[0].config, size=300)
    for device in pair:
        device.load(program)
        device.fault(BASE + addr, 1, response, access)
    before = memory(pair[1])
    records = [failure(device, program) for device in pair]
    for device in pair:
        device.clear_faults()
    assert records[0] == records[1]
    assert records[0].code == f"BUS_{response}"
    assert (records[0].unit, records[0].index) == (unit, index)
    after = memory(pair[0])
    assert after[:TARGET] == before[:TARGET] and after[TARGET + 300:] == before[TARGET + 300:]
    assert_recovers(pair, 7)


@pytest.mark.parametrize("addr", [SOURCE, SOURCE + 150, SOURCE + 299])
def test_bus_errors_of_weights_at_an_odd_address_are_recorded(pair, addr):
    """A beat at an odd address may take two cycles, but not if it carries an error."""
    fill(pair, 8)
    program = copies(pair[0].config, size=300, name="LOAD_WGT")
    for device in pair:
        device.load(program)
        device.fault(BASE + addr, 1, "SLVERR", "read")
    record = both(pair, program)
    for device in pair:
        device.clear_faults()
    assert (record.code, record.unit, record.index) == ("BUS_SLVERR", "LOAD", 0)
    assert_recovers(pair, 8)


def test_access_beyond_the_memory_is_a_bus_error(pair):
    config = pair[0].config
    outside = MEMORY_BYTES + 64
    code = isa.encode("LOAD", count=1, bytes=4, host_addr=outside)
    for device in pair:
        device.load(copies(config))
        device.write_register("WINDOW3_BASE", BASE + MEMORY_BYTES)
        device.write_register("WINDOW3_LAST", BASE + MEMORY_BYTES + 4095)
        device.write_register("WINDOW3_CTRL", 1)
        device.write_memory(BASE, code)
        device.write_register("PROGRAM_COUNT", 1)
        device.start()
        device.wait(100_000)
        record = device.error()
        assert (record.code, record.unit, record.index, record.addr) == (
            "BUS_DECERR", "LOAD", 0, BASE + outside)
    assert_recovers(pair, 8)


@pytest.mark.parametrize("channel, unit, waits", [
    ("AR", "SEQUENCER", None), ("R", "SEQUENCER", None),
    *((channel, "STORE", "STORE waits for host memory") for channel in ("AW", "W", "B")),
])
def test_missing_bus_responses_end_in_the_watchdog(pair, channel, unit, waits):
    rtl, _ = pair
    fill([rtl], 9)
    program = copies(rtl.config)
    rtl.load(program)
    before = memory(rtl)
    rtl.silence(channel)
    record = failure(rtl, program, watchdog=400, limit=20_000)
    rtl.silence()
    assert (record.code, record.unit) == ("WATCHDOG", unit)
    assert waits is None or waits in record.waits
    after = memory(rtl)
    assert after[:TARGET] == before[:TARGET] and after[TARGET + 64:] == before[TARGET + 64:]
    assert_recovers([rtl], 9)


def test_deadlock_ends_in_the_watchdog(pair):
    config = pair[0].config
    program = Program(
        config=config, memory_bytes=MEMORY_BYTES, windows=(Window(0, SIZE),),
        instructions=isa.encode("SYNC_LOAD", wait=STORE) + isa.encode("SYNC_STORE", wait=LOAD))
    records = [failure(device, program, watchdog=400, limit=20_000) for device in pair]
    assert records[0] == records[1] and records[0].code == "WATCHDOG"
    assert set(records[0].waits) == {"LOAD waits for a token of STORE",
                                     "STORE waits for a token of LOAD"}
    assert_recovers(pair, 10)


def test_rejects_a_program_for_another_configuration(pair):
    other = preset("wide" if pair[0].config.name == "tiny" else "tiny")
    for device in pair:
        before = memory(device)
        with pytest.raises(ProgramError, match=f"compiled for configuration '{other.name}'"):
            device.run(copies(other))
        assert memory(device) == before
