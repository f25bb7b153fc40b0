"""Boards at a pseudo-terminal, which behaves like a serial port.

An emulated board consists of models of link and accelerator. The RTL of link and accelerator takes
much longer, so it is tested in `make soak` only. Digits always run on two complete board tops, one
with an SDRAM and that of the iCEBreaker.
"""

import json
import os
import random

import numpy as np
import pytest

from support.link_sim import PseudoTerminal
from support.seeds import seed
from support.serial_boards import (
    BAUD,
    CONFIG,
    DIGITS,
    ICEBREAKER,
    MEMORY_BYTES,
    Noise,
    check_logits,
    make_board,
)
from weft.spec.presets import preset
from weft_host import compile
from weft_host.cli import main
from weft_host.device import SerialDevice
from weft_host.errors import DeviceTimeout, ProgramError, RegisterError
from weft_host.selftest import selftest

SEED = seed(1)
COUNT = int(os.environ.get("WEFT_LINK_IMAGES", "1"))
BOARDS = ("emulated", "rtl") if os.environ.get("WEFT_SOAK") else ("emulated",)


@pytest.fixture(scope="module")
def noise():
    return Noise(f"noise {SEED}")


@pytest.fixture(scope="module", params=BOARDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def port(kind, noise):
    simulation = make_board(kind)
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


def test_the_board_reports_its_configuration(device, kind):
    assert device.config is CONFIG
    assert device.info.board == kind
    assert (device.memory_base, device.memory_bytes) == (0, MEMORY_BYTES)


def test_digits_are_bit_exact(device, program, stored):
    for index in range(COUNT):
        check_logits(device, program, stored, index)
    assert device.link.again == 0


@pytest.mark.parametrize("top, config", [
    ("sdram", CONFIG), ("icebreaker", ICEBREAKER.simulation_config)])
def test_digits_are_bit_exact_on_the_rtl_of_boards(top, config, stored):
    simulation = make_board(top)
    program = compile(DIGITS / "digits.tflite", config)
    with PseudoTerminal(simulation) as terminal, SerialDevice(terminal.port, baud=BAUD) as device:
        assert device.info.board == top
        cycles = {check_logits(device, program, stored, index).cycles for index in range(COUNT)}
        assert len(cycles) == 1 and cycles.pop() > 1000
        assert simulation.broken == 0


def test_noise_on_the_line_corrupts_no_data(device, program, stored, noise):
    noise.rate = 1 / 2500
    try:
        draw = random.Random(SEED)
        for _ in range(2):
            data, start = draw.randbytes(1500), draw.randrange(0x10000, 0x18000)
            device.write_memory(start, data)
            assert device.read_memory(start, len(data)) == data, f"seed {SEED}"
        while not device.link.again:
            check_logits(device, program, stored, 0)
        check_logits(device, program, stored, 1)
    finally:
        noise.rate = 0.0
    assert noise.wrong and device.link.again, f"seed {SEED}"


def test_errors_and_limits_are_those_of_other_devices(device, kind, program, stored):
    with pytest.raises(RegisterError, match="^the device rejected the write of 0x1 to STATUS$"):
        device.write_register("STATUS", 1)
    if kind == "rtl":       # the emulator finishes at once
        with pytest.raises(DeviceTimeout, match=r"^the program is not done after \d+ cycles"):
            device.run(program, [stored["images"][:1]], limit=0)
    with pytest.raises(ValueError, match=(
            "^bytes 0x1ffff to 0x20000 are outside the device's memory, 0x0 to 0x1ffff$")):
        device.write_memory(MEMORY_BYTES - 1, b"ab")
    check_logits(device, program, stored, 0)


def test_a_board_of_another_configuration_is_rejected(port):
    with pytest.raises(ProgramError, match=r"^the board is 'tiny' \(.*\), not 'small' \("):
        SerialDevice(port, preset("small"), baud=BAUD)
    with pytest.raises(ProgramError, match=(
            "^1048576 bytes of host memory were requested; the board has 131072$")):
        SerialDevice(port, memory_bytes=1 << 20, baud=BAUD)
    # the port was closed each time
    SerialDevice(port, baud=BAUD).close()


def call(capsys, *arguments):
    """Return exit status, standard output and standard error of a command."""
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return stop.value.code, out, err


def test_weft_run_uses_a_port(port, stored, capsys, tmp_path):
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
     "Invalid value for --latency: the option is for simulated hardware; a board has its own "
     "memory"),
    (["--on", "/dev/ptmx", "--preset", "tiny", "--bandwidth", "0.5"],
     "Invalid value for --bandwidth: the option is for simulated hardware; a board has its own "
     "memory"),
])
def test_options_that_do_not_apply_to_ports_are_rejected(capsys, option, message):
    status, out, err = call(capsys, "selftest", *option)
    assert status == 2 and not out and message in err


def test_weft_selftest_uses_a_port(port, capsys):
    status, out, err = call(capsys, "selftest", "--json", "--on", f"{port}@{BAUD}")
    facts = json.loads(out)
    assert status == 0 and facts["failed"] == 0, facts
    assert "host link" in [check["name"] for check in facts["checks"]]


def test_selftest_detects_a_noisy_line(device, noise):
    noise.rate = 1 / 1500
    try:
        outcome = selftest(device, SEED, names=["host link"])[0]
    finally:
        noise.rate = 0.0
    assert not outcome.passed and "frames had to be sent again" in outcome.detail, outcome
