"""The run of a program: what is checked before, what is told after."""

import numpy as np
import pytest

from support.programs import MEMORY_BYTES, random_program
from weft.spec import isa
from weft.spec.presets import preset
from weft_host.device import EmulatorDevice
from weft_host.errors import DeviceError, InputError, ProgramError, RegisterError
from weft_host.program.file import Program
from weft_host.program.tensor import HostStep, Tensor, Window

CONFIG = preset("small")
STORE = 1 << isa.UNITS.index("STORE")
LOAD = 1 << isa.UNITS.index("LOAD")


def copy_program(**changes):
    """Copies ``x`` to ``y``, then takes the softmax of ``y`` on the host."""
    parts = dict(
        config=CONFIG, memory_bytes=0x3000,
        instructions=isa.encode("LOAD", count=1, bytes=12, host_addr=0x1000, signal=STORE)
        + isa.encode("STORE", count=1, bytes=12, host_addr=0x2001, wait=LOAD),
        inputs=(Tensor(name="x", shape=(2, 6), offset=0x1000, scale=0.25),),
        tensors=(Tensor(name="y", shape=(2, 6), offset=0x2001, scale=0.25),),
        outputs=(Tensor(name="p", shape=(2, 6)),),
        windows=(Window(0, 0x2000), Window(0x2000, 0x1000, True, True)),
        host_steps=(HostStep(kind="SOFTMAX", inputs=("y",), outputs=("p",),
                             parameters={"beta": 1.0}),))
    return Program(**(parts | changes))


X = np.arange(-6, 6, dtype=np.int8).reshape(2, 6) * 5


@pytest.mark.parametrize("base", [0, 0x10000])
def test_inputs_outputs_host_steps_and_all_tensors(base):
    device = EmulatorDevice(CONFIG, memory_base=base, memory_bytes=0x4000)
    result = device.run(copy_program(), {"x": X}, all_tensors=True)
    exact = np.exp(X * 0.25) / np.exp(X * 0.25).sum(axis=1, keepdims=True)
    assert np.abs((result.outputs["p"].astype(int) + 128) / 256 - exact).max() < 1 / 200
    assert set(result.tensors) == {"x", "y", "p"}
    assert (result.tensors["y"] == X).all()
    assert result.cycles is None
    assert result.counters == {"MAC_BUSY": 0, "BYTES_READ": 16 + 64, "BYTES_WRITTEN": 12,
                               "INSTRUCTIONS": 2}
    assert (device.run(copy_program(), [X]).outputs["p"] == result.outputs["p"]).all()
    assert not device.run(copy_program(), [X]).tensors


@pytest.mark.parametrize("inputs, message", [
    (None, "input 'x' is missing; the program has x"),
    ([], "0 inputs were given; the program has 1: x"),
    ({"x": X, "z": X}, "there is no input 'z'; the program has x"),
    ({"x": X.astype(np.int16)}, "input 'x' has dtype int16; the program needs int8"),
    ({"x": X[0]}, r"input 'x' has shape \(6,\); the program needs \(2, 6\)"),
])
def test_wrong_inputs(inputs, message):
    with pytest.raises(InputError, match=message):
        EmulatorDevice(CONFIG).run(copy_program(), inputs)


def test_a_program_for_another_configuration_is_refused():
    with pytest.raises(ProgramError, match="built for configuration 'small' .* this device is "
                                           "'tiny' .* compile the model for 'tiny'"):
        EmulatorDevice(preset("tiny")).run(copy_program(), [X])
    with pytest.raises(ProgramError, match="needs 12288 bytes of host memory, this device has "
                                           "4096"):
        EmulatorDevice(CONFIG, memory_bytes=4096).run(copy_program(), [X])
    with pytest.raises(ProgramError, match="no host step 'FOO'; there are .*SOFTMAX"):
        EmulatorDevice(CONFIG).run(copy_program(host_steps=(
            HostStep(kind="FOO", inputs=("y",), outputs=("p",)),)), [X])


def test_an_error_names_the_instruction_and_the_next_run_works():
    device = EmulatorDevice(CONFIG)
    program = copy_program()
    device.fault(0x2000, 4, "SLVERR", "write")
    with pytest.raises(DeviceError) as caught:
        device.run(program, [X])
    record = caught.value.record
    assert (record.code, record.unit, record.index, record.addr) == \
        ("BUS_SLVERR", "STORE", 1, 0x2000)
    assert str(caught.value) == ("BUS_SLVERR in STORE at instruction 1, address 0x2000: STORE "
                                 "count=1 host_addr=0x2001 bytes=12 wait=LOAD")
    device.clear_faults()
    assert (device.run(program, [X], all_tensors=True).tensors["y"] == X).all()


def test_the_watchdog_says_who_waits_for_what():
    program = copy_program(instructions=isa.encode("SYNC_VECTOR", wait=STORE))
    with pytest.raises(DeviceError, match="^WATCHDOG in VECTOR at instruction 0, address 0x0; "
                                          "VECTOR waits for a token of STORE$"):
        EmulatorDevice(CONFIG).run(program, [X])


def test_an_unchanged_program_is_loaded_once():
    device = EmulatorDevice(CONFIG)
    writes = []
    original = device._write
    device._write = lambda addr, data: (writes.append((addr, len(data))), original(addr, data))
    program = copy_program(image=((0x800, bytes(100)),))
    device.run(program, [X])
    assert writes == [(0, 64), (0x800, 100), (0x1000, 12)]
    writes.clear()
    device.run(program, [X])
    assert writes == [(0x1000, 12)]
    writes.clear()
    device.write_memory(0, bytes(64))       # the host may have destroyed it
    device.run(program, [X])
    assert (0, 64) in writes[1:]


def test_a_device_that_was_reset_is_loaded_anew():
    device = EmulatorDevice(CONFIG)
    program = copy_program()
    device.run(program, [X])
    fresh = EmulatorDevice(CONFIG)
    device.memory, device.datapath, device.registers = (
        fresh.memory, fresh.datapath, fresh.registers)
    assert (device.run(program, [X], all_tensors=True).tensors["y"] == X).all()


def test_host_steps_before_the_device_runs():
    program = copy_program(
        inputs=(Tensor(name="flat", shape=(12,)),),
        tensors=(Tensor(name="x", shape=(2, 6), offset=0x1000),
                 Tensor(name="y", shape=(2, 6), offset=0x2001)),
        host_steps=(HostStep(kind="RESHAPE", inputs=("flat",), outputs=("x",), when="before"),
                    HostStep(kind="SOFTMAX", inputs=("y",), outputs=("p",))))
    result = EmulatorDevice(CONFIG).run(program, [X.reshape(-1)], all_tensors=True)
    assert (result.tensors["y"] == X).all()


def test_windows_that_are_locked_otherwise():
    device = EmulatorDevice(CONFIG)
    device.write_register("WINDOW1_CTRL", 4)
    with pytest.raises(RegisterError, match="WINDOW1_BASE: the window is locked"):
        device.run(copy_program(), [X])
    # locked to what the program needs is good enough
    device = EmulatorDevice(CONFIG)
    device.run(copy_program(), [X])
    device.write_register("WINDOW0_CTRL", 5)
    device.run(copy_program(), [X])
    assert device.read_register("WINDOW0_CTRL") == 5


@pytest.mark.parametrize("arguments, message", [
    (dict(memory_base=100), "memory_base must be a multiple of 4096, not 0x64"),
    (dict(memory_bytes=0), "0 bytes of memory from 0x0 on do not fit"),
    (dict(memory_base=1 << 31, memory_bytes=(1 << 31) + 1), "do not fit the 32 address bits"),
])
def test_memory_that_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=message):
        EmulatorDevice(CONFIG, **arguments)


def test_the_host_cannot_reach_past_the_memory():
    device = EmulatorDevice(CONFIG, memory_base=0x1000, memory_bytes=0x1000)
    for addr, size in ((0xFFF, 1), (0x1FFF, 2)):
        with pytest.raises(ValueError, match="lie outside the device's memory, 0x1000 to 0x1fff"):
            device.read_memory(addr, size)
        with pytest.raises(ValueError, match="lie outside the device's memory"):
            device.write_memory(addr, bytes(size))


def test_runs_are_deterministic():
    program = random_program(CONFIG, 9)
    inputs = [np.full(program.inputs[0].shape, -128, np.int8)]
    first = EmulatorDevice(CONFIG, memory_bytes=MEMORY_BYTES).run(program, inputs)
    second = EmulatorDevice(CONFIG, memory_bytes=MEMORY_BYTES).run(program, inputs)
    assert (first.outputs["after"] == second.outputs["after"]).all()
    assert first.counters == second.counters
