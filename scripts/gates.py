#!/usr/bin/env python3
"""Builds two small boards, and fails if one grew, slowed down, or is out of date: ``make gates``.

Area and clock are compared with the figures in ``docs/gates.json``, which this script writes with
``--update``. More than a tenth to the worse fails; so does more than a tenth to the better, since
a gate that has moved away from the design lets the next tenth through unseen.
"""

import argparse
import dataclasses
import json
import re
import signal
import subprocess
import sys
import threading

import bitstream
from fpga_flow import ROOT, progress
from weft_boards import board

KEPT = ROOT / "docs" / "gates.json"
TOLERANCE = 0.10
AREA = {"logic": "look-up tables", "ffs": "flip-flops", "dsps": "multipliers",
        "rams": "block RAMs", "wide_rams": "SPRAMs"}
UPDATE = "make gates UPDATE=1"


def gates():
    """``{name: board}``: the serial engine, and the other one as small as it gets.

    The second would fit an LFE5U-25F, 85 % full, on which nextpnr's router took more than six
    minutes. It asks for nearly the clock that is kept, since cells are moved for no more than is
    asked for.
    """
    larger = board("ulx3s_85f")
    return {
        "icebreaker": board("icebreaker"),
        "ulx3s_85f_tiny": dataclasses.replace(
            larger, preset="tiny", clock_hz=90_000_000, memory_bytes=16 * 1024,
            changes={"multiplier": "ecp5", "addr_width": 24, "vector_lanes": 1,
                     "spad_banks": 1}),
    }


def figures(result):
    """What is kept of the result of a build."""
    found = {"config": result["config"], "device": result["device"],
             "mhz": result["median_mhz"],
             "area": {what: used for what, (used, _) in result["used"].items()}}
    for tool in ("yosys", "nextpnr"):           # without how and where they were built
        version = re.search(r"Yosys [\d.+]+|nextpnr-[\d.]+", result[tool])
        found[tool] = version[0] if version else result[tool]
    return found


def _change(what, kept, found, *, less_is_better):
    """A sentence if ``found`` is more than the tolerance away from ``kept``, else ``None``."""
    if abs(found - kept) <= TOLERANCE * kept:
        return None
    sentence = f"{what}: {found:,}, where none was kept"
    if kept:
        sentence = (f"{what}: {found:,}, {100 * abs(found - kept) / kept:.1f} % "
                    f"{'more' if found > kept else 'less'} than the {kept:,} kept")
    if (found < kept) == less_is_better:
        return f"{sentence}. That is better: take it over with {UPDATE}"
    return f"{sentence}; at most {TOLERANCE:.0%} is let through"


def compare(name, kept, found):
    """What is wrong with the figures ``found`` of gate ``name``, a sentence each."""
    if kept is None:
        return [f"{name}: no figures are kept of it: {UPDATE}"]
    for what in ("config", "device"):
        if kept[what] != found[what]:
            return [f"{name}: the figures kept are of {what} {kept[what]}, this is {found[what]}: "
                    f"{UPDATE}"]
    wrong = [_change(f"{name}: {title}", kept["area"].get(what, 0), found["area"].get(what, 0),
                     less_is_better=True) for what, title in AREA.items()]
    wrong.append(_change(f"{name}: MHz", kept["mhz"], found["mhz"], less_is_better=False))
    wrong = [sentence for sentence in wrong if sentence]
    tools = [f"{found[tool]} instead of {kept[tool]}" for tool in ("yosys", "nextpnr")
             if kept[tool] != found[tool]]
    if wrong and tools:
        wrong.append(f"{name}: the tools are others, too: {', '.join(tools)}")
    return wrong


def table(kept, found):
    """What was found beside what is kept, as lines."""
    for name, now in found.items():
        before = kept.get(name, {"area": {}, "mhz": 0})
        rows = [(title, before["area"].get(what, 0), now["area"].get(what, 0))
                for what, title in AREA.items()]
        for title, old, new in [*rows, ("MHz", before["mhz"], now["mhz"])]:
            if old or new:
                share = f"{100 * (new - old) / old:+6.1f} %" if old else "     new"
                yield f"  {name:15} {title:15} {old:9,} {new:9,} {share}"


def _relay(name, stream):
    for line in stream:
        print(f"{name:15} | {line.rstrip()}", file=sys.stderr, flush=True)


def build_all(names):
    """Builds all of them at once, each in a process of its own; ``{name: result}``."""
    running = {}
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
        sys.exit(f"gates: {' and '.join(failed)} could not be built; its words are above")
    return {name: json.loads((ROOT / "build" / "gates" / name / "result.json").read_text())
            for name in names}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--update", action="store_true", help=f"write {KEPT.relative_to(ROOT)}")
    parser.add_argument("--build", choices=list(gates()), help="build one and compare nothing")
    args = parser.parse_args()
    # so that the tools that run are ended, too
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if args.build:
        bitstream.build(gates()[args.build], [1], folder=ROOT / "build" / "gates" / args.build)
        return
    progress(f"gates: building {' and '.join(gates())}, a few minutes")
    found = {name: figures(result) for name, result in build_all(gates()).items()}
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    print(f"  {'gate':15} {'what':15} {'kept':>9} {'now':>9}", *table(kept, found), sep="\n")
    if args.update:
        KEPT.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
        print(f"gates: wrote {KEPT.relative_to(ROOT)}")
        return
    wrong = [sentence for name, now in found.items()
             for sentence in compare(name, kept.get(name), now)]
    if wrong:
        sys.exit("\n".join(["gates: not passed", *wrong]))
    print(f"gates: passed: all within {TOLERANCE:.0%} of {KEPT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
