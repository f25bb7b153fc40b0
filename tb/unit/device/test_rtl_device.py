"""RtlDevice, compared with the emulator."""

import dataclasses
import os
import random
import re

import numpy as np
import pytest

from support.closed_device import check_closed
from support.programs import MEMORY_BYTES, illegal_programs, random_program
from support.seeds import seed
from weft.spec import isa
from weft.spec.presets import preset
from weft_host.device import EmulatorDevice, RtlDevice, rtl_build
from weft_host.device.rtl_build import build_accelerator
from weft_host.device.rtl_sim import STALLS
from weft_host.errors import (
    BuildError,
    ClosedError,
    DeviceError,
    DeviceTimeout,
    RegisterError,
    WeftError,
)
from weft_host.program.file import Program
from weft_host.program.tensor import Window

SEED = seed(1)
COUNT = int(os.environ.get("WEFT_PROGRAMS", "60"))
CONFIG = preset("tiny")


@pytest.fixture(scope="module", params=list(STALLS), ids=str)
def pair(request):
    """The RTL and the emulator, with memories of the same size."""
    with RtlDevice(CONFIG, memory_bytes=MEMORY_BYTES, stalls=request.param, seed=SEED,
                   latency=7) as rtl:
        yield rtl, EmulatorDevice(CONFIG, memory_bytes=MEMORY_BYTES)


def inputs_of(program, number):
    return [np.random.default_rng(number).integers(-128, 128, tensor.shape, dtype=np.int8)
            for tensor in program.inputs]


def test_random_programs_give_the_results_of_the_emulator(pair):
    rtl, emulator = pair
    for number in range(SEED, SEED + COUNT):
        program = random_program(CONFIG, number)
        inputs = inputs_of(program, number)
        expected = emulator.run(program, inputs)
        found = rtl.run(program, inputs, limit=1_000_000)
        wrong = np.flatnonzero(expected.outputs["after"] != found.outputs["after"])
        assert not len(wrong), f"seed {number}: {len(wrong)} bytes differ, first {wrong[0]}"
        for name, count in expected.counters.items():
            assert found.counters[name] == count, f"seed {number}: {name}"
        assert found.cycles >= found.counters["CYCLES"] > 0


def test_illegal_programs_give_the_errors_of_the_emulator(pair):
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


def test_bus_errors_are_those_of_the_emulator(pair):
    """The error records agree, no byte outside the windows changes, and the next run works."""
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
            # the first of several errors is reported; which one depends on timing
            assert found.code == expected.code == f"BUS_{response}", what
            if found.unit == "STORE":
                assert addr - CONFIG.bus_bytes * CONFIG.max_burst < found.addr < addr + size, what
            else:
                assert found.unit in ("LOAD", "SEQUENCER"), what
                assert addr - CONFIG.bus_bytes < found.addr < addr + size, what
        for low, high in ((0, 0x4000), (0x5800, MEMORY_BYTES)):     # outside the writable window
            rtl, emulator = (device.read_memory(low, high - low) for device in pair)
            assert rtl == emulator, what
        check = random_program(CONFIG, 2000 + SEED + attempt, length=2)
        results = [device.run(check, inputs, limit=100_000).outputs["after"] for device in pair]
        assert (results[0] == results[1]).all(), f"{what}: the next program gave a wrong result"
    assert failed > 10


@pytest.mark.parametrize("channel, unit", [
    ("AR", "SEQUENCER"), ("R", "SEQUENCER"), ("AW", "STORE"), ("W", "STORE"), ("B", "STORE"),
])
def test_a_silent_bus_triggers_the_watchdog(channel, unit):
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


def test_token_errors_and_timeouts_are_those_of_the_emulator():
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
        with pytest.raises(DeviceTimeout, match=(
                "^the program is not done after 5000 cycles; MATMUL waits for a token of LOAD; "
                "STORE waits for a token of LOAD and MATMUL$")):
            rtl.run(deadlock, [], watchdog=0, limit=5000)
        with pytest.raises(DeviceTimeout, match="^the program is not done after 0 cycles"):
            rtl.run(deadlock, [], watchdog=0, limit=-1)
        rtl.run(program(), [], limit=1000)


def test_register_accesses_are_rejected_as_in_the_emulator():
    emulator = EmulatorDevice(CONFIG, memory_bytes=MEMORY_BYTES)
    with RtlDevice(CONFIG, memory_bytes=MEMORY_BYTES) as rtl:
        for name in ("ID", "VERSION", "CAP_ARRAY", "CAP_MEMORY", "CAP_CONTROL", "CONFIG_HASH"):
            assert rtl.read_register(name) == emulator.read_register(name), name
        for name, value in (("ID", 1), ("MEM_BASE", 16), ("PROGRAM_ADDR", 8), ("CONTROL", 5),
                            ("CONTROL", 6), ("STATUS", 0)):
            for device in (rtl, emulator):
                with pytest.raises(RegisterError, match=(
                        f"^the device rejected the write of {value:#x} to {name}")):
                    device.write_register(name, value)
        for device in (rtl, emulator):
            device.write_register("WINDOW3_CTRL", 7)
            with pytest.raises(RegisterError):
                device.write_register("WINDOW3_LAST", 7)
            device.soft_reset()
            assert device.read_register("WINDOW3_CTRL") == 7
            device.clear()


def test_a_violated_rule_fails_the_run(monkeypatch):
    with RtlDevice(CONFIG, memory_bytes=MEMORY_BYTES) as rtl:
        monkeypatch.setattr(rtl.simulation, "broken_rules", lambda: (2, "cycle 9: W changed"))
        program = random_program(CONFIG, SEED, length=0)
        with pytest.raises(WeftError, match=(
                "^the RTL violated AXI rules 2 times, first in cycle 9: W changed$")):
            rtl.run(program, inputs_of(program, SEED), limit=100_000)


def test_a_design_with_loops_is_evaluated_until_it_is_stable(monkeypatch):
    """Merging equal cells creates loops between words; the results must not change."""
    program = random_program(CONFIG, SEED)
    with RtlDevice(CONFIG, memory_bytes=MEMORY_BYTES) as rtl:
        expected = rtl.run(program, inputs_of(program, SEED), limit=100_000)
    monkeypatch.setattr(rtl_build, "_PREPARE",
                        "proc; flatten; opt_expr; opt_merge; opt_dff; opt_clean")
    # one program runs, so that the time of the build dominates; the last -O option applies
    monkeypatch.setattr(rtl_build, "_FLAGS", (*rtl_build._FLAGS, "-O1"))
    with RtlDevice(CONFIG, memory_bytes=MEMORY_BYTES) as rtl:
        found = rtl.run(program, inputs_of(program, SEED), limit=100_000)
    assert (found.outputs["after"] == expected.outputs["after"]).all()
    assert found.cycles == expected.cycles and found.counters == expected.counters


def test_a_closed_device_rejects_every_call():
    rtl = RtlDevice(CONFIG, memory_bytes=MEMORY_BYTES)
    assert repr(rtl) == \
        f"<RtlDevice: configuration 'tiny', {MEMORY_BYTES:,} bytes of host memory, open>"
    rtl.close()
    rtl.close()
    check_closed(rtl)
    program = random_program(CONFIG, SEED, length=0)
    for call in (lambda: rtl.fault(0, 1, "SLVERR", "read"), rtl.clear_faults, rtl.silence,
                 lambda: rtl.record(program)):
        with pytest.raises(ClosedError, match="^this RtlDevice is closed; create another one$"):
            call()


def test_vendor_multipliers_are_replaced_by_portable_ones(monkeypatch):
    built = []
    monkeypatch.setattr("weft_host.device.rtl.build_accelerator", lambda config, **options: (
        built.append(config), build_accelerator(CONFIG, **options))[1])
    config = preset("tiny", multiplier="ecp5", dsp_cells=8)
    with RtlDevice(config) as rtl:
        assert rtl.config == config
    assert built == [dataclasses.replace(CONFIG, name=config.name)]


def test_a_simulator_of_another_configuration_is_rejected():
    library = build_accelerator(CONFIG)
    config = preset("tiny", acc_rows=32)
    with pytest.raises(BuildError, match=(
            rf"^{re.escape(str(library))} is not a simulator of configuration "
            rf"'tiny\+acc_rows=32'; delete the file$")):
        RtlDevice(config, library=library)
