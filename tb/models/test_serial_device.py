"""Boards behind a pseudo-terminal: what holds at a real port holds here.

One is made of the models of link and accelerator. One is the RTL of a board; it takes long, so that
all of this runs on it in `make soak` only. Every run has digits on two whole board tops: one with
an SDRAM, and the iCEBreaker's.
"""

import dataclasses
import json
import os
import random
from pathlib import Path

import numpy as np
import pytest

from boards import board as board_named
from boards._top import BoardTop
from support.link_board import LinkBoard
from support.link_emulator import EmulatedBoard
from support.link_sim import LinkSimulation, PseudoTerminal
from weft.memory.sdram_chip import MT48LC16M16
from weft.presets import preset
from weft_host import compile
from weft_host.cli import main
from weft_host.device import SerialDevice
from weft_host.errors import DeviceTimeout, LinkError, ProgramError, RegisterError
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
    with pytest.raises(ProgramError, match=r"^the board is preset 'tiny' \(.*\), not 'small' \("):
        SerialDevice(port, preset("small"), baud=BAUD)
    with pytest.raises(ProgramError, match=r"^1048576 bytes of host memory are asked for"):
        SerialDevice(port, memory_bytes=1 << 20, baud=BAUD)
    # the port was given back each time
    SerialDevice(port, baud=BAUD).close()


def test_a_port_that_is_in_use_is_told(device, port):
    with pytest.raises(LinkError, match=r"^cannot open .*weft doctor"):
        SerialDevice(port, baud=BAUD)


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
    assert status == 2 and "the board is preset 'tiny'" in err


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
