"""EmulatorDevice: errors, registers, queues and tokens."""

import random

import numpy as np
import pytest

from support.emulator_bench import CONFIG, execute, make_device
from support.programs import MEMORY_BYTES, illegal_programs, random_program
from support.seeds import seed
from weft.spec import isa, register_map
from weft.spec.presets import PRESETS, preset
from weft_host.device import EmulatorDevice
from weft_host.errors import DeviceTimeout, RegisterError
from weft_host.program.validate import check_program
from weft_host.register_words import pack

LOAD, MATMUL, VECTOR, STORE = (1 << unit for unit in range(4))
COPY = dict(count=1, bytes=4, host_addr=0x800)


def test_an_error_stops_later_instructions_and_lets_earlier_ones_finish():
    emulator = make_device()
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


def test_an_error_cancels_an_instruction_that_lacks_tokens():
    emulator = make_device()
    record = execute(emulator, isa.encode("STORE", count=1, bytes=1, host_addr=0x2000, wait=LOAD),
                     bytes([0xAB]) + bytes(31))
    assert record == ("ILLEGAL_OPCODE", "SEQUENCER", 1, 32)


@pytest.mark.parametrize("name", ["tiny", "wide", "ulx3s"])
def test_illegal_programs_report_the_errors_that_validation_finds(name):
    emulator = EmulatorDevice(preset(name), memory_bytes=MEMORY_BYTES)
    for number, program in enumerate(illegal_programs(preset(name), seed(2))):
        (index, violation), = check_program(program)
        emulator.load(program)
        emulator.start()
        record = emulator.error(program)
        unit = (*isa.UNITS, "SEQUENCER")[violation.unit]
        assert (record.code, record.unit, record.index, record.addr) == \
            (violation.code.name, unit, index, violation.addr), number


@pytest.mark.parametrize("response", ["SLVERR", "DECERR"])
def test_bus_errors_are_reported_for_every_kind_of_access(response):
    code = f"BUS_{response}"
    emulator = make_device()
    emulator.fault(0x810, 4, response, "read")
    assert execute(emulator, isa.encode("LOAD", count=2, bytes=4, host_addr=0x801,
                                        host_pitch=14)) == (code, "LOAD", 0, 0x810)
    emulator.soft_reset()
    assert execute(emulator, isa.encode("LOAD_WGT", count=1, bytes=8, host_addr=0x80C)) == \
        (code, "LOAD", 0, 0x810)
    emulator.soft_reset()
    # a fault affects either reads or writes, and whole beats
    emulator.fault(0x2082, 1, response, "write")
    assert execute(emulator, isa.encode("LOAD", count=1, bytes=4, host_addr=0x2080)) is None
    assert execute(emulator, isa.encode("STORE", count=1, bytes=4, host_addr=0x2084)) is None
    # a write error is reported for its burst, which starts at the row or a multiple of 32 beats
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


def test_addresses_outside_the_memory_answer_decerr():
    emulator = make_device()
    emulator.write_register("WINDOW2_LAST", 0xFFFFFFFF)
    emulator.write_register("WINDOW2_CTRL", 3)
    assert execute(emulator, isa.encode("LOAD", count=1, bytes=9, host_addr=0x3FFC)) == \
        ("BUS_DECERR", "LOAD", 0, 0x4000)


def test_fetching_outside_the_windows_is_an_error():
    emulator = make_device()
    emulator.write_register("WINDOW0_LAST", 63)
    assert execute(emulator, *[isa.encode("SYNC_LOAD")] * 3) == ("HOST_WINDOW", "SEQUENCER", 2, 64)


def test_a_deadlock_ends_with_the_watchdog_or_stays_busy():
    emulator = make_device()
    program = [isa.encode("SYNC_MATMUL", wait=LOAD), isa.encode("SYNC_VECTOR", wait=LOAD | MATMUL)]
    assert execute(emulator, *program) == ("WATCHDOG", "MATMUL", 0, 0)
    assert emulator.waits() == ("MATMUL waits for a token of LOAD",
                                "VECTOR waits for a token of LOAD and MATMUL")
    emulator.soft_reset()
    emulator.write_register("WATCHDOG", 0)
    with pytest.raises(DeviceTimeout, match=(
            "^the program is deadlocked; MATMUL waits for a token of LOAD; VECTOR waits for a "
            "token of LOAD and MATMUL$")):
        execute(emulator, *program)
    with pytest.raises(RegisterError, match=r"^the device rejected the write of 0x1 to CONTROL: "
                                            r"STATUS\.BUSY is set$"):
        emulator.start()
    emulator.soft_reset()
    assert execute(emulator, isa.encode("SYNC_LOAD")) is None


def test_a_full_queue_stalls_later_instructions():
    emulator = make_device()
    blocked = [isa.encode("SYNC_MATMUL", wait=LOAD)]
    fits = CONFIG.queue_depth + 1       # one of them is at the unit itself
    release = [isa.encode("SYNC_LOAD", signal=MATMUL)]
    assert execute(emulator, *blocked * fits, *release * fits) is None
    assert execute(emulator, *blocked * (fits + 1), *release * (fits + 1)) == \
        ("WATCHDOG", "MATMUL", 0, 0)
    assert emulator.read_register("PC") == fits


def test_the_256th_token_is_an_overflow():
    emulator = make_device()
    give = [isa.encode("SYNC_LOAD", signal=STORE)]
    assert execute(emulator, *give * 255) is None, "unused tokens are not an error"
    assert execute(emulator, *give * 256) == ("TOKEN_OVERFLOW", "LOAD", 255, 0)


def test_an_empty_program_is_done_at_once():
    emulator = make_device()
    assert execute(emulator) is None
    assert emulator.read_register("STATUS") == pack("STATUS", DONE=1)


def test_register_writes_are_rejected_as_the_register_map_defines():
    emulator = make_device()
    for name in ("ID", "STATUS", "COUNTER_CYCLES"):
        with pytest.raises(RegisterError, match=(
                f"^the device rejected the write of 0x1 to {name}: it "
                "is read-only$")):
            emulator.write_register(name, 1)
    for name in ("MEM_BASE", "PROGRAM_ADDR"):
        with pytest.raises(RegisterError, match=(
                f"^the device rejected the write of 0x30 to {name}: it "
                "is not a multiple of 32$")):
            emulator.write_register(name, 48)
    emulator.write_register("WINDOW3_CTRL", 7)
    with pytest.raises(RegisterError, match=(
            "^the device rejected the write of 0x0 to WINDOW3_BASE: the window is locked$")):
        emulator.write_register("WINDOW3_BASE", 0)
    with pytest.raises(RegisterError, match=(
            "^the device rejected the write of 0x5 to CONTROL: START, CLEAR and SOFT_RESET "
            "exclude each other$")):
        emulator.write_register("CONTROL", pack("CONTROL", START=1, CLEAR=1))
    emulator.soft_reset()
    assert emulator.read_register("WINDOW3_CTRL") == 7, "a soft reset does not unlock"
    execute(emulator, bytes(32))
    for command in ("START", "CLEAR"):
        with pytest.raises(RegisterError, match=r"to CONTROL: STATUS\.ERROR is set$"):
            emulator.write_register("CONTROL", pack("CONTROL", **{command: 1}))
    assert emulator.read_register("ID").to_bytes(4, "little") == b"WEFT"
    assert emulator.read_register("CONFIG_HASH") == CONFIG.fingerprint
    emulator.write_register("IRQ_STATUS", 3)
    assert emulator.read_register("IRQ_STATUS") == 0
    assert list(emulator.registers.values) == [register.name for register in register_map.REGISTERS]


def test_clear_zeroes_the_memories_and_soft_reset_keeps_them():
    emulator = make_device()
    datapath = emulator.datapath
    names = ("spad", "wgt", "acc", "bias", "multiplier", "shift", "tables")
    for name in names:
        getattr(datapath, name)[:] = 1
    datapath.map_multiplier = datapath.map_shift = 1
    emulator.soft_reset()
    assert execute(emulator, isa.encode("SYNC_LOAD")) is None
    assert all(getattr(datapath, name).all() for name in names)
    assert (datapath.map_multiplier, datapath.map_shift) == (1, 1)
    emulator.clear()
    assert not any(getattr(datapath, name).any() for name in names)
    assert (datapath.map_multiplier, datapath.map_shift) == (0, 0)


@pytest.mark.parametrize("command", ["START", "SOFT_RESET", "CLEAR"])
def test_a_program_starts_with_an_empty_ring(command):
    config = preset("tiny", fixed_point=True)
    emulator = make_device(config)
    load = isa.encode("LOAD_RING", count=1, bytes=2 * config.tile_bytes, host_addr=0x800)
    multiply = isa.encode("MATMUL_RING", row_count=1, chunk_count=1, x_count=1)
    assert execute(emulator, load, multiply) is None
    emulator.write_register("CONTROL", pack("CONTROL", **{command: 1}))
    if command == "START":          # of the same program
        assert emulator.error() is None
    else:
        assert emulator.datapath.ring.size == 0
    assert execute(emulator, multiply) == ("WATCHDOG", "MATMUL", 0, 0)


def test_clear_zeroes_the_step_registers_and_soft_reset_keeps_them():
    emulator = EmulatorDevice(preset("tiny", fixed_point=True), memory_bytes=4096)
    for register in register_map.STEP_REGISTERS:
        emulator.write_register(register.name, 0xFFFFFFFF)
    emulator.soft_reset()
    values = [emulator.read_register(register.name) for register in register_map.STEP_REGISTERS]
    assert values == [0xFFFFFFFF] * len(register_map.STEP_REGISTERS)
    emulator.clear()
    assert not any(emulator.read_register(register.name)
                   for register in register_map.STEP_REGISTERS)


@pytest.mark.parametrize("config", [*PRESETS.values(), preset("small", fixed_point=True),
                                    preset("ulx3s", fixed_point=True, weights_4bit=True)],
                         ids=lambda config: config.name)
def test_results_of_random_programs_do_not_depend_on_the_order_of_the_units(config):
    """Tokens alone order the units: the order is shuffled, the initial memories are dirty."""
    for number in range(12):
        program = random_program(config, seed(number))
        values = np.random.default_rng(seed(number))
        inputs = [values.integers(-128, 128, program.inputs[0].shape, dtype=np.int8)]
        results = []
        for attempt in range(3):
            emulator = EmulatorDevice(config, memory_bytes=MEMORY_BYTES)
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
            assert not len(wrong), (
                f"seed {seed(number)}: {len(wrong)} bytes differ, first {wrong[0]}")
