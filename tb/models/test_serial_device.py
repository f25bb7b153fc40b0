"""Boards behind a pseudo-terminal: what holds at a real port holds here.

One is made of the models of link and accelerator. One is the RTL of a board; it takes long, so that
all of this runs on it in `make soak` only. Every run has digits on two whole board tops: one with
an SDRAM, and the iCEBreaker's.
"""

import dataclasses
import errno
import json
import os
import random
import time
import tty
from pathlib import Path

import numpy as np
import pytest

from support.link_board import LinkBoard
from support.link_emulator import EmulatedBoard
from support.link_sim import LinkSimulation, PseudoTerminal
from weft.host_memory.sdram_chip import MT48LC16M16
from weft.spec import isa
from weft.spec.presets import preset
from weft_boards import board as board_named
from weft_boards._top import BoardTop
from weft_host import compile
from weft_host.cli import main
from weft_host.device import SerialDevice
from weft_host.device.serial import SerialLine
from weft_host.errors import DeviceTimeout, LinkError, ProgramError, RegisterError
from weft_host.program.file import Program
from weft_host.program.tensor import Window
from weft_host.register_words import pack
from weft_host.selftest import selftest

DIGITS = Path(__file__).resolve().parents[2] / "examples" / "digits"
SEED = int(os.environ.get("WEFT_SEED", "1"))
COUNT = int(os.environ.get("WEFT_LINK_IMAGES", "1"))
BOARDS = ("emulated", "rtl") if os.environ.get("WEFT_SOAK") else ("emulated",)
CONFIG = preset("tiny")
ICEBREAKER = board_named("icebreaker")
# four clocks a bit, and a clock about as slow as the simulator
CLOCK, BAUD = 24_000, 6_000
# an SDRAM for such a clock: REFRESH after as many cycles as at 50 MHz
SLOW_SDRAM = dataclasses.replace(MT48LC16M16, refresh=MT48LC16M16.refresh * 50e6 / CLOCK)


class Noise:
    """Passes bytes on; while ``rate`` is above 0, so many of them with a wrong bit."""

    def __init__(self, seed):
        self.draw = random.Random(seed)
        self.rate = 0.0
        self.wrong = 0

    def __call__(self, data, to_board):
        if not self.rate:
            return data
        data = bytearray(data)
        for at in range(len(data)):
            if self.draw.random() < self.rate:
                data[at] ^= 1 << self.draw.randrange(8)
                self.wrong += 1
        return bytes(data)


@pytest.fixture(scope="module")
def noise():
    return Noise(f"noise {SEED}")


def board(kind):
    """A board of a kind, to be put behind a terminal."""
    if kind == "emulated":
        return EmulatedBoard(CONFIG, memory_bytes=1 << 17, baud=1_000_000)
    if kind == "sdram":
        top = BoardTop(
            config=CONFIG, clock_hz=CLOCK, baud=BAUD, memory_bytes=1 << 17, name="sdram",
            storage="sdram_model", sdram=SLOW_SDRAM, timeout_us=80_000)
        return LinkSimulation(top, bit_cycles=CLOCK // BAUD)
    if kind == "icebreaker":
        top = BoardTop.of(ICEBREAKER, simulate=True, clock_hz=CLOCK, baud=BAUD, timeout_us=80_000)
        return LinkSimulation(top, bit_cycles=CLOCK // BAUD)
    # silence of 2048 cycles: longer than the simulation runs between two looks at the terminal
    top = LinkBoard(CONFIG, memory_bytes=1 << 17, clock_hz=CLOCK, baud=BAUD, timeout_us=80_000,
                    board="rtl")
    return LinkSimulation(top, bit_cycles=CLOCK // BAUD)


@pytest.fixture(scope="module", params=BOARDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def port(kind, noise):
    simulation = board(kind)
    with PseudoTerminal(simulation, noise) as terminal:
        yield terminal.port
        assert simulation.broken == 0


@pytest.fixture
def device(port):
    with SerialDevice(port, baud=BAUD) as device:
        yield device


@pytest.fixture(scope="module")
def stored():
    with np.load(DIGITS / "digits.npz") as file:
        return {key: file[key] for key in file.files}


@pytest.fixture(scope="module")
def program():
    return compile(DIGITS / "digits.tflite", CONFIG)


def logits(device, program, stored, index):
    """Runs an image, compares what comes back with the reference's logits."""
    result = device.run(program, [stored["images"][index:index + 1]])
    output, = result.outputs.values()
    assert np.array_equal(output.reshape(-1), stored["outputs"][index]), f"image {index}"
    return result


def test_the_board_tells_what_it_is(device, kind):
    assert device.config is CONFIG
    assert device.info.board == kind
    assert (device.memory_base, device.memory_bytes) == (0, 1 << 17)


def test_digits_come_back_bit_exact(device, program, stored):
    for index in range(COUNT):
        logits(device, program, stored, index)
    assert device.link.again == 0


@pytest.mark.parametrize("top, config", [
    ("sdram", CONFIG), ("icebreaker", ICEBREAKER.simulation_config)])
def test_digits_come_back_bit_exact_from_the_rtl(top, config, stored):
    simulation = board(top)
    program = compile(DIGITS / "digits.tflite", config)
    with PseudoTerminal(simulation) as terminal, SerialDevice(terminal.port, baud=BAUD) as device:
        assert device.info.board == top
        cycles = {logits(device, program, stored, index).cycles for index in range(COUNT)}
        assert len(cycles) == 1 and cycles.pop() > 1000
        assert simulation.broken == 0


def test_noise_costs_time_and_no_bits(device, program, stored, noise):
    noise.rate = 1 / 2500
    try:
        draw = random.Random(SEED)
        for _ in range(2):
            data, start = draw.randbytes(1500), draw.randrange(0x10000, 0x18000)
            device.write_memory(start, data)
            assert device.read_memory(start, len(data)) == data, f"seed {SEED}"
        while not device.link.again:
            logits(device, program, stored, 0)
        logits(device, program, stored, 1)
    finally:
        noise.rate = 0.0
    assert noise.wrong and device.link.again, f"seed {SEED}"


def test_refusals_and_limits_are_the_devices(device, kind, program, stored):
    with pytest.raises(RegisterError, match=r"^the device refused to write 0x1 to STATUS$"):
        device.write_register("STATUS", 1)
    if kind == "rtl":       # the emulator is done at once
        with pytest.raises(DeviceTimeout, match=r"^the program is not done after \d+ cycles"):
            device.run(program, [stored["images"][:1]], limit=0)
    with pytest.raises(ValueError, match=r"lie outside the device's memory, 0x0 to 0x1ffff$"):
        device.write_memory((1 << 17) - 1, b"ab")
    logits(device, program, stored, 0)


def test_a_board_of_another_configuration_is_refused(port):
    with pytest.raises(ProgramError, match=r"^the board is 'tiny' \(.*\), not 'small' \("):
        SerialDevice(port, preset("small"), baud=BAUD)
    with pytest.raises(ProgramError, match=r"^1048576 bytes of host memory are asked for"):
        SerialDevice(port, memory_bytes=1 << 20, baud=BAUD)
    # the port was given back each time
    SerialDevice(port, baud=BAUD).close()


def test_a_port_that_is_in_use_is_told(device, port):
    """By pyserial's lock, and by that of a program which asked the system for the port alone."""
    serial = pytest.importorskip("serial")
    message = f"^cannot open {port}: another program uses it; close that first$"
    with pytest.raises(LinkError, match=message):
        SerialDevice(port, baud=BAUD)

    def busy(*_, **__):
        raise serial.SerialException(errno.EBUSY, "could not open port: Device or resource busy")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serial, "Serial", busy)
        with pytest.raises(LinkError, match=message):
            SerialDevice(port, baud=BAUD)


@pytest.mark.parametrize("port, baud, message", [
    ("/dev/nowhere", BAUD, "^cannot open /dev/nowhere: No such file or directory; weft doctor "),
    ("/dev/ptmx", 10 ** 12, "^cannot open /dev/ptmx: .*; weft doctor "),
])
def test_a_port_that_cannot_be_opened_is_told(port, baud, message):
    with pytest.raises(LinkError, match=message):
        SerialLine(port, baud)


def test_a_port_that_takes_no_bytes_is_told(monkeypatch):
    monkeypatch.setattr("weft_host.device.serial._WRITE", 0.1)
    master, slave = os.openpty()
    tty.setraw(slave)
    line = SerialLine(os.ttyname(slave), 10_000_000)
    with pytest.raises(LinkError, match="cannot be written to: Write timeout$"):
        line.write(bytes(1 << 17))
    line.close()
    os.close(master)
    os.close(slave)


@pytest.fixture
def behind():
    """An emulated board of its own, and the device for it."""
    emulated = board("emulated")
    with PseudoTerminal(emulated) as terminal, SerialDevice(terminal.port, baud=BAUD) as device:
        yield emulated, device


def impatient(monkeypatch):
    monkeypatch.setattr("weft_host.device.serial._STUCK", 0.4)
    monkeypatch.setattr("weft_host.device.serial._LOOK", 0.05)


def test_a_program_that_never_goes_on_ends_in_a_timeout(behind, monkeypatch):
    impatient(monkeypatch)
    _, device = behind
    store = 1 << isa.UNITS.index("STORE")
    program = Program(config=CONFIG, memory_bytes=4096, windows=(Window(0, 4096),),
                      instructions=isa.encode("SYNC_VECTOR", wait=store))
    with pytest.raises(DeviceTimeout, match=(
            r"^the device is stuck, BUSY for 0\.4 seconds without progress: STATUS 0x[0-9a-f]*1, "
            r"ERROR_CODE 0x0, PC 0x1, COUNTER_MAC_BUSY 0x0, .*; VECTOR waits for a token of "
            r"STORE$")):
        device.run(program, watchdog=0)


def test_a_state_that_does_not_end_is_told(behind, monkeypatch):
    impatient(monkeypatch)
    emulated, device = behind
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
def test_a_long_program_is_waited_for(behind, monkeypatch, moves):
    """It takes three times as long as a device may be without progress."""
    impatient(monkeypatch)
    emulated, device = behind
    read, end = emulated.emulator.read_register, time.monotonic() + 1.2

    def register(name):
        if name == "STATUS" and time.monotonic() < end:
            return pack("STATUS", BUSY=1)
        return int(1000 * time.monotonic()) if name == moves else read(name)

    emulated.emulator.read_register = register
    device.wait()
    assert time.monotonic() >= end


@pytest.mark.parametrize("lost", [
    {"registers": False},       # told by the count of requests
    {"last": None},             # told by the registers
])
def test_a_board_that_was_reset_is_loaded_anew(behind, program, stored, lost):
    emulated, device = behind
    logits(device, program, stored, 0)
    if "last" in lost:
        emulated.reset(last=device.link._last)
    else:
        emulated.reset(**lost)
        with pytest.raises(LinkError, match="^the board has lost count of the requests: it was"):
            logits(device, program, stored, 0)
    logits(device, program, stored, 1)


def test_memory_that_the_board_cannot_reach_is_told():
    emulated = board("emulated")
    emulated._link.info = dataclasses.replace(emulated._link.info, memory_base=0xFFFE0000)
    config = preset("tiny", addr_width=24)
    emulated.emulator.registers = type(emulated.emulator.registers)(config)
    with PseudoTerminal(emulated) as terminal:
        with pytest.raises(LinkError, match="^the board tells of 131072 bytes of host memory from "
                                            "0xfffe0000 on, which its 24 address bits do not"):
            SerialDevice(terminal.port, config, baud=BAUD)


def call(capsys, *arguments):
    """Exit status, standard output and standard error of a command."""
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return stop.value.code, out, err


def test_weft_run_on_a_port(port, stored, capsys, tmp_path):
    np.savez(tmp_path / "x.npz", in0=stored["images"][:1])
    status, out, err = call(capsys, "run", DIGITS / "digits.tflite", "--input",
                            tmp_path / "x.npz", "--output", tmp_path / "y.npz", "--json",
                            "--on", f"{port}@{BAUD}")
    assert status == 0, err
    facts = json.loads(out)
    assert facts["preset"] == "tiny" and facts["on"] == f"{port}@{BAUD}"
    assert np.array_equal(np.load(tmp_path / "y.npz")["out0"].reshape(-1), stored["outputs"][0])
    status, _, err = call(capsys, "run", DIGITS / "digits.tflite", "--input", tmp_path / "x.npz",
                          "--on", f"{port}@{BAUD}", "--preset", "small")
    assert status == 2 and "the board is 'tiny'" in err


@pytest.mark.parametrize("option, message", [
    (["--on", "/dev/ptmx@1000000000000"],
     "'1000000000000' is not a baud rate from 1 to 100000000"),
    (["--on", "/dev/ptmx@100000001"], "'100000001' is not a baud rate from 1 to 100000000"),
    (["--on", "/dev/ptmx@" + "1" * 5000], "is not a baud rate from 1 to 100000000"),
    (["--on", "/dev/ptmx", "--latency", "20"],
     "Invalid value for --latency: it is for simulated hardware; a board has memory of its own"),
    (["--on", "/dev/ptmx", "--preset", "tiny", "--bandwidth", "0.5"],
     "Invalid value for --bandwidth: it is for simulated hardware; a board has memory of its own"),
])
def test_options_that_no_port_can_have_are_refused(capsys, option, message):
    status, out, err = call(capsys, "selftest", *option)
    assert status == 2 and not out and message in err


def test_weft_selftest_on_a_port(port, capsys):
    status, out, err = call(capsys, "selftest", "--json", "--on", f"{port}@{BAUD}")
    facts = json.loads(out)
    assert status == 0 and facts["failed"] == 0, facts
    assert "host link" in [check["name"] for check in facts["checks"]]


def test_selftest_tells_a_bad_line(device, noise):
    noise.rate = 1 / 1500
    try:
        outcome = selftest(device, SEED, names=["host link"])[0]
    finally:
        noise.rate = 0.0
    assert not outcome.passed and "frames had to be sent again" in outcome.detail, outcome
