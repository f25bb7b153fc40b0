"""Progress of long work on standard error: one line that is redrawn, or a few plain lines.

Functions that take long have a parameter ``progress``, a callable that receives a sentence for each
stage; without it, they are silent. :class:`ProgressLine` is such a callable.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
import types
from collections.abc import Callable
from typing import Self, TextIO, TypeAlias

__all__ = ["Progress", "ProgressLine", "silent"]

Progress: TypeAlias = Callable[[str], object]
"""Callable that receives a sentence for each stage of long work."""

QUIET = 2.0         # seconds of work that is not reported
REDRAW = 0.1        # seconds between two states of the line on a terminal
LINES = 5.0         # seconds between two lines in a pipe or a file
LONGEST = 60.0      # seconds after which a line is repeated in a pipe or a file
TICK = 0.5          # seconds between two looks at the clock while a stage lasts


def silent(text: str) -> None:
    """Report nothing."""


class ProgressLine:
    """Display of the current stage of long work.

    Nothing is written in the first two seconds. On a terminal, one line then shows the stage and
    the time since the beginning; it is redrawn at most ten times a second, and removed at the end,
    after an exception, too. In a pipe or a file, the stage is a line of its own: at most one in
    five seconds, and the same one again only after a minute.

    It is a context manager: a thread keeps the display up to date inside of the ``with`` block.

    Parameters
    ----------
    stream : file, optional
        Stream to write to; standard error by default.
    clock : callable
        Returns the time in seconds.
    terminal : :class:`bool`, optional
        True if the stream is a terminal that can redraw a line; determined by default.
    """

    def __init__(self, stream: TextIO | None = None, *,
                 clock: Callable[[], float] = time.monotonic,
                 terminal: bool | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._terminal = _is_terminal(self._stream) if terminal is None else terminal
        self._lock = threading.Lock()
        self._begin = clock()
        self._text = ""
        self._shown: tuple[str, float] | None = None        # last output and its time
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def __call__(self, text: str) -> None:
        """Set the current stage."""
        with self._lock:
            self._text = " ".join(text.split())
        self.update()

    def update(self) -> None:
        """Write the current stage if it is time to do so."""
        with self._lock:
            now = self._clock()
            passed = now - self._begin
            if self._text and passed >= QUIET and self._is_due(now):
                self._write(passed)
                self._shown = self._text, now

    def _is_due(self, now: float) -> bool:
        if self._shown is None:
            return True
        text, before = self._shown
        if self._terminal:
            return now - before >= REDRAW
        return now - before >= (LINES if text != self._text else LONGEST)

    def _write(self, passed: float) -> None:
        if not self._terminal:
            self._put(f"weft: {self._text}\n")
            return
        end = f" ({passed:.0f} s)"
        # a line that fills the last column of a terminal would wrap
        width = shutil.get_terminal_size().columns - 1 - len(end)
        text = f"weft: {self._text}"
        if len(text) > width:
            text = text[:max(0, width - 3)] + "..."
        self._put(f"\r{text}{end}\x1b[K")

    def _put(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):       # a closed stream does not end the work
            pass

    def clear(self) -> None:
        """Remove the line from the terminal, so that other output can follow."""
        with self._lock:
            if self._terminal and self._shown is not None:
                self._put("\r\x1b[K")
            self._shown = None if self._terminal else self._shown

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)
        self._thread.start()
        return self

    def _run(self) -> None:
        while not self._ended.wait(TICK):
            self.update()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: types.TracebackType | None) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        self.clear()


def _is_terminal(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM") != "dumb"
