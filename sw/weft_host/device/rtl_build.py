"""From gateware to a shared library: Amaranth, CXXRTL, the C++ compiler, and a cache of results."""

import fcntl
import hashlib
import importlib.metadata
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import warnings

import weft

from ..errors import BuildError
from .rtl_split import split

__all__ = ["build", "build_accelerator", "cache_directory", "hold_reset", "print_progress"]

_HERE = pathlib.Path(__file__).parent
_DRIVER = ("cxxrtl_driver.cc", "axi_memory.h", "axi_rules.h", "events.h", "stalls.h",
           "rtl_split.py")
# flattened and cleaned up, the design has no false loops, so that one evaluation settles it
_PREPARE = "proc; flatten; opt_expr; opt_clean"
_FLAGS = ("-O3", "-march=native", "-fno-semantic-interposition", "-std=c++17", "-fPIC", "-shared",
          "-w")


def print_progress(message):
    """Say on standard error what takes so long."""
    print(f"weft: {message}", file=sys.stderr, flush=True)


def cache_directory():
    """Where simulators are kept: ``$WEFT_CACHE``, else ``build/rtl`` of the source tree."""
    if "WEFT_CACHE" in os.environ:
        return pathlib.Path(os.environ["WEFT_CACHE"])
    tree = _HERE.parents[2]
    if (tree / "pyproject.toml").exists():
        return tree / "build" / "rtl"
    return pathlib.Path.home() / ".cache" / "weft" / "rtl"


def _digest(*parts):
    digest = hashlib.sha256()
    for part in parts:
        part = part.encode() if isinstance(part, str) else part
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()[:24]


def find_compiler():
    """Path of the C++ compiler: ``$CXX``, or ``g++``. Raises :class:`BuildError`."""
    name = os.environ.get("CXX", "g++")
    path = shutil.which(name)
    if path is None:
        raise BuildError(f"no C++ compiler: {name!r} is not on PATH; install g++ or clang++ "
                         "(Debian: apt install g++), or set CXX")
    return path


def _compiler():
    path = find_compiler()
    # the second tells what "native" is, in case machines share a cache
    asked = [subprocess.run([path, *options], capture_output=True, text=True, check=False).stdout
             for options in (["--version"], ["-march=native", "-Q", "--help=target"])]
    return path, "".join(asked)


def _yosys():
    from amaranth._toolchain.yosys import YosysError, find_yosys
    try:
        return find_yosys(lambda version: version >= (0, 40))
    except YosysError as error:
        raise BuildError(f"no Yosys: {error}; install amaranth[builtin-yosys]") from error


def _headers(yosys):
    """The CXXRTL headers that belong to this Yosys."""
    runtime = pathlib.Path(yosys.data_dir()) / "include" / "backends" / "cxxrtl" / "runtime"
    if not (runtime / "cxxrtl" / "cxxrtl.h").exists():
        raise BuildError(f"Yosys has no CXXRTL headers in {runtime}; install "
                         "amaranth[builtin-yosys]")
    return runtime


def _publish(path, content):
    """Write a small file wholly or not at all."""
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w") as file:
        file.write(content)
    os.replace(temporary, path)


def build(rtlil, *, name="weft", trace=False, reset=0, optimize=None, cache=None,
          progress=print_progress, driver=None):
    """The shared library that simulates a design; made now unless the cache has it.

    Parameters
    ----------
    rtlil : :class:`str`
        The design, with the ports of :class:`weft.accelerator.Accelerator` and top ``name``.
    trace : :class:`bool`
        Keep the names of signals for waveforms; slower.
    reset : :class:`int`
        Cycles that the reset is high at first; with 0 it is taken out, see :func:`hold_reset`.
    optimize : :class:`int`, optional
        The C++ compiler's level instead of 3: less is built sooner and runs slower.
    cache : :class:`pathlib.Path`
        Directory of finished libraries, shared by all processes.
    progress : callable
        Gets a sentence before each long step.
    driver : :class:`pathlib.Path`, optional
        Another C++ file instead of ``cxxrtl_driver.cc``, for a design with other ports.

    Raises
    ------
    BuildError
        If there is no compiler, or a tool fails.
    """
    cache = pathlib.Path(cache or cache_directory())
    cache.mkdir(parents=True, exist_ok=True)
    compiler, version = _compiler()
    driver = pathlib.Path(driver or _HERE / _DRIVER[0])
    sources = [driver.read_bytes(), *((_HERE / file).read_bytes() for file in _DRIVER)]
    # the last level counts
    flags = _FLAGS if optimize is None else (*_FLAGS, f"-O{optimize}")
    key = _digest(rtlil, *sources, _PREPARE, *flags, version, name, str(trace), str(reset))
    library = cache / f"{name}-{key}.so"
    with open(cache / f"{key}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not library.exists():
            with tempfile.TemporaryDirectory(dir=cache) as directory:
                if not reset:
                    rtlil = hold_reset(rtlil, name)
                made = _compile(rtlil, name, trace, reset, pathlib.Path(directory),
                                [compiler, *flags], driver, progress)
                os.replace(made, library)
    return library


def hold_reset(rtlil, name):
    """The design with the reset of its top never asserted.

    In simulation registers begin with their reset values, and testing reset in each of them takes
    a third of the time. A driver has no reset to drive then.
    """
    top = rtlil.index(f"module \\{name}\n")
    constant = re.sub(r"  wire (width 1 )?input \d+ +\\rst\n",
                      lambda _: "  wire \\rst\n  connect \\rst 1'0\n", rtlil[top:], count=1)
    return rtlil[:top] + constant


def _compile(rtlil, name, trace, reset, directory, compiler, driver, progress):
    yosys = _yosys()
    headers = _headers(yosys)
    start = time.monotonic()
    progress(f"turning {len(rtlil) >> 10} KiB of RTL into C++ (Yosys CXXRTL; once for each "
             "configuration)")
    debug = "-g2" if trace else "-g0"
    try:
        with warnings.catch_warnings():     # its one warning is about speed only
            warnings.simplefilter("ignore")
            design = yosys.run(["-q", "-"], "read_rtlil <<weft_end_of_design\n"
                               f"{rtlil}\n"
                               f"weft_end_of_design\nhierarchy -top {name}\n{_PREPARE}\n"
                               f"write_cxxrtl -O6 {debug}\n")
    except Exception as error:      # whatever this version of Amaranth raises: its words matter
        raise BuildError(f"Yosys could not convert the design: {error}") from error
    (directory / "design.h").write_text(split(design))
    progress(f"compiling {len(design) >> 10} KiB of C++ ({time.monotonic() - start:.0f} s so far)")
    made = directory / "simulator.so"
    command = [*compiler, f"-I{headers}", f"-I{_HERE}", f"-I{directory}",
               f"-DWEFT_TOP=cxxrtl_design::p_{name.replace('_', '__')}",
               '-DWEFT_DESIGN="design.h"', f"-DWEFT_TRACE={int(trace)}", f"-DWEFT_RESET={reset}",
               # CXXRTL evaluates again and again only where it found a loop
               f"-DWEFT_SINGLE_STEP={int(not trace and 'converged = false' not in design)}",
               str(driver), "-o", str(made)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{' '.join(command)} failed:\n{done.stderr[-4000:]}")
    progress(f"simulator ready after {time.monotonic() - start:.0f} s")
    return made


def _gateware_digest(config):
    """Stands for the RTL without making it: sources, tools and configuration."""
    root = pathlib.Path(weft.__file__).parent
    sources = sorted(root.rglob("*.py"))
    parameters = {key: value for key, value in config.as_dict().items() if key != "name"}
    return _digest(importlib.metadata.version("amaranth"), json.dumps(parameters),
                   *(part for path in sources
                     for part in (str(path.relative_to(root)), path.read_bytes())))


def build_accelerator(config, *, trace=False, cache=None, progress=print_progress):
    """The shared library that simulates a configuration, observed; see :func:`build`.

    Elaborating takes seconds, so the cache also remembers which sources gave which RTL.
    """
    cache = pathlib.Path(cache or cache_directory())
    cache.mkdir(parents=True, exist_ok=True)
    rtl = cache / f"{_gateware_digest(config)}.il"
    with open(cache / f"{rtl.stem}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not rtl.exists():
            progress(f"elaborating {config.name} ({config.rows} x {config.cols})")
            from weft.instance import make_accelerator
            from weft.verilog import to_rtlil
            _publish(rtl, to_rtlil(make_accelerator(config, observe=True), "weft"))
    return build(rtl.read_text(), trace=trace, cache=cache, progress=progress)
