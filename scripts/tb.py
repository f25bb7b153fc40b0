"""Run the cocotb testbench of one block on one simulator."""

from __future__ import annotations

import argparse
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
FOLDER = ROOT / "tb" / "cocotb"
SIMULATORS = ("icarus", "verilator")
WAVES = ROOT / "build" / "waves"


def blocks() -> list[str]:
    """Return the names of all blocks with a testbench."""
    return sorted(path.stem.removeprefix("test_") for path in FOLDER.glob("test_*.py"))


def cases(path: pathlib.Path, sim: str) -> list[str]:
    """Return the names of a testbench's cases on ``sim``."""
    listed = subprocess.run([sys.executable, "-m", "pytest", "--collect-only", "-q", str(path)],
                            cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        raise SystemExit(listed.stdout + listed.stderr)
    return [line for line in listed.stdout.splitlines() if "::" in line and sim in line]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--block", default="weft", choices=blocks())
    parser.add_argument("--sim", default="icarus", choices=SIMULATORS)
    parser.add_argument("--waves", action="store_true",
                        help="write a waveform of the first case to build/waves")
    options = parser.parse_args()

    chosen = cases(FOLDER / f"test_{options.block}.py", options.sim)
    if not chosen:
        raise SystemExit(f"tb: {options.block} has no testbench for {options.sim}")
    environment = dict(os.environ, WAVES="1" if options.waves else "0")
    if options.waves:
        chosen = chosen[:1]
    before = {path: path.stat().st_mtime for path in WAVES.glob("*")}
    print(f"tb: {len(chosen)} case(s) of {options.block} on {options.sim}; the build takes up to "
          "a minute on verilator", flush=True)
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-rA" if options.waves else "-ra",
                           "--show-capture=no", *chosen], cwd=ROOT, env=environment)
    if options.waves:
        new = [path for path in WAVES.glob("*") if before.get(path) != path.stat().st_mtime]
        if not new:
            raise SystemExit("tb: the run wrote no waveform to build/waves")
        for path in new:
            print(f"waveform: gtkwave {path.relative_to(ROOT)}")
    raise SystemExit(done.returncode)


if __name__ == "__main__":
    main()
