"""The simulated memory against a small AXI master, then the whole RTL against the emulator."""

import os
import random
import re

import numpy as np
import pytest

from support import copy_engine
from support.copy_engine import BUGS, CopyEngine
from support.programs import MEMORY_BYTES, illegal_programs, random_program
from weft.spec import isa
from weft.spec.presets import preset
from weft.verilog import to_rtlil
from weft_host.device import EmulatorDevice, RtlDevice, rtl_build
from weft_host.device.rtl_build import build, hold_reset
from weft_host.device.rtl_sim import STALLS, Simulation
from weft_host.errors import BuildError, DeviceError, DeviceTimeout, RegisterError, WeftError
from weft_host.program.file import Program
from weft_host.program.tensor import Window

SEED = int(os.environ.get("WEFT_SEED", "1"))
COUNT = int(os.environ.get("WEFT_PROGRAMS", "60"))
CONFIG = preset("tiny")
BASE, TARGET = 0x10000, 0x18000


def silent(_):
    pass


def engine(width=64, bug=None, **options):
    library = build(to_rtlil(CopyEngine(width, bug), "weft"), progress=silent)
    return Simulation(library, memory_base=BASE, memory_bytes=1 << 16, **options)


def copy(simulation, source, target, beats, limit=10_000):
    """Cycles of a copy, from the start command to irq."""
    for register, value in ((copy_engine.SOURCE, source), (copy_engine.TARGET, target),
                            (copy_engine.BEATS, beats)):
        assert simulation.write_register(register, value) == 0
    assert simulation.run(limit), "the engine has not finished"
    return simulation.irq_cycle - simulation.last_write_cycle


def pattern(size, seed=0):
    return np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8).tobytes()


@pytest.mark.parametrize("width", [32, 64, 128, 256])
def test_copies_whole_bursts_and_nothing_else(width):
    simulation = engine(width)
    size = 16 * width // 8
    simulation.write_memory(BASE, pattern(1 << 16))
    before = simulation.read_memory(BASE, 1 << 16)
    copy(simulation, BASE + 0x400, TARGET, 16)
    expected = bytearray(before)
    expected[TARGET - BASE:TARGET - BASE + size] = before[0x400:0x400 + size]
    assert simulation.read_memory(BASE, 1 << 16) == bytes(expected)
    assert simulation.broken_rules() == (0, "") and simulation.bus_idle


@pytest.mark.parametrize("latency, beats", [(1, 1), (1, 4), (2, 4), (20, 16), (100, 3)])
def test_latency_is_what_it_says(latency, beats):
    """Counted by hand: 2 cycles to the read address, the latency to the first beat, the beats,
    the write address right behind the last, the beats, the latency to the response, 1 to irq."""
    assert copy(engine(latency=latency), BASE, TARGET, beats) == \
        2 + latency + beats + 1 + (beats - 1) + latency + 1


def test_bandwidth_is_what_it_says():
    full = copy(engine(latency=5), BASE, TARGET, 16)
    half = copy(engine(latency=5, bandwidth=0.5), BASE, TARGET, 16)
    fifth = copy(engine(latency=5, bandwidth=0.2), BASE, TARGET, 16)
    # 15 gaps on each side; the first beat of each may find its share of a cycle still growing
    assert abs(half - full - 30) <= 2
    assert abs(fifth - full - 30 * 4) <= 8


@pytest.mark.parametrize("stalls", STALLS)
def test_pauses_change_the_time_and_not_the_bytes(stalls):
    times = set()
    for seed in range(8):
        simulation = engine(latency=2, stalls=stalls, seed=seed)
        data = pattern(128, seed)
        simulation.write_memory(BASE + 128, data)
        times.add(copy(simulation, BASE + 128, TARGET, 16))
        assert simulation.read_memory(TARGET, 128) == data, f"seed {seed}"
        assert simulation.broken_rules() == (0, ""), f"seed {seed}"
    assert (len(times) == 1) == (stalls is None)
    again = engine(latency=2, stalls=stalls, seed=7)
    again.write_memory(BASE + 128, data)
    assert copy(again, BASE + 128, TARGET, 16) in times


@pytest.mark.parametrize("response, number", [("SLVERR", 2), ("DECERR", 3)])
def test_faults_answer_where_they_are(response, number):
    simulation = engine()
    simulation.write_memory(BASE, pattern(1 << 16))
    before = simulation.read_memory(TARGET, 128)
    simulation.fault(BASE + 0x20, 1, response, "read")
    copy(simulation, BASE, TARGET, 4)
    assert simulation.read_register(copy_engine.RESPONSE) == (0, 0)
    copy(simulation, BASE, TARGET, 5)
    assert simulation.read_register(copy_engine.RESPONSE) == (0, number)
    simulation.clear_faults()
    simulation.write_memory(TARGET, before)
    simulation.fault(TARGET + 8, 8, response, "write")
    copy(simulation, BASE, TARGET, 3)
    assert simulation.read_register(copy_engine.RESPONSE) == (0, number << 4)
    source = simulation.read_memory(BASE, 24)
    assert simulation.read_memory(TARGET, 24) == source[:8] + before[8:16] + source[16:]


def test_outside_the_memory_is_decerr():
    simulation = engine()
    copy(simulation, 0, BASE + (1 << 16), 2)
    assert simulation.read_register(copy_engine.RESPONSE) == (0, 0x33)


@pytest.mark.parametrize("channel", ["AR", "R", "AW", "W", "B"])
def test_silent_channels_never_answer(channel):
    simulation = engine()
    simulation.silence(channel)
    simulation.write_register(copy_engine.SOURCE, BASE)
    simulation.write_register(copy_engine.TARGET, TARGET)
    simulation.write_register(copy_engine.BEATS, 2)
    assert not simulation.run(2000)
    simulation.silence()
    assert simulation.run(2000)


@pytest.mark.parametrize("bug, message", [
    ("drop", "AW valid fell before ready"), ("change", "AW changed while valid and not ready"),
    ("wlast", "W last does not end its burst"), ("cross", "AR of 8 beats from 0x10ff8 on crosses"),
    ("size", "AR does not use whole beats"), ("fixed", "AR is not an incrementing burst"),
    ("unaligned", "AR does not start at a beat"),
])
def test_every_broken_rule_is_reported(bug, message):
    assert bug in BUGS
    for seed in range(20):      # until a channel is not ready when it matters
        simulation = engine(bug=bug, stalls="back-pressure", seed=seed)
        copy(simulation, BASE, TARGET, 8)
        count, text = simulation.broken_rules()
        if count:
            break
    assert count and message in text


@pytest.mark.parametrize("options, message", [
    (dict(latency=-1), "latency must not be negative"),
    (dict(bandwidth=0), "bandwidth must be above 0"),
    (dict(bandwidth=1.5), "at most 1 beat a cycle"),
    (dict(stalls="some"), "stalls must be one of None, 'gaps', 'back-pressure' or 'both'"),
])
def test_options_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        engine(**options)


def test_without_a_compiler_the_message_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(BuildError, match="no C\\+\\+ compiler: 'no-such-compiler' is not on PATH; "
                                         ".*apt install g\\+\\+"):
        build("", cache=tmp_path)


def test_a_failed_build_leaves_nothing_in_the_cache(monkeypatch, tmp_path):
    monkeypatch.setattr(rtl_build, "_FLAGS", ("-std=no-such-standard",))
    with pytest.raises(BuildError, match="no-such-standard"):
        build(to_rtlil(CopyEngine(), "weft"), cache=tmp_path, progress=silent)
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".lock"]


def test_a_second_build_comes_from_the_cache(tmp_path):
    rtlil, said = to_rtlil(CopyEngine(), "weft"), []
    first = build(rtlil, cache=tmp_path, progress=said.append)
    assert len(said) == 3
    assert build(rtlil, cache=tmp_path, progress=said.append) == first and len(said) == 3
    assert build(to_rtlil(CopyEngine(32), "weft"), cache=tmp_path, progress=said.append) != first


def test_a_waveform_is_written_and_changes_nothing(tmp_path):
    library = build(to_rtlil(CopyEngine(), "weft"), trace=True, progress=silent)
    traced = Simulation(library, memory_base=BASE, memory_bytes=1 << 16,
                        trace=tmp_path / "wave.vcd")
    cycles = copy(traced, BASE, TARGET, 4)
    traced.close()
    assert cycles == copy(engine(), BASE, TARGET, 4)
    text = (tmp_path / "wave.vcd").read_text()
    assert "m_axi_arvalid" in text or "m_axi arvalid" in text or "arvalid" in text
    assert text.count("\n#") > 2 * cycles
    with pytest.raises(OSError, match="cannot be written"):
        Simulation(library, trace=tmp_path / "no" / "wave.vcd")


def test_the_reset_of_the_top_alone_is_held_low():
    inner = to_rtlil(CopyEngine(), "inner").replace("attribute \\top 1\n", "")
    rtlil = to_rtlil(CopyEngine(), "weft") + inner
    released = hold_reset(rtlil, "weft")
    assert rtlil.count(" \\rst\n") == released.count(" \\rst\n")
    assert released.count("connect \\rst 1'0\n") == 1
    assert released.index("connect \\rst 1'0") < released.index("module \\inner")
    without = re.sub(r" \\rst\n", r" \\other\n", rtlil)
    assert hold_reset(without, "weft") == without


@pytest.fixture(scope="module", params=list(STALLS), ids=str)
def pair(request):
    """The RTL and the emulator, with the same memory."""
    with RtlDevice(CONFIG, memory_bytes=MEMORY_BYTES, stalls=request.param, seed=SEED,
                   latency=7) as rtl:
        yield rtl, EmulatorDevice(CONFIG, memory_bytes=MEMORY_BYTES)


def inputs_of(program, seed):
    return [np.random.default_rng(seed).integers(-128, 128, tensor.shape, dtype=np.int8)
            for tensor in program.inputs]


def test_random_programs_equal_the_emulator(pair):
    rtl, emulator = pair
    for seed in range(SEED, SEED + COUNT):
        program = random_program(CONFIG, seed)
        inputs = inputs_of(program, seed)
        expected = emulator.run(program, inputs)
        found = rtl.run(program, inputs, limit=1_000_000)
        wrong = np.flatnonzero(expected.outputs["after"] != found.outputs["after"])
        assert not len(wrong), f"seed {seed}: {len(wrong)} bytes differ, first {wrong[0]}"
        for name, count in expected.counters.items():
            assert found.counters[name] == count, f"seed {seed}: {name}"
        assert found.cycles >= found.counters["CYCLES"] > 0


def test_illegal_programs_equal_the_emulator(pair):
    for number, program in enumerate(illegal_programs(CONFIG, SEED)):
        records = []
        for device in pair:
            with pytest.raises(DeviceError) as caught:
                device.run(program, inputs_of(program, number), limit=100_000)
            records.append(caught.value.record)
            device.soft_reset()
        assert records[0] == records[1], f"seed {SEED}, program {number}"
        rtl, emulator = (device.read_memory(0, MEMORY_BYTES) for device in pair)
        assert rtl == emulator, f"seed {SEED}, program {number}: memory differs"


def test_bus_errors_equal_the_emulator(pair):
    """A fault anywhere: the same record, nothing outside the windows, and a working device."""
    draw = random.Random(SEED)
    failed = 0
    for attempt in range(40):
        program = random_program(CONFIG, 1000 + SEED + attempt, length=3)
        inputs = inputs_of(program, attempt)
        addr, access = draw.choice(((draw.randrange(0x2000, 0x2800), "read"),
                                    (draw.randrange(0, program.instruction_count * 32), "read"),
                                    (draw.randrange(0x4000, 0x5800), "write")))
        response, size = draw.choice(("SLVERR", "DECERR")), draw.randint(1, 9)
        records = []
        for device in pair:
            device.fault(addr, size, response, access)
            try:
                device.run(program, inputs, limit=100_000)
                records.append(None)
            except DeviceError as error:
                records.append(error.record)
            device.clear_faults()
        what = f"seed {SEED}, attempt {attempt}"
        found, expected = records
        assert (found is None) == (expected is None), what
        if found:
            failed += 1
            # of two errors the first counts, and the units' speed decides which that is
            assert found.code == expected.code == f"BUS_{response}", what
            if found.unit == "STORE":
                assert addr - CONFIG.bus_bytes * CONFIG.max_burst < found.addr < addr + size, what
            else:
                assert found.unit in ("LOAD", "SEQUENCER"), what
                assert addr - CONFIG.bus_bytes < found.addr < addr + size, what
        for low, high in ((0, 0x4000), (0x5800, MEMORY_BYTES)):     # outside the window for writes
            rtl, emulator = (device.read_memory(low, high - low) for device in pair)
            assert rtl == emulator, what
        check = random_program(CONFIG, 2000 + SEED + attempt, length=2)
        results = [device.run(check, inputs, limit=100_000).outputs["after"] for device in pair]
        assert (results[0] == results[1]).all(), f"{what}: the program after it went wrong"
    assert failed > 10


@pytest.mark.parametrize("channel, unit", [
    ("AR", "SEQUENCER"), ("R", "SEQUENCER"), ("AW", "STORE"), ("W", "STORE"), ("B", "STORE"),
])
def test_a_bus_that_never_answers(channel, unit):
    with RtlDevice(CONFIG, memory_bytes=MEMORY_BYTES) as rtl:
        program = random_program(CONFIG, SEED, length=0)
        inputs = inputs_of(program, SEED)
        rtl.silence(channel)
        with pytest.raises(DeviceError) as caught:
            rtl.run(program, inputs, watchdog=500, limit=20_000)
        assert (caught.value.record.code, caught.value.record.unit) == ("WATCHDOG", unit)
        if unit == "STORE":
            assert "STORE waits for host memory" in caught.value.record.waits
        rtl.silence()
        emulator = EmulatorDevice(CONFIG, memory_bytes=MEMORY_BYTES)
        assert (rtl.run(program, inputs, limit=100_000).outputs["after"]
                == emulator.run(program, inputs).outputs["after"]).all()


def test_tokens_watchdog_and_timeouts():
    def program(*instructions):
        return Program(config=CONFIG, instructions=b"".join(instructions), memory_bytes=0x4000,
                       windows=(Window(0, 0x4000),))

    deadlock = program(isa.encode("SYNC_MATMUL", wait=1), isa.encode("SYNC_STORE", wait=3))
    fits = CONFIG.queue_depth + 1
    blocked = isa.encode("SYNC_MATMUL", wait=1)
    release = isa.encode("SYNC_LOAD", signal=2)
    emulator = EmulatorDevice(CONFIG, memory_bytes=MEMORY_BYTES)
    with RtlDevice(CONFIG, memory_bytes=MEMORY_BYTES) as rtl:
        for wrong in (deadlock, program(*[isa.encode("SYNC_LOAD", signal=8)] * 256),
                      program(*[blocked] * (fits + 1), *[release] * (fits + 1))):
            records = []
            for device in (rtl, emulator):
                with pytest.raises(DeviceError) as caught:
                    device.run(wrong, [], watchdog=1000, limit=50_000)
                records.append(caught.value.record)
            assert records[0] == records[1]
        rtl.run(program(*[blocked] * fits, *[release] * fits), [], limit=50_000)
        with pytest.raises(DeviceTimeout, match="not done after 5000 cycles; MATMUL waits for a "
                                                "token of LOAD"):
            rtl.run(deadlock, [], watchdog=0, limit=5000)
        rtl.run(program(), [], limit=1000)


def test_registers_refuse_like_the_emulator():
    emulator = EmulatorDevice(CONFIG, memory_bytes=MEMORY_BYTES)
    with RtlDevice(CONFIG, memory_bytes=MEMORY_BYTES) as rtl:
        for name in ("ID", "VERSION", "CAP_ARRAY", "CAP_MEMORY", "CAP_CONTROL", "CONFIG_HASH"):
            assert rtl.read_register(name) == emulator.read_register(name), name
        for name, value in (("ID", 1), ("MEM_BASE", 16), ("PROGRAM_ADDR", 8), ("CONTROL", 5),
                            ("CONTROL", 6), ("STATUS", 0)):
            for device in (rtl, emulator):
                with pytest.raises(RegisterError, match=f"refused to write {value:#x} to {name}"):
                    device.write_register(name, value)
        for device in (rtl, emulator):
            device.write_register("WINDOW3_CTRL", 7)
            with pytest.raises(RegisterError):
                device.write_register("WINDOW3_LAST", 7)
            device.soft_reset()
            assert device.read_register("WINDOW3_CTRL") == 7
            device.clear()


def test_a_broken_rule_fails_the_run(monkeypatch):
    with RtlDevice(CONFIG, memory_bytes=MEMORY_BYTES) as rtl:
        monkeypatch.setattr(rtl.simulation, "broken_rules", lambda: (2, "cycle 9: W changed"))
        program = random_program(CONFIG, SEED, length=0)
        with pytest.raises(WeftError, match="broke 2 AXI rules, first in cycle 9: W changed"):
            rtl.run(program, inputs_of(program, SEED), limit=100_000)


def test_a_design_with_loops_is_evaluated_until_it_settles(monkeypatch):
    """Merging equal cells makes loops between words; the results must not change."""
    program = random_program(CONFIG, SEED)
    with RtlDevice(CONFIG, memory_bytes=MEMORY_BYTES) as rtl:
        expected = rtl.run(program, inputs_of(program, SEED), limit=100_000)
    monkeypatch.setattr(rtl_build, "_PREPARE",
                        "proc; flatten; opt_expr; opt_merge; opt_dff; opt_clean")
    with RtlDevice(CONFIG, memory_bytes=MEMORY_BYTES) as rtl:
        found = rtl.run(program, inputs_of(program, SEED), limit=100_000)
    assert (found.outputs["after"] == expected.outputs["after"]).all()
    assert found.cycles == expected.cycles and found.counters == expected.counters
