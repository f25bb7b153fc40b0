"""Progress of long work: what a terminal and a file show, and when."""

import io
import time

import pytest

from weft_host import compile
from weft_host.cli import output
from weft_host.compiler import check
from weft_host.perf.cycle_model import predict
from weft_host.progress import ProgressLine

DIGITS = "examples/digits/digits.tflite"


class Watch:
    """Clock that a test sets."""

    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def watch(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    return Watch()


def display(watch, terminal):
    stream = io.StringIO()
    return ProgressLine(stream, clock=watch, terminal=terminal), stream


def at(watch, seconds, action, *arguments):
    watch.now = 100.0 + seconds
    action(*arguments)


@pytest.mark.parametrize("terminal", [False, True])
def test_short_work_is_silent(watch, terminal):
    line, stream = display(watch, terminal)
    with line:
        line("one")
        at(watch, 1.9, line, "two")
        line.update()
    assert stream.getvalue() == ""


def test_a_stage_without_news_is_shown_after_two_seconds(watch):
    line, stream = display(watch, False)
    line("compiling C++")
    at(watch, 2.0, line.update)
    assert stream.getvalue() == "weft: compiling C++\n"


def test_a_file_gets_a_line_every_five_seconds(watch):
    line, stream = display(watch, False)
    for tenth in range(200):
        at(watch, tenth / 10, line, f"layer {tenth}")
    line.clear()
    assert stream.getvalue() == "".join(f"weft: layer {number}\n" for number in (20, 70, 120, 170))


def test_a_file_gets_the_same_line_again_after_a_minute(watch):
    line, stream = display(watch, False)
    line("waiting")
    for second in range(2, 70):
        at(watch, second, line.update)
    assert stream.getvalue() == "weft: waiting\n" * 2


def test_a_terminal_has_one_line_that_is_redrawn_and_removed(watch):
    line, stream = display(watch, True)
    at(watch, 3, line, "layer 1\nof 2")
    at(watch, 3.05, line, "too early")
    at(watch, 4, line, "layer 2 of 2")
    line.clear()
    line.clear()
    assert stream.getvalue() == ("\rweft: layer 1 of 2 (3 s)\x1b[K\rweft: layer 2 of 2 (4 s)\x1b[K"
                                 "\r\x1b[K")


def test_a_line_is_narrower_than_the_terminal(watch):
    line, stream = display(watch, True)
    at(watch, 125, line, "x" * 100)
    text = stream.getvalue().removeprefix("\r").removesuffix("\x1b[K")
    assert len(text) == 39 and text.endswith("xxx... (125 s)")


def test_an_interrupt_leaves_a_clean_line(watch):
    line, stream = display(watch, True)
    with pytest.raises(KeyboardInterrupt), line:
        at(watch, 5, line, "working")
        raise KeyboardInterrupt
    assert stream.getvalue().endswith("\r\x1b[K")


def test_a_closed_stream_does_not_end_the_work(watch):
    line, stream = display(watch, True)
    stream.close()
    at(watch, 5, line, "working")
    line.clear()


def test_the_line_is_kept_up_to_date_without_calls(monkeypatch):
    monkeypatch.setattr("weft_host.progress.QUIET", 0.05)
    monkeypatch.setattr("weft_host.progress.TICK", 0.01)
    stream = io.StringIO()
    with ProgressLine(stream, terminal=False) as line:
        line("a long stage")
        end = time.monotonic() + 10
        while not stream.getvalue() and time.monotonic() < end:
            time.sleep(0.01)
    assert stream.getvalue() == "weft: a long stage\n"


def test_messages_of_commands_are_printed_outside_of_work_only(capsys):
    output.progress("before")
    with output.working(), output.working():
        output.progress("during")
    output.progress("after")
    assert capsys.readouterr() == ("", "weft: before\nweft: after\n")


def test_the_compiler_and_the_cycle_model_report_their_stages():
    heard = []
    program = compile(DIGITS, "small", progress=heard.append)
    for stage in ("compiling: planning layer 7 of 7", "compiling: layer 7 of 7",
                  f"compiling: checking {program.instruction_count} instructions"):
        assert stage in heard
    heard.clear()
    check(DIGITS, "small", progress=heard.append)
    assert heard == [f"compiling: planning layer {number} of 7" for number in range(1, 8)]
    heard.clear()
    predict(program, progress=heard.append)
    assert heard == [f"predicting the cycles: instruction 1 of {program.instruction_count}"]
