"""Commands of the boards' pages, on emulated boards."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from support.link_emulator import EmulatedBoard
from support.link_sim import PseudoTerminal
from weft.spec.presets import preset
from weft_boards import board, board_names
from weft_host import compile
from weft_host.cli import main
from weft_host.device import SerialDevice
from weft_host.errors import ProgramError
from weft_host.selftest import selftest

ROOT = Path(__file__).resolve().parents[2]
DIGITS = ROOT / "examples" / "digits"
SELFTEST = ROOT / "docs" / "selftest_bytes.inc"


def page_commands(name):
    """Return the commands of a page that use a port, that is all but those of place and route."""
    page = (ROOT / "docs" / "boards" / f"{name}.md").read_text()
    block = re.search(r"## Commands\n.*?```sh\n(.*?)```", page, re.DOTALL)[1]
    return [shlex.split(line) for line in block.splitlines() if "--on" in line]


def emulated(chosen):
    """Return a pseudo-terminal with an emulated board."""
    return PseudoTerminal(EmulatedBoard(
        chosen.config, memory_bytes=chosen.memory_bytes, baud=chosen.baud, name=chosen.name))


def call(capsys, *arguments):
    """Run a command and return exit status, standard output and standard error."""
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return stop.value.code, out, err


@pytest.mark.parametrize("name", board_names())
def test_commands_of_the_page_succeed(name, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    verbs = []
    with emulated(board(name)) as terminal:
        for program, verb, *arguments in page_commands(name):
            assert program == ".venv/bin/weft"
            arguments = [re.sub(r"^/dev/tty\w+", terminal.port, word) for word in arguments]
            status, out, err = call(capsys, verb, *arguments)
            assert status == 0, f"{verb}: {out}{err}"
            verbs.append(verb)
    assert verbs == ["selftest", "run"]


def test_a_program_file_contains_its_configuration(capsys, tmp_path):
    chosen = board("ulx3s_25f")
    program = tmp_path / "digits.weft"
    program.write_bytes(compile(DIGITS / "digits.tflite", chosen.config).to_bytes())
    arguments = ("run", program, "--input", DIGITS / "digits.npz")
    with emulated(chosen) as terminal:
        assert call(capsys, *arguments, "--on", terminal.port)[0] == 0
        status, _, err = call(capsys, *arguments, "--on", terminal.port, "--preset", "small")
    assert status == 2
    assert f"{program} is compiled for {chosen.config.name}, not for small; leave out" in err
    assert call(capsys, *arguments, "--preset", "tiny", "--set", "rows=8")[0] == 2
    assert call(capsys, *arguments)[0] == 0


def test_rejects_a_board_with_an_unknown_configuration(monkeypatch):
    config = preset("tiny", rows=8)
    unknown = EmulatedBoard(config, memory_bytes=1 << 16, baud=1_000_000, name="mine")
    message = (rf"^the board 'mine' has a configuration \({config.fingerprint:08x}\) that is "
               "neither a preset nor that of a board file; specify it with --preset and --set")
    with PseudoTerminal(unknown) as terminal:
        with pytest.raises(ProgramError, match=f"{message}$"):
            SerialDevice(terminal.port)
        monkeypatch.setattr("weft_boards.board_names", lambda: ["half_done", "icebreaker"])
        with pytest.raises(ProgramError, match=(
                rf"{message}; boards/weft_boards/half_done\.py: "
                "ModuleNotFoundError: No module named ")):
            SerialDevice(terminal.port)
        assert SerialDevice(terminal.port, config).config is config


def test_boards_are_found_outside_of_the_source_tree():
    """A command finds the boards although Python's path does not contain the source tree."""
    code = ("from weft_host.configuration import find_config\n"
            f"print(find_config({board('colorlight_5a75b').config.fingerprint})[0].rows)")
    done = subprocess.run([sys.executable, "-c", code], cwd="/", capture_output=True, text=True,
                          check=True)
    assert done.stdout == "8\n"


class CountedLine:
    """Line to an emulated board that counts bytes."""

    def __init__(self, link):
        self.link, self.pending, self.sent, self.received = link, b"", 0, 0

    def write(self, data):
        self.sent += len(data)
        self.pending += self.link.feed(data)

    def read(self, seconds):
        data, self.pending = self.pending, b""
        self.received += len(data)
        return data


def test_self_tests_transfer_the_documented_bytes():
    same = {}
    for name in board_names():
        chosen = board(name)
        same.setdefault((chosen.config.fingerprint, chosen.memory_bytes), []).append(name)
    rows = ["| board | host memory | to the board | from it | requests | seconds |",
            "|" + "---|" * 6]
    for (_, memory_bytes), names in same.items():
        chosen = board(names[0])
        line = CountedLine(EmulatedBoard(chosen.config, memory_bytes=memory_bytes,
                                     baud=chosen.baud)._link)
        device = SerialDevice(line, chosen.config)
        assert all(outcome.passed for outcome in selftest(device))
        # upper bound: the two directions never transfer at the same time
        seconds = 10 * (line.sent + line.received) / chosen.baud
        rows.append(f"| {', '.join(f'`{name}`' for name in names)} | {memory_bytes // 1024} KiB | "
                    f"{line.sent:,} | {line.received:,} | {device.link.sent:,} | {seconds:.0f} |")
    text = "\n".join(rows) + "\n"
    if os.environ.get("WEFT_UPDATE"):
        SELFTEST.write_text(text)
    assert SELFTEST.read_text() == text, (
        f"{SELFTEST.name} is out of date: run WEFT_UPDATE=1 pytest tb/models/test_board_pages.py "
        "-k bytes")
