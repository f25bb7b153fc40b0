"""Write the Verilog of every preset, and its lint waivers, into ``build/``."""

from __future__ import annotations

import pathlib
import subprocess
import sys

from weft.spec.presets import PRESETS

ROOT = pathlib.Path(__file__).resolve().parents[1]


def main() -> None:
    (ROOT / "build").mkdir(exist_ok=True)
    for number, name in enumerate(PRESETS, 1):
        path = ROOT / "build" / f"weft_{name}.v"
        print(f"[{number}/{len(PRESETS)}] {path.relative_to(ROOT)}", flush=True)
        done = subprocess.run([sys.executable, "-m", "weft_host.cli", "verilog", "--preset", name,
                               "-o", str(path)], stdout=subprocess.DEVNULL)
        if done.returncode:
            raise SystemExit(done.returncode)


if __name__ == "__main__":
    main()
