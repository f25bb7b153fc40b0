"""Runner of tools that take minutes, with progress messages."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import time
from collections.abc import Sequence

from fpga_flow import BIN, progress

__all__ = ["run_watched"]

_PERIOD = 15            # seconds between lines where the output is no terminal
_SHOWN = 60             # characters of the tool's last line


def run_watched(command: Sequence[str], folder: pathlib.Path, log: str,
                title: str) -> tuple[int, float]:
    """Run a tool and print its progress to standard error.

    Parameters
    ----------
    command : sequence of :class:`str`
        The tool, in the folder of the Python interpreter or with a path, and its arguments.
    folder : :class:`pathlib.Path`
        Working directory. YoWASP's tools can access only files below it.
    log : :class:`str`
        File in ``folder`` for the output of the tool.
    title : :class:`str`
        Name of the step in the messages.

    Returns
    -------
    (:class:`int`, :class:`float`)
        Exit status, and duration in seconds.
    """
    tool = BIN / command[0]
    if not tool.exists():
        sys.exit(f"{command[0]} is missing from {BIN}; run make setup, which installs it")
    progress(f"{title}: {command[0]}, log in {folder / log}")
    begin = shown = time.monotonic()
    is_terminal = sys.stderr.isatty()
    with open(folder / log, "w") as output:
        process = subprocess.Popen([tool, *command[1:]], cwd=folder, stdout=output,
                                   stderr=subprocess.STDOUT)
        try:
            while process.poll() is None:
                time.sleep(0.5)
                now = time.monotonic()
                if now - shown < (1 if is_terminal else _PERIOD):
                    continue
                shown = now
                text = f"  {now - begin:4.0f} s  {_last_line(folder / log)[:_SHOWN]}"
                end = "" if is_terminal else "\n"
                start = "\r\033[K" if is_terminal else ""
                print(start + text, end=end, file=sys.stderr, flush=True)
        except BaseException:
            process.kill()              # a build that is stopped leaves no tool running
            process.wait()
            raise
    if is_terminal:
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    seconds = time.monotonic() - begin
    progress(f"{title}: {seconds:.0f} s")
    return process.returncode, seconds


def _last_line(path: pathlib.Path) -> str:
    """Return the last complete line of a log."""
    with open(path, "rb") as log:
        log.seek(0, 2)
        log.seek(max(0, log.tell() - 2000))
        lines = log.read().decode(errors="replace").splitlines()
    return next((line.strip() for line in reversed(lines[:-1]) if line.strip()), "")
