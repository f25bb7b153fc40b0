#!/usr/bin/env python3
"""Build two small boards and compare area and clock with stored figures: ``make gates``.

The figures are in ``docs/gates.json``, which ``--update`` writes. A figure that is worse by more
than a tenth fails. So does one that is better by more than a tenth, because an outdated figure
would hide a later regression.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import signal
import subprocess
import sys
import threading
import typing
from collections.abc import Iterable, Iterator, Mapping

import bitstream
from fpga_flow import ROOT, progress
from weft_boards import board
from weft_boards._board import Board

Figures: typing.TypeAlias = Mapping[str, typing.Any]
"""Configuration, device, tools, clock and area of a gate."""

KEPT = ROOT / "docs" / "gates.json"
TOLERANCE = 0.10
AREA = {"logic": "LUTs", "ffs": "flip-flops", "dsps": "multipliers",
        "rams": "block RAMs", "wide_rams": "SPRAMs"}
UPDATE = "make gates UPDATE=1"


def gates() -> dict[str, Board]:
    """Return the gates by name: the serial engine, and the smallest configuration with all units.

    The second would fit an LFE5U-25F to 85 %, but nextpnr's router took more than six minutes
    there. Its target is close to the stored clock, because the placement refiner stops at the
    target.
    """
    larger = board("ulx3s_85f")
    return {
        "icebreaker": board("icebreaker"),
        "ulx3s_85f_tiny": dataclasses.replace(
            larger, preset="tiny", clock_hz=90_000_000, memory_bytes=16 * 1024,
            changes={"multiplier": "ecp5", "addr_width": 24, "vector_lanes": 1,
                     "spad_banks": 1}),
    }


def figures(result: Figures) -> dict[str, typing.Any]:
    """Return the figures to store for the result of a build."""
    found = {"config": result["config"], "device": result["device"],
             "mhz": result["median_mhz"],
             "area": {what: used for what, (used, _) in result["used"].items()}}
    for tool in ("yosys", "nextpnr"):           # without their build information
        version = re.search(r"Yosys [\d.+]+|nextpnr-[\d.]+", result[tool])
        found[tool] = version[0] if version else result[tool]
    return found


def _change(what: str, kept: float, found: float, *, less_is_better: bool) -> str | None:
    """Describe a change beyond the tolerance, or return ``None``."""
    if abs(found - kept) <= TOLERANCE * kept:
        return None
    sentence = f"{what}: {found:,}, with no stored figure"
    if kept:
        sentence = (f"{what}: {found:,}, {100 * abs(found - kept) / kept:.1f} % "
                    f"{'more' if found > kept else 'less'} than the stored {kept:,}")
    if (found < kept) == less_is_better:
        return f"{sentence}. This is an improvement: store it with {UPDATE}"
    return f"{sentence}; the limit is {TOLERANCE:.0%}"


def compare(name: str, kept: Figures | None, found: Figures) -> list[str]:
    """Return a sentence for each figure of gate ``name`` that is beyond the tolerance."""
    if kept is None:
        return [f"{name}: there are no stored figures: run {UPDATE}"]
    for what in ("config", "device"):
        if kept[what] != found[what]:
            return [f"{name}: the stored figures are for {what} {kept[what]}, not {found[what]}: "
                    f"run {UPDATE}"]
    changes = [_change(f"{name}: {title}", kept["area"].get(what, 0), found["area"].get(what, 0),
                       less_is_better=True) for what, title in AREA.items()]
    changes.append(_change(f"{name}: MHz", kept["mhz"], found["mhz"], less_is_better=False))
    wrong = [sentence for sentence in changes if sentence]
    tools = [f"{found[tool]} instead of {kept[tool]}" for tool in ("yosys", "nextpnr")
             if kept[tool] != found[tool]]
    if wrong and tools:
        wrong.append(f"{name}: the tools differ, too: {', '.join(tools)}")
    return wrong


def comparison(kept: Mapping[str, Figures], found: Mapping[str, Figures]) -> Iterator[str]:
    """Yield a line with the stored and the new value of each figure."""
    for name, now in found.items():
        before = kept.get(name, {"area": {}, "mhz": 0})
        rows = [(title, before["area"].get(what, 0), now["area"].get(what, 0))
                for what, title in AREA.items()]
        for title, old, new in [*rows, ("MHz", before["mhz"], now["mhz"])]:
            if old or new:
                share = f"{100 * (new - old) / old:+6.1f} %" if old else "     new"
                yield f"  {name:15} {title:15} {old:9,} {new:9,} {share}"


def _relay(name: str, stream: Iterable[str]) -> None:
    for line in stream:
        print(f"{name:15} | {line.rstrip()}", file=sys.stderr, flush=True)


def build_all(names: Iterable[str]) -> dict[str, Figures]:
    """Build all gates in parallel, each in its own process, and return their results."""
    names = list(names)
    running: dict[str, tuple[subprocess.Popen[str], threading.Thread]] = {}
    try:
        for name in names:
            (ROOT / "build" / "gates" / name / "result.json").unlink(missing_ok=True)
            process = subprocess.Popen([sys.executable, __file__, "--build", name], text=True,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            relay = threading.Thread(target=_relay, args=(name, process.stdout))
            relay.start()
            running[name] = process, relay
        failed = []
        for name, (process, relay) in running.items():
            if process.wait():
                failed.append(name)
            relay.join()
    finally:
        for process, _ in running.values():
            if process.poll() is None:
                process.terminate()
    if failed:
        sys.exit(f"gates: the build of {' and '.join(failed)} failed; its output is above")
    return {name: json.loads((ROOT / "build" / "gates" / name / "result.json").read_text())
            for name in names}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--update", action="store_true", help=f"write {KEPT.relative_to(ROOT)}")
    parser.add_argument("--build", choices=list(gates()), help="build one gate without comparison")
    args = parser.parse_args()
    # on SIGTERM, exit through the handlers that end the tools
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if args.build:
        bitstream.build(gates()[args.build], [1], folder=ROOT / "build" / "gates" / args.build)
        return
    progress(f"gates: building {' and '.join(gates())}, a few minutes")
    found = {name: figures(result) for name, result in build_all(gates()).items()}
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    print(f"  {'gate':15} {'figure':15} {'stored':>9} {'new':>9}", *comparison(kept, found),
          sep="\n")
    if args.update:
        KEPT.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
        print(f"gates: wrote {KEPT.relative_to(ROOT)}")
        return
    wrong = [sentence for name, now in found.items()
             for sentence in compare(name, kept.get(name), now)]
    if wrong:
        sys.exit("\n".join(["gates: not passed", *wrong]))
    print(f"gates: passed: all figures are within {TOLERANCE:.0%} of {KEPT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
