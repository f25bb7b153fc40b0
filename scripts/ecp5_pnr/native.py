"""Compiler and runner of the two C++ programs, ``refine`` and ``route``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from watched import run_watched
from weft_host.device.rtl_build import find_compiler
from weft_host.errors import BuildError

__all__ = ["compile_programs", "run_program"]

_NATIVE = Path(__file__).parent / "native"
_SOURCES = {"refine": "refiner", "route": "router"}
# no fused multiply-add: machines with and without it compute the same placement
_FLAGS = ("-O2", "-std=c++17", "-ffp-contract=off", "-I", str(_NATIVE))
# exit statuses of native/common/exit_status.h
_FAILURES = {
    2: "cannot read its input",
    3: "cannot open nextpnr's device database, or cannot write its output",
    4: "does not find what it expects in nextpnr's device database (is it the pinned version?)",
}


def compile_programs(folder: Path, names: Sequence[str] = tuple(_SOURCES)) -> None:
    """Compile the programs into ``folder``; exit with a message if that is not possible."""
    try:
        compiler = find_compiler()
    except BuildError as error:
        sys.exit(f"ecp5_pnr needs a C++ compiler: {error}. To build without ecp5_pnr: PNR=nextpnr")
    for name in names:
        sources = sorted((_NATIVE / _SOURCES[name]).glob("*.cc"))
        done = subprocess.run(
            [compiler, *_FLAGS, "-o", str(folder / name), *map(str, sources)],
            capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{compiler} cannot compile {_NATIVE / _SOURCES[name]}: "
                     f"{done.stderr.strip()}")


def run_program(name: str, arguments: Sequence[str], folder: Path, log: str, title: str,
                problem: Path) -> list[str]:
    """Run a compiled program in ``folder``; exit with a message if it fails.

    Parameters
    ----------
    name : :class:`str`
        ``refine`` or ``route``.
    arguments : sequence of :class:`str`
        Arguments of the program.
    folder : :class:`pathlib.Path`
        Folder of the program, and its working directory.
    log : :class:`str`
        File in ``folder`` for the output of the program.
    title : :class:`str`
        Name of the step in progress messages.
    problem : :class:`pathlib.Path`
        Input file that the message about a failure names.

    Returns
    -------
    list of :class:`str`
        Lines of the log.
    """
    status, _ = run_watched([str(folder / name), *arguments], folder, log, title)
    if status:
        sys.exit(f"{name} {_FAILURES.get(status, 'failed')} (status {status}); its input is "
                 f"{problem}, its log {folder / log}")
    return (folder / log).read_text().splitlines()
