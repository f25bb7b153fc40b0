"""Serial engine on the RTL: the same bytes, errors and counters as on the emulator."""

import os
from pathlib import Path

import numpy as np
import pytest

from support.programs import MEMORY_BYTES, illegal_programs, random_program
from weft.spec import isa
from weft.spec.presets import preset
from weft_host import compile
from weft_host.device import EmulatorDevice, RtlDevice
from weft_host.errors import DeviceError, DeviceTimeout, ProgramError, RegisterError
from weft_host.program.file import Program
from weft_host.program.tensor import Window

DIGITS = Path(__file__).resolve().parents[2] / "examples" / "digits"
CONFIG = preset("icebreaker")
LIMIT = 5_000_000
# a short run; `make soak` sets more
PROGRAMS = int(os.environ.get("WEFT_PROGRAMS", "10"))
IMAGES = int(os.environ.get("WEFT_IMAGES", "3"))


@pytest.fixture(scope="module")
def rtl():
    with RtlDevice(CONFIG, memory_bytes=MEMORY_BYTES, latency=4, stalls="both", seed=1) as device:
        yield device


def program(*instructions):
    """Return a program of the instructions, with one window over the whole memory."""
    return Program(config=CONFIG, instructions=b"".join(instructions), memory_bytes=MEMORY_BYTES,
                   image=(), inputs=(), outputs=(), windows=(Window(0, MEMORY_BYTES, True, True),))


def error_of(device, program, inputs=None):
    """Run a program that must fail; return its error record and the memory contents."""
    with pytest.raises(DeviceError) as caught:
        device.run(program, inputs, **({"limit": LIMIT} if isinstance(device, RtlDevice) else {}))
    raw = device.read_memory(0, MEMORY_BYTES)
    device.soft_reset()
    record = caught.value.record
    return (record.code, record.unit, record.index, record.addr), raw


def test_every_tensor_of_digits_equals_the_reference(rtl):
    with np.load(DIGITS / "digits.npz") as stored:
        images, outputs = stored["images"], stored["outputs"]
    network = compile(DIGITS / "digits.tflite", CONFIG, keep_tensors=True)
    emulator = EmulatorDevice(CONFIG, memory_bytes=MEMORY_BYTES)
    for index in range(IMAGES):
        image = [images[index:index + 1]]
        found = rtl.run(network, image, all_tensors=True, limit=LIMIT)
        expected = emulator.run(network, image, all_tensors=True)
        wrong = [name for name, array in expected.tensors.items()
                 if not np.array_equal(found.tensors[name], array)]
        assert not wrong, f"image {index}: {wrong} differ from the emulator's"
        output, = found.outputs.values()
        assert np.array_equal(output.reshape(-1), outputs[index]), f"image {index}"


@pytest.mark.parametrize("seed", range(PROGRAMS))
def test_random_program_equals_the_emulator_in_bytes_and_counters(rtl, seed):
    drawn = random_program(CONFIG, seed)
    before = [np.random.default_rng(seed).integers(
        -128, 128, drawn.inputs[0].shape).astype(np.int8)]
    expected = EmulatorDevice(CONFIG, memory_bytes=MEMORY_BYTES).run(drawn, before)
    found = rtl.run(drawn, before, limit=LIMIT)
    wrong = np.flatnonzero(found.outputs["after"] != expected.outputs["after"])
    assert not len(wrong), f"seed {seed}: {len(wrong)} bytes differ, first {wrong[0]:#x}"
    for name, count in expected.counters.items():
        assert found.counters[name] == count, f"seed {seed}: {name}"


def test_illegal_instructions_leave_the_emulators_error_record(rtl):
    emulator = EmulatorDevice(CONFIG, memory_bytes=MEMORY_BYTES)
    every = max(1, 300 // PROGRAMS)
    count = 0
    for number, drawn in enumerate(illegal_programs(CONFIG, 5)):
        if number % every:
            continue
        before = [np.zeros(drawn.inputs[0].shape, np.int8)]
        for device in (emulator, rtl):
            device.write_memory(0, bytes(MEMORY_BYTES))
        expected, expected_bytes = error_of(emulator, drawn, before)
        found, found_bytes = error_of(rtl, drawn, before)
        assert found == expected, f"program {number}"
        assert found_bytes == expected_bytes, f"program {number}"
        count += 1
    assert count >= PROGRAMS


def test_a_missing_token_ends_in_the_watchdog(rtl):
    lacking = program(isa.encode("SYNC_LOAD"), isa.encode("SYNC_MATMUL", wait=1 << 3))
    emulator = EmulatorDevice(CONFIG, memory_bytes=MEMORY_BYTES)
    records = [error_of(device, lacking)[0] for device in (emulator, rtl)]
    assert records[0] == records[1] == ("WATCHDOG", "MATMUL", 1, 0)


def test_too_many_tokens_are_an_error(rtl):
    many = program(*[isa.encode("SYNC_LOAD", signal=2)] * 256)
    assert error_of(rtl, many)[0] == ("TOKEN_OVERFLOW", "LOAD", 255, 0)


@pytest.mark.parametrize("access, response, code", [
    ("read", "SLVERR", "BUS_SLVERR"), ("read", "DECERR", "BUS_DECERR"),
    ("write", "SLVERR", "BUS_SLVERR")])
def test_bus_errors_are_recorded(rtl, access, response, code):
    name = "LOAD" if access == "read" else "STORE"
    copy = program(isa.encode(name, count=1, bytes=64, host_addr=0x4001, local_addr=3))
    rtl.fault(0x4020, 4, response, access)
    try:
        assert error_of(rtl, copy)[0] == (code, name, 0, 0x4020)
    finally:
        rtl.clear_faults()


def test_soft_reset_waits_for_outstanding_responses_after_the_watchdog(rtl):
    copy = program(isa.encode("LOAD", count=1, bytes=64, host_addr=0x4000, local_addr=0))
    rtl.load(copy, watchdog=2000)
    rtl.silence("R")
    try:
        rtl.start()
        rtl.wait(100_000)
        assert rtl.error(copy).code == "WATCHDOG"
        rtl.write_register("CONTROL", 2)
        assert rtl.read_register("STATUS") & 8, "the soft reset did not wait"
    finally:
        rtl.silence()
    rtl.soft_reset()
    assert rtl.read_register("STATUS") == 0
    assert rtl.simulation.bus_idle
    rtl.run(copy, limit=LIMIT)


def test_a_soft_reset_stops_a_running_program(rtl):
    long = program(isa.encode("FILL", count=60000, bytes=64, local_addr=0, local_pitch=1, value=1))
    with pytest.raises(DeviceTimeout):
        rtl.run(long, limit=20_000)
    assert rtl.read_register("STATUS") & 1
    with pytest.raises(RegisterError):
        rtl.write_register("PROGRAM_COUNT", 1)
    rtl.soft_reset()
    assert rtl.read_register("STATUS") == 0
    rtl.run(program(isa.encode("SYNC_LOAD")), limit=LIMIT)


def test_clear_zeroes_the_scratchpad(rtl):
    rtl.run(program(isa.encode("FILL", count=1, bytes=65536, local_addr=0, value=0x5A)),
            limit=LIMIT)
    rtl.clear()
    rtl.run(program(isa.encode("STORE", count=1, bytes=0x2000, host_addr=0x8000,
                               local_addr=0xE000)), limit=LIMIT)
    assert rtl.read_memory(0x8000, 0x2000) == bytes(0x2000)


def test_invalid_register_accesses_are_errors(rtl):
    rtl.write_register("WINDOW3_BASE", 0x123)
    assert rtl.read_register("WINDOW3_BASE") == 0x123
    for name, value in (("MEM_BASE", 4), ("ID", 0), ("STATUS", 1), ("CONTROL", 3)):
        with pytest.raises(RegisterError):
            rtl.write_register(name, value)
    response, word = rtl.simulation.read_register(0x18)
    assert response and word == 0


def test_rejects_a_program_for_the_parallel_units(rtl):
    other = compile(DIGITS / "digits.tflite", preset("tiny"))
    with pytest.raises(ProgramError):
        rtl.run(other, [np.zeros((1, 8, 8, 1), np.int8)])
