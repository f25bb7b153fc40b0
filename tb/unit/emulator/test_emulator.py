"""The emulator: what every instruction does, and every way in which a program can stop."""

import random

import numpy as np
import pytest

from support.programs import MEMORY_BYTES, illegal_programs, random_program
from weft.spec import isa, register_map
from weft.spec.isa import Mode
from weft.spec.presets import PRESETS, preset
from weft_host.device import EmulatorDevice
from weft_host.emulator.registers import pack
from weft_host.errors import DeviceTimeout, RegisterError
from weft_host.program.validate import check_program

CONFIG = preset("tiny")
LOAD, MATMUL, VECTOR, STORE = (1 << unit for unit in range(4))
COPY = dict(count=1, bytes=4, host_addr=0x800)


def device(config=CONFIG):
    emulator = EmulatorDevice(config, memory_bytes=1 << 14)
    for name, value in (("WINDOW0_LAST", 0x1FFF), ("WINDOW0_CTRL", 1), ("WINDOW1_BASE", 0x2000),
                        ("WINDOW1_LAST", 0x3FFF), ("WINDOW1_CTRL", 3), ("WATCHDOG", 1000)):
        emulator.write_register(name, value)
    return emulator


def execute(emulator, *instructions):
    """Run instructions; the error record as (code, unit, index, addr), or ``None``."""
    emulator.write_memory(0, b"".join(instructions))
    emulator.write_register("PROGRAM_COUNT", len(instructions))
    emulator.start()
    emulator.wait()
    record = emulator.error()
    if record is None:
        return None
    return record.code, record.unit, record.index, record.addr


def test_copies_of_every_shape():
    emulator = device()
    draw = np.random.default_rng(1)
    host = draw.integers(0, 256, 0x2000, dtype=np.uint8)
    emulator.write_memory(0x800, host[0x800:].tobytes())
    expected = np.zeros(2048, np.uint8)
    for row in range(5):
        expected[100 + row * 9:107 + row * 9] = host[0x901 + row * 300:0x908 + row * 300]
    assert execute(emulator, isa.encode(
        "LOAD", count=5, bytes=7, host_addr=0x901, host_pitch=300, local_addr=100,
        local_pitch=9)) is None
    assert (emulator.datapath.spad == expected).all()
    # overlapping rows: the last one wins; zero pitch on the host: every row the same
    execute(emulator, isa.encode("LOAD", count=3, bytes=5, host_addr=0xA00, host_pitch=5,
                                 local_addr=7, local_pitch=2))
    assert emulator.datapath.spad[7:16].tobytes() == bytes(
        [*host[0xA00:0xA02], *host[0xA05:0xA07], *host[0xA0A:0xA0F]])
    execute(emulator, isa.encode("FILL", count=2, bytes=3, local_addr=0, local_pitch=4, value=9))
    assert emulator.datapath.spad[:8].tolist() == [9, 9, 9, 0, 9, 9, 9, host[0xA00]]
    execute(emulator, isa.encode("STORE", count=2, bytes=3, host_addr=0x3FF0, host_pitch=13,
                                 local_addr=0, local_pitch=4))
    assert emulator.read_memory(0x3FF0, 16) == bytes([9, 9, 9, *[0] * 10, 9, 9, 9])


@pytest.mark.parametrize("config", [CONFIG, preset("wide"), preset("tall"), preset("large")],
                         ids=lambda config: config.name)
def test_matmul_against_its_definition(config):
    """The sentence of the instruction table, in loops of Python integers."""
    emulator = device(config)
    draw = random.Random(f"matmul {config.name}")
    path = emulator.datapath
    random_bytes = np.random.default_rng(4)
    path.spad[:] = random_bytes.integers(0, 256, path.spad.shape)
    path.wgt[:] = random_bytes.integers(0, 256, path.wgt.shape)
    for attempt in range(12):
        path.acc[:] = random_bytes.integers(-1 << 31, 1 << 31, path.acc.shape)
        v = dict(maximum=draw.randrange(2), accumulate=draw.randrange(2), hold=draw.randrange(2),
                 act_addr=draw.randrange(64), acc_addr=draw.randrange(4),
                 wgt_addr=draw.randrange(2), row_count=draw.randint(1, 3),
                 row_pitch=draw.randrange(30), chunk_count=1 + draw.randrange(2) * attempt // 6,
                 chunk_pitch=draw.randrange(30), y_count=draw.randint(1, 3),
                 y_pitch=draw.randrange(50), x_count=draw.randint(1, 4), x_pitch=draw.randrange(9),
                 depthwise=attempt % 2)
        v["lead"] = draw.randrange(config.rows) if v["depthwise"] else 0
        if not v["hold"]:
            v["row_count"], v["chunk_count"], v["wgt_addr"] = 1, draw.randint(1, 2), 0
        spad, wgt = path.spad.view(np.int8).tolist(), path.wgt.view(np.int8).tolist()
        acc = path.acc.tolist()
        for r in range(v["row_count"]):
            for c in range(v["chunk_count"]):
                tile = v["wgt_addr"] + (0 if v["hold"] else r * v["chunk_count"] + c)
                for y in range(v["y_count"]):
                    for x in range(v["x_count"]):
                        at = v["act_addr"] + r * v["row_pitch"] + c * v["chunk_pitch"] \
                            + y * v["y_pitch"] + x * v["x_pitch"]
                        line = acc[v["acc_addr"] + y * v["x_count"] + x]
                        for col in range(config.cols):
                            column = wgt[tile * config.tile_bytes:][col::config.cols]
                            if v["depthwise"]:
                                total = sum(
                                    column[config.rows - 1 - v["lead"] + tap]
                                    * spad[at + tap * v["x_pitch"] + col]
                                    for tap in range(v["lead"] + 1)) if col < config.rows else 0
                            else:
                                total = sum(spad[at + row] * column[config.rows - 1 - row]
                                            for row in range(config.rows))
                            if not v["accumulate"] and r == c == 0:
                                line[col] = total
                            elif v["maximum"]:
                                line[col] = max(line[col], total)
                            else:
                                line[col] = (line[col] + total + (1 << 31)) % (1 << 32) - (1 << 31)
        assert execute(emulator, isa.encode("MATMUL", **v)) is None
        wrong = np.argwhere(path.acc != acc)
        assert not len(wrong), f"{v}: first at {wrong[0]}"


def test_params_and_drain_in_every_mode():
    emulator = device()
    path = emulator.datapath
    path.acc[:] = np.random.default_rng(5).integers(-1 << 20, 1 << 20, path.acc.shape)
    path.acc[3] = [(1 << 31) - 1, -1 << 31, 0, -1]
    bias = np.array([1, -1, 0, 1 << 30], np.int32)
    multiplier = np.array([1 << 30, (1 << 31) - 1, 1234567890, 0], np.uint32)
    shift = [38, 45, 31, 0]
    raw = bias.tobytes() + b"".join(
        (int(m) | 1 << 31).to_bytes(4, "little") + bytes([s | 0xC0, 1, 2, 3])
        for m, s in zip(multiplier, shift))
    path.spad[1:1 + len(raw)] = np.frombuffer(raw, np.uint8)
    for mode in Mode:
        size = 16 if mode == Mode.RAW else 4
        assert execute(
            emulator,
            isa.encode("PARAMS", per_channel=1, channels=4, bias_addr=1, scale_addr=17),
            isa.encode("DRAIN", mode=mode, out_addr=1003, acc_addr=1, acc_pitch=10, y_count=2,
                       y_pitch=5 * size, x_count=3, x_pitch=size + 1, channels=4, zero_point=-7,
                       clamp_min=-100, clamp_max=90)) is None
        for y in range(2):
            for x in range(3):
                for channel in range(4):
                    value = int(path.acc[1 + 10 * y + x, channel]) + int(bias[channel])
                    value = (value + (1 << 31)) % (1 << 32) - (1 << 31)
                    at = 1003 + y * 5 * size + x * (size + 1) + channel * (size // 4)
                    if mode == Mode.RAW:
                        found = int(path.spad[at:at + 4].view("<i4")[0])
                        assert found == value
                        continue
                    product = value * int(multiplier[channel])
                    s = shift[channel]
                    if mode == Mode.AWAY:
                        result = abs(product) + (1 << s >> 1) >> s
                        result = -result if product < 0 else result
                    elif mode == Mode.TFL1 or s <= 31:
                        result = product + (1 << s >> 1) >> s
                    else:
                        high = product + (1 << 30) >> 31
                        result = high + (1 << s - 32) - (high < 0) >> s - 31
                    expected = max(-100, min(90, result - 7))
                    assert path.spad.view(np.int8)[at] == expected, (mode, y, x, channel)


def test_params_keep_channels_they_do_not_read():
    emulator = device()
    emulator.datapath.spad[:16] = np.arange(16)
    execute(emulator, isa.encode("PARAMS", channels=4, multiplier=5, shift=6),
            isa.encode("PARAMS", channels=2, bias_addr=8, multiplier=7, shift=8))
    assert emulator.datapath.multiplier[:4].tolist() == [7, 7, 5, 5]
    assert emulator.datapath.shift[:4].tolist() == [8, 8, 6, 6]
    assert emulator.datapath.bias[:4].tolist() == [0x0B0A0908, 0x0F0E0D0C, 0x0B0A0908, 0x0F0E0D0C]


def test_an_error_stops_what_follows_and_finishes_what_came_before():
    emulator = device()
    emulator.write_memory(0x800, b"data")
    good = isa.encode("LOAD", **COPY, signal=STORE)
    stores = isa.encode("STORE", count=1, bytes=4, host_addr=0x2000, wait=LOAD)
    bad = isa.encode("FILL", count=1, bytes=0)
    after = isa.encode("STORE", count=1, bytes=4, host_addr=0x2100)
    assert execute(emulator, good, stores, bad, after) == ("BAD_FIELD", "LOAD", 2, 64)
    assert emulator.read_memory(0x2000, 4) == b"data"
    assert emulator.read_memory(0x2100, 4) == bytes(4)
    assert emulator.read_register("STATUS") == pack("STATUS", ERROR=1)
    assert emulator.read_register("IRQ_STATUS") == pack("IRQ_STATUS", ERROR=1)


def test_an_instruction_that_lacks_tokens_is_left_behind_by_an_error():
    emulator = device()
    record = execute(emulator, isa.encode("STORE", count=1, bytes=1, host_addr=0x2000, wait=LOAD),
                     bytes([0xAB]) + bytes(31))
    assert record == ("ILLEGAL_OPCODE", "SEQUENCER", 1, 32)


@pytest.mark.parametrize("name", ["tiny", "wide", "ulx3s"])
def test_every_illegal_program_gives_the_record_that_the_checks_give(name):
    emulator = EmulatorDevice(preset(name), memory_bytes=MEMORY_BYTES)
    for number, program in enumerate(illegal_programs(preset(name), 2)):
        (index, violation), = check_program(program)
        emulator.load(program)
        emulator.start()
        record = emulator.error(program)
        unit = (*isa.UNITS, "SEQUENCER")[violation.unit]
        assert (record.code, record.unit, record.index, record.addr) == \
            (violation.code.name, unit, index, violation.addr), number


@pytest.mark.parametrize("response", ["SLVERR", "DECERR"])
def test_bus_errors_of_every_kind_of_access(response):
    code = f"BUS_{response}"
    emulator = device()
    emulator.fault(0x810, 4, response, "read")
    assert execute(emulator, isa.encode("LOAD", count=2, bytes=4, host_addr=0x801,
                                        host_pitch=14)) == (code, "LOAD", 0, 0x810)
    emulator.soft_reset()
    assert execute(emulator, isa.encode("LOAD_WGT", count=1, bytes=8, host_addr=0x80C)) == \
        (code, "LOAD", 0, 0x810)
    emulator.soft_reset()
    # a fault is for reads or for writes, and for whole beats
    emulator.fault(0x2082, 1, response, "write")
    assert execute(emulator, isa.encode("LOAD", count=1, bytes=4, host_addr=0x2080)) is None
    assert execute(emulator, isa.encode("STORE", count=1, bytes=4, host_addr=0x2084)) is None
    # a write is answered for the burst: from the row's start, or a multiple of 32 beats
    assert execute(emulator, isa.encode("STORE", count=1, bytes=200, host_addr=0x2042)) == \
        (code, "STORE", 0, 0x2080)
    emulator.soft_reset()
    assert execute(emulator, isa.encode("STORE", count=1, bytes=200, host_addr=0x2081)) == \
        (code, "STORE", 0, 0x2080)
    emulator.soft_reset()
    emulator.fault(36, 1, response, "read")
    assert execute(emulator, isa.encode("SYNC_LOAD"), isa.encode("SYNC_LOAD")) == \
        (code, "SEQUENCER", 1, 36)
    emulator.soft_reset()
    emulator.clear_faults()
    assert execute(emulator, isa.encode("SYNC_LOAD"), isa.encode("SYNC_LOAD")) is None


def test_memory_that_is_not_there_answers_decerr():
    emulator = device()
    emulator.write_register("WINDOW2_LAST", 0xFFFFFFFF)
    emulator.write_register("WINDOW2_CTRL", 3)
    assert execute(emulator, isa.encode("LOAD", count=1, bytes=9, host_addr=0x3FFC)) == \
        ("BUS_DECERR", "LOAD", 0, 0x4000)


def test_fetching_outside_the_windows():
    emulator = device()
    emulator.write_register("WINDOW0_LAST", 63)
    assert execute(emulator, *[isa.encode("SYNC_LOAD")] * 3) == ("HOST_WINDOW", "SEQUENCER", 2, 64)


def test_a_deadlock_ends_by_the_watchdog_or_not_at_all():
    emulator = device()
    program = [isa.encode("SYNC_MATMUL", wait=LOAD), isa.encode("SYNC_VECTOR", wait=LOAD | MATMUL)]
    assert execute(emulator, *program) == ("WATCHDOG", "MATMUL", 0, 0)
    assert emulator.waits() == ("MATMUL waits for a token of LOAD",
                                "VECTOR waits for a token of LOAD and MATMUL")
    emulator.soft_reset()
    emulator.write_register("WATCHDOG", 0)
    with pytest.raises(DeviceTimeout, match="can never end; MATMUL waits for a token of LOAD"):
        execute(emulator, *program)
    with pytest.raises(RegisterError, match="STATUS.BUSY is set"):
        emulator.start()
    emulator.soft_reset()
    assert execute(emulator, isa.encode("SYNC_LOAD")) is None


def test_a_full_queue_holds_up_the_instructions_behind_it():
    emulator = device()
    blocked = [isa.encode("SYNC_MATMUL", wait=LOAD)]
    fits = CONFIG.queue_depth + 1       # one of them is next, in front of its unit
    release = [isa.encode("SYNC_LOAD", signal=MATMUL)]
    assert execute(emulator, *blocked * fits, *release * fits) is None
    assert execute(emulator, *blocked * (fits + 1), *release * (fits + 1)) == \
        ("WATCHDOG", "MATMUL", 0, 0)
    assert emulator.read_register("PC") == fits


def test_tokens_overflow_at_256():
    emulator = device()
    give = [isa.encode("SYNC_LOAD", signal=STORE)]
    assert execute(emulator, *give * 255) is None, "tokens left over are no error"
    assert execute(emulator, *give * 256) == ("TOKEN_OVERFLOW", "LOAD", 255, 0)


def test_an_empty_program_is_done():
    emulator = device()
    assert execute(emulator) is None
    assert emulator.read_register("STATUS") == pack("STATUS", DONE=1)


def test_registers_refuse_what_the_map_says():
    emulator = device()
    for name in ("ID", "STATUS", "COUNTER_CYCLES"):
        with pytest.raises(RegisterError, match=f"{name}: it is read-only"):
            emulator.write_register(name, 1)
    for name in ("MEM_BASE", "PROGRAM_ADDR"):
        with pytest.raises(RegisterError, match="no multiple of 32"):
            emulator.write_register(name, 48)
    emulator.write_register("WINDOW3_CTRL", 7)
    with pytest.raises(RegisterError, match="WINDOW3_BASE: the window is locked"):
        emulator.write_register("WINDOW3_BASE", 0)
    with pytest.raises(RegisterError, match="exclude each other"):
        emulator.write_register("CONTROL", pack("CONTROL", START=1, CLEAR=1))
    emulator.soft_reset()
    assert emulator.read_register("WINDOW3_CTRL") == 7, "a soft reset does not unlock"
    execute(emulator, bytes(32))
    for command in ("START", "CLEAR"):
        with pytest.raises(RegisterError, match="STATUS.ERROR is set"):
            emulator.write_register("CONTROL", pack("CONTROL", **{command: 1}))
    assert emulator.read_register("ID").to_bytes(4, "little") == b"WEFT"
    assert emulator.read_register("CONFIG_HASH") == CONFIG.fingerprint
    emulator.write_register("IRQ_STATUS", 3)
    assert emulator.read_register("IRQ_STATUS") == 0
    assert set(emulator.registers.values) == set(register_map.BY_NAME)


def test_clear_and_soft_reset():
    emulator = device()
    emulator.datapath.spad[:] = 1
    emulator.datapath.wgt[:] = 1
    emulator.datapath.acc[:] = 1
    emulator.soft_reset()
    assert emulator.datapath.spad.all()
    emulator.clear()
    assert not (emulator.datapath.spad.any() or emulator.datapath.wgt.any()
                or emulator.datapath.acc.any())


@pytest.mark.parametrize("name", PRESETS)
def test_the_order_of_the_units_does_not_matter_to_random_programs(name):
    """Shuffled turns and dirty memories: the tokens alone give the order."""
    for seed in range(12):
        program = random_program(preset(name), seed)
        inputs = [np.random.default_rng(seed).integers(-128, 128, program.inputs[0].shape,
                                                       dtype=np.int8)]
        results = []
        for attempt in range(3):
            emulator = EmulatorDevice(preset(name), memory_bytes=MEMORY_BYTES)
            draw = random.Random(attempt)
            if attempt:
                emulator.order = draw.sample(range(4), 4)
                emulator.on_done = lambda _, d=draw, e=emulator: d.shuffle(e.order)
                emulator.datapath.spad[:] = 0x5A
                emulator.datapath.wgt[:] = 0xA5
                emulator.datapath.acc[:] = -77
            results.append(emulator.run(program, inputs).outputs["after"])
        for other in results[1:]:
            wrong = np.flatnonzero(results[0] != other)
            assert not len(wrong), f"seed {seed}: {len(wrong)} bytes, first {wrong[0]}"
