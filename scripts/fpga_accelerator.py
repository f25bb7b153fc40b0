#!/usr/bin/env python3
"""Measure area and clock of the accelerator on an ECP5-85F with synthesis, place and route.

The design is flattened: the area includes the registers of the harness at every port.
"""

from __future__ import annotations

import argparse
import re
import statistics
from pathlib import Path

from fpga_flow import (
    DEVICE_NAME,
    area,
    keep,
    make_folder,
    place_and_route,
    report,
    synthesize,
    versions,
)
from weft.accelerator import Accelerator
from weft.spec.presets import PRESETS, override, preset


def critical_path(folder: Path, seed: int) -> list[str]:
    """Return the names along the critical path, from the last report of nextpnr."""
    text = (folder / f"nextpnr-{seed}.log").read_text()
    path = text[text.rindex("Critical path report for clock"):]
    path = path[:path.find("Critical path report for", 10)]
    steps: list[str] = []
    for line in path.splitlines():
        found = re.search(r"(?:Source|Sink) (\S+)", line)
        if found and (not steps or steps[-1] != found[1]):
            steps.append(found[1])
    return steps


_TRUTH = {"true": True, "false": False}


def parse_changes(changes: list[str]) -> dict[str, int]:
    """Return the values of ``KEY=VALUE`` by key: integers, true or false."""
    found = {}
    for text in changes:
        name, _, value = text.partition("=")
        try:
            found[name] = _TRUTH[value] if value in _TRUTH else int(value)
        except ValueError:
            raise ValueError(f"--set {text}: {value!r} is not an integer, true or false") from None
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", choices=list(PRESETS), default="small")
    parser.add_argument("--multiplier", default="ecp5")
    parser.add_argument("--dsp-cells", type=int, help="number of cells with a DSP (default: all)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--frequency", type=float, default=90,
                        help="target in MHz; with an unreachable target, routing takes hours")
    parser.add_argument("--json", action="store_true", help="print one JSON object only")
    parser.add_argument("--min-mhz", type=float, help="fail if the median is lower")
    parser.add_argument("--set", dest="changes", action="append", default=[], metavar="KEY=VALUE",
                        help="parameter of the configuration, such as fixed_point=true")
    parser.add_argument("--area-only", action="store_true", help="skip place and route")
    args = parser.parse_args()
    if args.area_only and args.min_mhz:
        parser.error("--min-mhz needs place and route, which --area-only skips")

    try:
        config = override(preset(args.preset, multiplier=args.multiplier,
                                 dsp_cells=args.dsp_cells), **parse_changes(args.changes))
    except ValueError as error:
        parser.error(str(error))
    folder = make_folder("-".join(["weft", args.preset, args.multiplier, *args.changes]))
    cells = synthesize(Accelerator(config), folder, boundary=False, abc9=False)
    if args.area_only:
        result: dict[str, object] = {"preset": config.name, "device": DEVICE_NAME, **area(cells),
                                     **versions()}
        return report(result, as_json=args.json, min_mhz=None)
    mhz = place_and_route(folder, args.seeds, args.frequency)
    median = statistics.median(mhz.values())
    typical = min(mhz, key=lambda seed: abs(mhz[seed] - median))
    result = {
        "preset": config.name, "device": DEVICE_NAME, "target_mhz": args.frequency, "mhz": mhz,
        "median_mhz": median, **area(cells), "critical_path": critical_path(folder, typical),
        **versions(),
    }
    keep(result, folder)
    report(result, as_json=args.json, min_mhz=args.min_mhz)


if __name__ == "__main__":
    main()
