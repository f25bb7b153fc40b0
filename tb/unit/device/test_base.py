"""Execution of programs on a device: checks before, results and errors after."""

import numpy as np
import pytest

from support.closed_device import check_closed
from support.programs import MEMORY_BYTES, random_program
from support.seeds import seed
from weft.spec import isa, register_map
from weft.spec.presets import preset
from weft_host.device import EmulatorDevice
from weft_host.device.tensors import read_tensor
from weft_host.errors import ClosedError, DeviceError, InputError, ProgramError, RegisterError
from weft_host.program.file import Program
from weft_host.program.tensor import HostStep, Tensor, Window

CONFIG = preset("small")
STORE = 1 << isa.UNITS.index("STORE")
LOAD = 1 << isa.UNITS.index("LOAD")


def copy_program(**changes):
    """Return a program that copies ``x`` to ``y`` and computes the softmax of ``y`` on the host."""
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
def test_a_run_returns_outputs_and_requested_tensors(base):
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
def test_inputs_that_do_not_fit_are_rejected(inputs, message):
    with pytest.raises(InputError, match=f"^{message}$"):
        EmulatorDevice(CONFIG).run(copy_program(), inputs)


def test_a_program_that_the_device_cannot_run_is_rejected():
    with pytest.raises(ProgramError, match=(
            f"^the program was compiled for configuration 'small' \\({CONFIG.fingerprint:08x}\\), "
            f"but this device is 'tiny' \\({preset('tiny').fingerprint:08x}\\); compile the model "
            "for 'tiny'$")):
        EmulatorDevice(preset("tiny")).run(copy_program(), [X])
    with pytest.raises(ProgramError, match=(
            "^the program needs 12288 bytes of host memory, but this device has 4096$")):
        EmulatorDevice(CONFIG, memory_bytes=4096).run(copy_program(), [X])
    with pytest.raises(ProgramError, match="^no host step 'FOO'; there are DEQUANTIZE, QUANTIZE, "
                                           "RESHAPE, SOFTMAX$"):
        EmulatorDevice(CONFIG).run(copy_program(host_steps=(
            HostStep(kind="FOO", inputs=("y",), outputs=("p",)),)), [X])


def test_an_error_names_its_instruction_and_the_next_run_works():
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


def test_a_watchdog_error_lists_the_waiting_units():
    program = copy_program(instructions=isa.encode("SYNC_VECTOR", wait=STORE))
    with pytest.raises(DeviceError, match="^WATCHDOG in VECTOR at instruction 0, address 0x0; "
                                          "VECTOR waits for a token of STORE$"):
        EmulatorDevice(CONFIG).run(program, [X])


def test_a_program_in_memory_is_not_written_again():
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
    device.write_memory(0, bytes(64))       # this may have overwritten the program
    device.run(program, [X])
    assert (0, 64) in writes[1:]


def test_a_program_is_written_again_after_a_reset():
    device = EmulatorDevice(CONFIG)
    program = copy_program()
    device.run(program, [X])
    fresh = EmulatorDevice(CONFIG)
    device.memory, device.datapath, device.registers = (
        fresh.memory, fresh.datapath, fresh.registers)
    assert (device.run(program, [X], all_tensors=True).tensors["y"] == X).all()


def test_host_steps_run_before_the_device():
    program = copy_program(
        inputs=(Tensor(name="flat", shape=(12,)),),
        tensors=(Tensor(name="x", shape=(2, 6), offset=0x1000),
                 Tensor(name="y", shape=(2, 6), offset=0x2001)),
        host_steps=(HostStep(kind="RESHAPE", inputs=("flat",), outputs=("x",), when="before"),
                    HostStep(kind="SOFTMAX", inputs=("y",), outputs=("p",))))
    result = EmulatorDevice(CONFIG).run(program, [X.reshape(-1)], all_tensors=True)
    assert (result.tensors["y"] == X).all()


def test_a_locked_window_must_have_the_values_of_the_program():
    device = EmulatorDevice(CONFIG)
    device.write_register("WINDOW1_CTRL", 4)
    with pytest.raises(RegisterError, match="^the device rejected the write of 0x2000 to "
                                            "WINDOW1_BASE: the window is locked$"):
        device.run(copy_program(), [X])
    # a window that is locked to the needed values is accepted
    device = EmulatorDevice(CONFIG)
    device.run(copy_program(), [X])
    device.write_register("WINDOW0_CTRL", 5)
    device.run(copy_program(), [X])
    assert device.read_register("WINDOW0_CTRL") == 5


@pytest.mark.parametrize("arguments, message", [
    (dict(memory_base=100), "memory_base must be a multiple of 4096, not 0x64"),
    (dict(memory_bytes=0), "0 bytes of memory from address 0x0 do not fit the 32 address "
     "bits of configuration 'small'"),
    (dict(memory_base=1 << 31, memory_bytes=(1 << 31) + 1), "2147483649 bytes of memory "
     "from address 0x80000000 do not fit the 32 address bits of configuration 'small'"),
])
def test_invalid_memory_ranges_are_rejected(arguments, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        EmulatorDevice(CONFIG, **arguments)


def test_host_accesses_outside_the_memory_are_rejected():
    device = EmulatorDevice(CONFIG, memory_base=0x1000, memory_bytes=0x1000)
    for addr, size in ((0xFFF, 1), (0x1FFF, 2)):
        message = (f"^bytes {addr:#x} to {addr + size - 1:#x} are outside the device's memory, "
                   "0x1000 to 0x1fff$")
        with pytest.raises(ValueError, match=message):
            device.read_memory(addr, size)
        with pytest.raises(ValueError, match=message):
            device.write_memory(addr, bytes(size))


def test_a_negative_number_of_bytes_is_rejected():
    with pytest.raises(ValueError, match="^a number of bytes must not be negative, not -4$"):
        EmulatorDevice(CONFIG).read_memory(0, -4)


def test_memory_is_written_with_bytes_only():
    with pytest.raises(TypeError):
        EmulatorDevice(CONFIG).write_memory(0, 4)


def test_an_unknown_register_is_rejected():
    device = EmulatorDevice(CONFIG)
    message = f"there is no register 'FOO'; there are {', '.join(register_map.BY_NAME)}"
    for call in (lambda: device.read_register("FOO"), lambda: device.write_register("FOO", 0)):
        with pytest.raises(RegisterError) as caught:
            call()
        assert str(caught.value) == message


@pytest.mark.parametrize("value, text", [(-1, "-0x1"), (1 << 32, "0x100000000")])
def test_a_register_takes_words_of_32_bits(value, text):
    device = EmulatorDevice(CONFIG)
    with pytest.raises(ValueError, match="^register WATCHDOG must be written with a word from 0 to "
                                         f"0xffffffff, not {text}$"):
        device.write_register("WATCHDOG", value)
    device.write_register("WATCHDOG", (1 << 32) - 1)


def test_a_value_that_is_not_a_program_is_rejected():
    for call in (EmulatorDevice(CONFIG).run, EmulatorDevice(CONFIG).load):
        with pytest.raises(TypeError, match=(
                "^program must be a weft_host.Program, as weft_host.compile and Program.load "
                "return it, not 'digits.weft'$")):
            call("digits.weft")


def test_runs_are_deterministic():
    program = random_program(CONFIG, seed(9))
    inputs = [np.full(program.inputs[0].shape, -128, np.int8)]
    first = EmulatorDevice(CONFIG, memory_bytes=MEMORY_BYTES).run(program, inputs)
    second = EmulatorDevice(CONFIG, memory_bytes=MEMORY_BYTES).run(program, inputs)
    assert (first.outputs["after"] == second.outputs["after"]).all()
    assert first.counters == second.counters


def test_a_tensor_outside_host_memory_cannot_be_read():
    with pytest.raises(ValueError, match="^tensor 'p' is not in host memory$"):
        read_tensor(EmulatorDevice(CONFIG), Tensor(name="p", shape=(1,)))


def test_repr_is_one_line_with_configuration_memory_and_state():
    device = EmulatorDevice("tiny", memory_bytes=1 << 20)
    assert repr(device) == \
        "<EmulatorDevice: configuration 'tiny', 1,048,576 bytes of host memory, open>"
    device.close()
    assert repr(device) == \
        "<EmulatorDevice: configuration 'tiny', 1,048,576 bytes of host memory, closed>"


def test_a_closed_device_rejects_every_call():
    with EmulatorDevice(CONFIG) as device:
        assert not device.closed
    assert device.closed
    device.close()
    check_closed(device)
    for call in (lambda: device.fault(0, 1, "SLVERR", "read"), device.clear_faults):
        with pytest.raises(ClosedError, match="^this EmulatorDevice is closed; create another "
                                              "one$"):
            call()


def test_a_device_is_closed_after_an_exception():
    with pytest.raises(KeyError), EmulatorDevice(CONFIG) as device:
        raise KeyError
    assert device.closed
