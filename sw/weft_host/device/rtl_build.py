"""Build of simulators as shared libraries: Amaranth, CXXRTL, the C++ compiler, and a cache."""

import contextlib
import hashlib
import importlib.metadata
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from typing import Any

import weft
from weft.spec.config import Config

from ..atomic_file import write_atomically
from ..errors import BuildError
from ..progress import Progress
from .cache_lock import locked
from .cxxrtl import drop_aliases, gather_registers, plain_integers, sort_updates, split

__all__ = ["build", "build_accelerator", "cache_directory", "find_compiler", "print_progress",
           "tie_reset_low"]

_HERE = pathlib.Path(__file__).parent
_DRIVER = ("cxxrtl_driver.cc", "axi_memory.h", "axi_rules.h", "events.h", "stalls.h",
           *sorted(f"cxxrtl/{path.name}" for path in (_HERE / "cxxrtl").glob("*.py")))
# a flattened and cleaned design has no false loops but for those of its aliases, so that one
# evaluation per cycle is enough
_PREPARE = "proc; flatten; opt_expr; opt_clean"
_FLAGS = ("-O3", "-march=native", "-fno-semantic-interposition", "-std=c++17", "-fPIC", "-shared",
          "-w")
_LOG_LINES = 20     # of the compiler's log, in the message about a failure


def print_progress(message: str) -> None:
    """Print a message about a long step to standard error."""
    print(f"weft: {message}", file=sys.stderr, flush=True)


def cache_directory() -> pathlib.Path:
    """Return the default directory of simulators.

    It is ``$WEFT_CACHE`` if that is set, else ``build/rtl`` in a source tree, else
    ``~/.cache/weft/rtl``.

    Raises
    ------
    BuildError
        If the user has no home folder.
    """
    chosen = os.environ.get("WEFT_CACHE")
    if chosen:
        return pathlib.Path(chosen)
    tree = _HERE.parents[2]
    if (tree / "pyproject.toml").exists():
        return tree / "build" / "rtl"
    try:
        return pathlib.Path.home() / ".cache" / "weft" / "rtl"
    except RuntimeError as error:
        raise BuildError("there is no home folder for the cache of simulators; set WEFT_CACHE to "
                         "a folder for it") from error


@contextlib.contextmanager
def _reported(directory: pathlib.Path) -> Iterator[None]:
    """Raise an error of the file system as one that names the cache and its variable."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        if isinstance(error, (FileExistsError, NotADirectoryError)):
            reason = "it is not a folder"
        raise BuildError(f"the cache of simulators, {directory}, cannot be written: {reason}; free "
                         "space there, or set WEFT_CACHE to another folder") from error


def _digest(*parts: str | bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        part = part.encode() if isinstance(part, str) else part
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()[:24]


def find_compiler() -> str:
    """Return the path of the C++ compiler: ``$CXX``, or ``g++``.

    Raises
    ------
    BuildError
        If there is none.
    """
    name = os.environ.get("CXX", "g++")
    path = shutil.which(name)
    if path is None:
        raise BuildError(f"no C++ compiler: {name!r} is not on PATH; install g++ or clang++ "
                         "(Debian: apt install g++), or set CXX")
    return path


def _compiler() -> tuple[str, str]:
    """Return the path of the C++ compiler, and a text that changes with its version and target."""
    path = find_compiler()
    # the second command reports what -march=native means, in case machines share a cache; GCC wraps
    # the text to the width of the terminal, and translates it
    plain = {**os.environ, "COLUMNS": "80", "LC_ALL": "C"}
    answers = [subprocess.run([path, *options], capture_output=True, text=True, check=False,
                              env=plain).stdout
               for options in (["--version"], ["-march=native", "-Q", "--help=target"])]
    return path, "".join(answers)


def _yosys() -> Any:
    from amaranth._toolchain.yosys import YosysError, find_yosys
    try:
        return find_yosys(lambda version: version >= (0, 40))
    except YosysError as error:
        raise BuildError(f"no Yosys: {error}; install amaranth[builtin-yosys]") from error


def _headers(yosys: Any) -> pathlib.Path:
    """Return the directory of the CXXRTL headers that belong to this Yosys."""
    runtime = pathlib.Path(yosys.data_dir()) / "include" / "backends" / "cxxrtl" / "runtime"
    if not (runtime / "cxxrtl" / "cxxrtl.h").exists():
        raise BuildError(f"Yosys has no CXXRTL headers in {runtime}; install "
                         "amaranth[builtin-yosys]")
    return runtime


def build(rtlil: str, *, name: str = "weft", trace: bool = False, reset: int = 0,
          optimize: int | None = None, cache: str | os.PathLike[str] | None = None,
          progress: Progress = print_progress,
          driver: str | os.PathLike[str] | None = None) -> pathlib.Path:
    """Build the shared library that simulates a design, unless it is in the cache.

    Parameters
    ----------
    rtlil : :class:`str`
        The design. Its top ``name`` has the ports of :class:`weft.accelerator.Accelerator`.
    trace : :class:`bool`
        Keep the names of signals for waveforms. The simulator is slower.
    reset : :class:`int`
        Cycles that the reset is high at first. With 0 the reset is removed, see
        :func:`tie_reset_low`.
    optimize : :class:`int`, optional
        Optimisation level of the C++ compiler instead of 3. A lower level builds faster and runs
        slower.
    cache : path
        Directory of built libraries, which all processes share.
    progress : callable
        Function that is called with a sentence before each long step.
    driver : path, optional
        C++ file to use instead of ``cxxrtl_driver.cc``, for a design with other ports.

    Returns
    -------
    :class:`pathlib.Path`
        The library.

    Raises
    ------
    BuildError
        If there is no compiler, or a tool fails.
    """
    directory = pathlib.Path(cache or cache_directory())
    compiler, version = _compiler()
    driver = pathlib.Path(driver or _HERE / _DRIVER[0])
    sources = [driver.read_bytes(), *((_HERE / file).read_bytes() for file in _DRIVER)]
    # the last of several -O options applies
    flags = _FLAGS if optimize is None else (*_FLAGS, f"-O{optimize}")
    key = _digest(rtlil, *sources, _PREPARE, *flags, version, name, str(trace), str(reset))
    library, log = (directory / f"{name}-{key}.{suffix}" for suffix in ("so", "log"))
    with _reported(directory), locked(directory, key, progress):
        if not library.exists():
            with tempfile.TemporaryDirectory(dir=directory) as work:
                if not reset:
                    rtlil = tie_reset_low(rtlil, name)
                built = _compile(rtlil, name, trace, reset, pathlib.Path(work),
                                 [compiler, *flags], driver, log, progress)
                os.replace(built, library)
    return library


def tie_reset_low(rtlil: str, name: str) -> str:
    """Replace the reset input of the top ``name`` by the constant 0.

    In a simulation, registers begin with their reset values; testing the reset of each of them
    would take a third of the time. The driver must not drive a reset then.
    """
    top = rtlil.index(f"module \\{name}\n")
    constant = re.sub(r"  wire (width 1 )?input \d+ +\\rst\n",
                      lambda _: "  wire \\rst\n  connect \\rst 1'0\n", rtlil[top:], count=1)
    return rtlil[:top] + constant


def _run_yosys(rtlil: str, name: str, commands: str) -> str:
    """Return the output of Yosys commands on a design."""
    try:
        with warnings.catch_warnings():     # the only warning is about speed
            warnings.simplefilter("ignore")
            output: str = _yosys().run(["-q", "-"], (
                f"read_rtlil <<weft_end_of_design\n{rtlil}\nweft_end_of_design\n"
                f"hierarchy -top {name}\n{commands}\n"))
    except Exception as error:      # the type depends on Amaranth's version; the message matters
        raise BuildError(f"Yosys could not convert the design: {error}") from error
    return output


def _convert(rtlil: str, name: str, trace: bool) -> str:
    """Convert a design to C++; without a trace, signals lose their second names."""
    if trace:
        return _run_yosys(rtlil, name, f"{_PREPARE}; write_cxxrtl -O6 -g2")
    flat = drop_aliases(_run_yosys(rtlil, name, f"{_PREPARE}; write_rtlil"))
    return _run_yosys(flat, name, "write_cxxrtl -O6 -g0")


def _compile(rtlil: str, name: str, trace: bool, reset: int, directory: pathlib.Path,
             compiler: list[str], driver: pathlib.Path, log: pathlib.Path,
             progress: Progress) -> pathlib.Path:
    """Convert a design to C++ and compile it in ``directory``; keep errors in ``log``."""
    headers = _headers(_yosys())
    start = time.monotonic()
    progress(f"converting {len(rtlil) >> 10} KiB of RTL to C++ (Yosys CXXRTL; once for each "
             "configuration)")
    design = _convert(rtlil, name, trace)
    # CXXRTL evaluates a cycle repeatedly only if it has found a loop; a falling edge needs a second
    # evaluation
    single_step = not trace and not any(
        word in design for word in ("converged = false", "negedge_"))
    if not trace:
        design = plain_integers(design)
    if single_step:
        design = gather_registers(split(sort_updates(design)))
    else:
        design = split(design)
    (directory / "design.h").write_text(design)
    progress(f"compiling {len(design) >> 10} KiB of C++ ({time.monotonic() - start:.0f} s so far)")
    built = directory / "simulator.so"
    command = [*compiler, f"-I{headers}", f"-I{_HERE}", f"-I{directory}",
               f"-DWEFT_TOP=cxxrtl_design::p_{name.replace('_', '__')}",
               '-DWEFT_DESIGN="design.h"', f"-DWEFT_TRACE={int(trace)}", f"-DWEFT_RESET={reset}",
               f"-DWEFT_SINGLE_STEP={int(single_step)}",
               str(driver), "-o", str(built)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or not built.exists():
        log.write_text(f"{shlex.join(command)}\n{done.stdout}{done.stderr}")
        last = "\n".join(done.stderr.splitlines()[-_LOG_LINES:])
        raise BuildError(f"the C++ compiler {compiler[0]} ended with status {done.returncode} and "
                         f"without a simulator; its log is {log}, which ends:\n{last}")
    log.unlink(missing_ok=True)
    progress(f"simulator ready after {time.monotonic() - start:.0f} s")
    return built


def _gateware_digest(config: Config) -> str:
    """Return a digest of everything that the RTL depends on: sources, tools and configuration."""
    root = pathlib.Path(weft.__file__).parent
    sources = sorted(root.rglob("*.py"))
    parameters = {key: value for key, value in config.as_dict().items() if key != "name"}
    return _digest(importlib.metadata.version("amaranth"), json.dumps(parameters),
                   *(part for path in sources
                     for part in (str(path.relative_to(root)), path.read_bytes())))


def build_accelerator(config: Config, *, trace: bool = False,
                      cache: str | os.PathLike[str] | None = None,
                      progress: Progress = print_progress) -> pathlib.Path:
    """Build the simulator of a configuration, with ports for its events; see :func:`build`.

    Elaboration takes seconds, so the cache also stores the RTL by a digest of its sources.
    """
    digest = _gateware_digest(config)
    directory = pathlib.Path(cache or cache_directory())
    rtl = directory / f"{digest}.il"
    with _reported(directory), locked(directory, digest, progress):
        if not rtl.exists():
            progress(f"elaborating {config.name} ({config.rows} x {config.cols})")
            from weft.instance import make_accelerator
            from weft.verilog import to_rtlil
            write_atomically(rtl, to_rtlil(make_accelerator(config, observe=True), "weft"))
        design = rtl.read_text()
    return build(design, trace=trace, cache=directory, progress=progress)
