"""Tables: every digit and every name is shown, at any width and in pipes."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

import pytest

from weft_host.cli.tables import render

COLUMNS = ("network", "cycles", "tensor", "reason")
NAMES = ["a", "network_" + 50 * "x", "conv[relu]", "[bold]x[/bold]", "[/]", ":warning:",
         "2D 卷积", "model/" + 12 * "layer_7/" + "MatMul;BiasAdd"]
REASON = "the kernel has 17 rows and 21 columns, and the scratchpad is smaller than 1,234,567 bytes"
ROWS = [(name, f"{12345678901234567890 + number:,}", f"t[{number}]{name}", REASON)
        for number, name in enumerate(NAMES)]


@pytest.mark.parametrize("width", [1, 40, 80, 200, 1000, None])
def test_shows_every_name_and_number_in_one_piece(width):
    lines = render(COLUMNS, ROWS, width, wraps=("reason",), numbers=("cycles",))
    found = [line for line in lines if "12,345,678,901,234,567,8" in line]
    assert len(found) == len(ROWS)
    for row, line in zip(ROWS, found):
        for cell in row[:3]:
            assert cell in line
        assert line.startswith(f"{row[0]} ") and "…" not in line
    assert " ".join("\n".join(lines).split()).count("1,234,567 bytes") == len(ROWS)


def test_wraps_only_sentences_and_between_words():
    row = ("digits", "123,456", "x", REASON)
    short = render(COLUMNS, [row], 60, wraps=("reason",))
    assert len(short) > 4 and all(len(line) <= 60 for line in short)
    words = " ".join(line[25:] for line in short[2:]).split()
    assert words == REASON.split()
    assert len(render(COLUMNS, [row], None, wraps=("reason",))) == 3
    assert len(render(COLUMNS, [row], 60)) == 3


@pytest.mark.parametrize("width", [1, 40, 80, 88, 200, None])
def test_heads_and_cells_of_several_words_are_complete(width):
    columns = ("model", "cases", "tensors compared", "arrays not compared", "reason why")
    row = ("net with spaces", "1 (+3 left out)", "1,234", "2", REASON)
    lines = render(columns, [row], width, wraps=("reason why",), numbers=columns[1:4])
    rule = next(number for number, line in enumerate(lines) if line.startswith("──"))
    head = " ".join(lines[:rule]).split()
    assert sorted(head) == sorted(" ".join(columns).split())
    assert lines[rule + 1].split()[:9] == " ".join(row).split()[:9]
    assert " ".join(" ".join(lines[rule + 1:]).split()).count("1,234,567 bytes") == 1
    if width is not None:
        assert max(map(len, lines)) <= max(width, 78)


def test_numbers_are_aligned_on_the_right():
    assert render(("a", "b"), [("x", 5), ("yy", 1234)], None, numbers=("b",)) == [
        "a      b", "────────", "x      5", "yy  1234"]


def test_a_name_with_control_characters_stays_on_its_line():
    line, = render(("name", "n"), [("a\nb\x1b[2J\tc", 1)], 80)[2:]
    assert line == r"a\nb\x1b[2J\tc  1"


def test_a_table_without_rows_has_a_head():
    assert render(("a", "b"), [], 40) == ["a  b", "────"]


TABLE = """
from weft_host.cli.tables import print_table
print_table(("name", "n", "why"), [("n" * 70, "1,234,567,890", "some words " * 12)],
            title="[bold]title of " + "t" * 90, wraps=("why",))
"""


def in_terminal(columns):
    """Return the output of a table in a terminal with this number of columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen([sys.executable, "-c", TABLE], stdout=theirs, stdin=theirs,
                          env={key: value for key, value in os.environ.items()
                               if key not in ("COLUMNS", "LINES")}) as process:
        os.close(theirs)
        out = b""
        try:
            while part := os.read(ours, 65536):
                out += part
        except OSError:         # the end of a terminal's output
            pass
    assert process.returncode == 0
    os.close(ours)
    return out.decode().splitlines()


@pytest.mark.parametrize("columns, lines", [(40, 9), (200, 5)])
def test_a_terminal_wraps_sentences(columns, lines):
    out = in_terminal(columns)
    assert out[0] == "[bold]title of " + 90 * "t"
    assert sum(70 * "n" + "  1,234,567,890  some words" in line for line in out) == 1
    assert " ".join(out).count("some") == 12 and len(out) == lines


def test_a_pipe_has_whole_lines():
    variables = {"COLUMNS": "40", "FORCE_COLOR": "1", "TERM": "dumb"}
    done = subprocess.run([sys.executable, "-c", TABLE], capture_output=True, text=True,
                          env={**os.environ, **variables}, check=True)
    out = done.stdout.splitlines()
    assert len(out) == 4 and "\x1b" not in done.stdout
    assert out[3] == 70 * "n" + "  1,234,567,890  " + ("some words " * 12).rstrip()


def test_a_pipe_without_unicode_has_a_plain_rule():
    done = subprocess.run([sys.executable, "-c", TABLE], capture_output=True, text=True,
                          env={**os.environ, "PYTHONIOENCODING": "ascii"}, check=True)
    assert done.stdout.splitlines()[2].startswith("---")
