"""Errors of boards and of serial ports, with an emulated board at a pseudo-terminal."""

import dataclasses
import errno
import os
import time
import tty

import numpy as np
import pytest

from support.closed_device import check_closed
from support.link_sim import PseudoTerminal
from support.serial_boards import BAUD, CONFIG, DIGITS, check_logits, make_board
from weft.spec import isa
from weft.spec.presets import preset
from weft_host import compile
from weft_host.device import SerialDevice
from weft_host.device.serial import SerialLine
from weft_host.errors import DeviceTimeout, LinkError
from weft_host.program.file import Program
from weft_host.program.tensor import Window
from weft_host.register_words import pack


@pytest.fixture(scope="module")
def stored():
    with np.load(DIGITS / "digits.npz") as file:
        return {key: file[key] for key in file.files}


@pytest.fixture(scope="module")
def program():
    return compile(DIGITS / "digits.tflite", CONFIG)


@pytest.fixture
def connected():
    """An emulated board, and the device at its port."""
    emulated = make_board("emulated")
    with PseudoTerminal(emulated) as terminal, SerialDevice(terminal.port, baud=BAUD) as device:
        yield emulated, device


def shorten_time_limits(monkeypatch):
    monkeypatch.setattr("weft_host.device.serial._STUCK", 0.4)
    monkeypatch.setattr("weft_host.device.serial._LOOK", 0.05)


def test_a_deadlocked_program_ends_with_a_timeout(connected, monkeypatch):
    shorten_time_limits(monkeypatch)
    _, device = connected
    store = 1 << isa.UNITS.index("STORE")
    program = Program(config=CONFIG, memory_bytes=4096, windows=(Window(0, 4096),),
                      instructions=isa.encode("SYNC_VECTOR", wait=store))
    with pytest.raises(DeviceTimeout, match=(
            r"^the device is stuck, BUSY for 0\.4 seconds without progress: STATUS 0x[0-9a-f]*1, "
            r"ERROR_CODE 0x0, PC 0x1, COUNTER_MAC_BUSY 0x0, .*; VECTOR waits for a token of "
            r"STORE$")):
        device.run(program, watchdog=0)


def test_a_state_that_does_not_end_is_reported(connected, monkeypatch):
    shorten_time_limits(monkeypatch)
    emulated, device = connected
    read = emulated.emulator.read_register
    for state, call in (("RESETTING", device.soft_reset), ("CLEARING", device.clear)):
        bit = pack("STATUS", **{state: 1})
        emulated.emulator.read_register = lambda name, bit=bit: read(name) | bit * (
            name == "STATUS")
        with pytest.raises(DeviceTimeout, match=rf"^the device is stuck, {state} for 0\.4 seconds "
                                                r"without progress: STATUS 0x"):
            call()


@pytest.mark.parametrize("moves", ["PC", "COUNTER_MAC_BUSY", "COUNTER_BYTES_READ",
                                   "COUNTER_BYTES_WRITTEN", "COUNTER_INSTRUCTIONS"])
def test_a_long_program_with_progress_is_not_a_timeout(connected, monkeypatch, moves):
    """The program takes three times as long as a device may be without progress."""
    shorten_time_limits(monkeypatch)
    emulated, device = connected
    read, end = emulated.emulator.read_register, time.monotonic() + 1.2

    def register(name):
        if name == "STATUS" and time.monotonic() < end:
            return pack("STATUS", BUSY=1)
        return int(1000 * time.monotonic()) if name == moves else read(name)

    emulated.emulator.read_register = register
    device.wait()
    assert time.monotonic() >= end


@pytest.mark.parametrize("lost", [
    {"registers": False},       # detected by the sequence number
    {"last": None},             # detected by the registers
])
def test_a_program_is_loaded_again_after_a_reset_of_the_board(connected, program, stored, lost):
    emulated, device = connected
    check_logits(device, program, stored, 0)
    if "last" in lost:
        emulated.reset(last=device.link._last)
    else:
        emulated.reset(**lost)
        with pytest.raises(LinkError, match=(
                "^the board's sequence number is wrong: the board was reset, or another program "
                "uses the line$")):
            check_logits(device, program, stored, 0)
    check_logits(device, program, stored, 1)


def test_memory_beyond_the_address_bits_is_reported():
    emulated = make_board("emulated")
    emulated._link.info = dataclasses.replace(emulated._link.info, memory_base=0xFFFE0000)
    config = preset("tiny", addr_width=24)
    emulated.emulator.registers = type(emulated.emulator.registers)(config)
    with PseudoTerminal(emulated) as terminal:
        with pytest.raises(LinkError, match=(
                "^the board reports 131072 bytes of host memory from address 0xfffe0000, which "
                "exceed its 24 address bits$")):
            SerialDevice(terminal.port, config, baud=BAUD)


def test_a_port_in_use_is_reported(connected):
    """The port is locked by pyserial, or by a program that opened it exclusively."""
    serial = pytest.importorskip("serial")
    port = connected[1].line.port
    message = f"^cannot open {port}: another program uses it; close that program first$"
    with pytest.raises(LinkError, match=message):
        SerialDevice(port, baud=BAUD)

    def busy(*_, **__):
        raise serial.SerialException(errno.EBUSY, "could not open port: Device or resource busy")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serial, "Serial", busy)
        with pytest.raises(LinkError, match=message):
            SerialDevice(port, baud=BAUD)


@pytest.mark.parametrize("port", [None, 3])
def test_a_value_that_is_not_a_port_is_rejected(port):
    with pytest.raises(TypeError, match="^port must be the name of a serial port, or a line with "
                                        f"the methods read and write, not {port}$"):
        SerialDevice(port)


@pytest.mark.parametrize("port, baud, message", [
    ("/dev/nowhere", BAUD, "^cannot open /dev/nowhere: No such file or directory; weft doctor "
     "lists ports and permissions$"),
    ("/dev/ptmx", 10 ** 12, "^cannot open /dev/ptmx: .*; weft doctor lists ports and permissions$"),
])
def test_a_port_that_cannot_be_opened_is_reported(port, baud, message):
    with pytest.raises(LinkError, match=message):
        SerialLine(port, baud)


def test_a_port_that_accepts_no_bytes_is_reported(monkeypatch):
    monkeypatch.setattr("weft_host.device.serial_line._WRITE", 0.1)
    master, slave = os.openpty()
    tty.setraw(slave)
    line = SerialLine(os.ttyname(slave), 10_000_000)
    with pytest.raises(LinkError, match="cannot be written to: Write timeout$"):
        line.write(bytes(1 << 17))
    line.close()
    os.close(master)
    os.close(slave)




def test_repr_names_the_port_and_the_state(connected):
    _, device = connected
    text = (f"<SerialDevice: {device.line.port} at 6,000 baud, configuration 'tiny', 131,072 bytes "
            "of host memory, ")
    assert repr(device) == text + "open>"
    device.close()
    assert repr(device) == text + "closed>"


def test_a_closed_device_rejects_every_call(connected):
    _, device = connected
    device.close()
    device.close()
    check_closed(device)
