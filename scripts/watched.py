"""Runs a tool that takes minutes, and shows that it still works."""

import subprocess
import sys
import time

from fpga_flow import BIN, progress

__all__ = ["run_watched"]

_EVERY = 15             # seconds between lines where the output is no terminal
_SHOWN = 60             # characters of the tool's own last line


def _last_line(path):
    """The last whole line that the tool wrote."""
    with open(path, "rb") as log:
        log.seek(0, 2)
        log.seek(max(0, log.tell() - 2000))
        lines = log.read().decode(errors="replace").splitlines()
    return next((line.strip() for line in reversed(lines[:-1]) if line.strip()), "")


def run_watched(command, folder, log, what):
    """Runs ``command`` in ``folder`` and says now and then how far it is.

    Yowasp's tools see only what is below the folder they start in. What the tool says goes to the
    file ``log`` there.

    Returns
    -------
    (:class:`int`, :class:`float`)
        Its exit status, and how many seconds it took.
    """
    tool = BIN / command[0]
    if not tool.exists():
        sys.exit(f"{command[0]} is missing from {BIN}; run make setup, which installs it")
    progress(f"{what}: {command[0]}, log in {folder / log}")
    begin = shown = time.monotonic()
    is_terminal = sys.stderr.isatty()
    with open(folder / log, "w") as output:
        process = subprocess.Popen([tool, *command[1:]], cwd=folder, stdout=output,
                                   stderr=subprocess.STDOUT)
        try:
            while process.poll() is None:
                time.sleep(0.5)
                now = time.monotonic()
                if now - shown < (1 if is_terminal else _EVERY):
                    continue
                shown = now
                text = f"  {now - begin:4.0f} s  {_last_line(folder / log)[:_SHOWN]}"
                end = "" if is_terminal else "\n"
                start = "\r\033[K" if is_terminal else ""
                print(start + text, end=end, file=sys.stderr, flush=True)
        except BaseException:
            process.kill()              # a stopped build leaves no tool behind
            process.wait()
            raise
    if is_terminal:
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    seconds = time.monotonic() - begin
    progress(f"{what}: {seconds:.0f} s")
    return process.returncode, seconds
