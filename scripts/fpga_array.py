#!/usr/bin/env python3
"""Measure area and clock of the systolic array on an ECP5-85F with synthesis, place and route.

The array is not flattened into the harness: the area is that of the array alone.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import statistics
import sys
from typing import Any

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from fpga_flow import (
    DEVICE_NAME,
    ROOT,
    area,
    keep,
    make_folder,
    place_and_route,
    report,
    synthesize,
    versions,
)
from weft.array.systolic import SystolicArray
from weft.spec.config import MULTIPLIERS, Config
from weft_boards._clock import mhz_text

_AREA = "area.json"             # result of synthesis without place and route


class WithoutFilters(wiring.Component):
    """Array with a constant depthwise input, so that synthesis removes that path.

    Parameters
    ----------
    array : :class:`~weft.array.systolic.SystolicArray`

    Members
    -------
    The members of ``array`` except ``i_depthwise``.
    """

    def __init__(self, array: SystolicArray) -> None:
        self.array: Any = array         # its ports are not declared to a type checker
        super().__init__({name: member for name, member in array.signature.members.items()
                          if name != "i_depthwise"})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.array = self.array
        for name, member in self.signature.members.items():
            outer, inner = getattr(self, name), getattr(self.array, name)
            m.d.comb += inner.eq(outer) if member.flow == In else outer.eq(inner)
        m.d.comb += self.array.i_depthwise.eq(0)
        return m


def table() -> str:
    """Return all results in ``build/fpga`` as a Markdown table; an unknown clock is a dash."""
    folders = sorted((ROOT / "build" / "fpga").glob("array-*"))
    files = [next((folder / file for file in ("result.json", _AREA) if (folder / file).exists()),
                  None) for folder in folders]
    results = [json.loads(path.read_text()) for path in files if path]
    results.sort(key=lambda result: (result["rows"] * result["cols"], result["multiplier"]))
    lines = ["| array | DSP | LUT | FF | LUTs per cell | FFs per cell | MHz by seed | median |",
             "|---|---|---|---|---|---|---|---|"]
    lines += [f"| {r['rows']} × {r['cols']}, `{r['multiplier']}`"
              f"{'' if r.get('depthwise', True) else ', no depthwise'} | {r['dsps']} | "
              f"{r['luts']} | {r['ffs']} | {r['luts_per_cell']} | {r['ffs_per_cell']} | "
              f"{', '.join(mhz_text(1e6 * mhz) for mhz in r['mhz'].values()) or '-'} | "
              f"{mhz_text(1e6 * r['median_mhz']) if r['median_mhz'] else '-'} |"
              for r in results]
    tools = sorted({f"{r['yosys'].split(' (')[0]}, {r['nextpnr'].split('Version ')[-1].rstrip(')')}"
                    for r in results})
    return "\n".join([*lines, "", f"Tools: {'; '.join(tools)}. Device: LFE5U-85F, grade 6.", ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--cols", type=int, default=8)
    parser.add_argument("--multiplier", choices=MULTIPLIERS[:4], default="ecp5")
    parser.add_argument("--dsp-cells", type=int, help="number of cells with a DSP (default: all)")
    parser.add_argument("--no-depthwise", action="store_true",
                        help="tie off the depthwise input")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--frequency", type=float, default=200, help="target in MHz")
    parser.add_argument("--noabc9", action="store_true", help="use the older mapper, abc")
    parser.add_argument("--json", action="store_true", help="print one JSON object only")
    parser.add_argument("--table", type=pathlib.Path, help="Markdown file for all results")
    parser.add_argument("--min-mhz", type=float, help="fail if the median is lower")
    parser.add_argument("--max-luts", type=float, help="fail if a cell takes more LUTs")
    parser.add_argument("--max-ffs", type=float, help="fail if a cell takes more FFs")
    parser.add_argument("--area-only", action="store_true", help="skip place and route")
    args = parser.parse_args()
    if args.area_only and args.min_mhz:
        parser.error("--min-mhz needs place and route, which --area-only skips")

    config = Config(rows=args.rows, cols=args.cols, wgt_bytes=max(16, 2 * args.rows * args.cols),
                    spad_bytes=65536, vector_lanes=1, multiplier=args.multiplier,
                    dsp_cells=args.dsp_cells)
    name = f"array-{args.rows}x{args.cols}-{args.multiplier}"
    if args.dsp_cells is not None:
        name += f"-{args.dsp_cells}"
    if args.no_depthwise:
        name += "-plain"
    folder = make_folder(name)
    array = SystolicArray(config)
    dut = WithoutFilters(array) if args.no_depthwise else array
    found = area(synthesize(dut, folder, boundary=True, abc9=not args.noabc9))
    mhz: dict[int, float] = {}
    if not args.area_only:
        mhz = place_and_route(folder, args.seeds, args.frequency)
    count = args.rows * args.cols
    result = {
        "rows": args.rows, "cols": args.cols, "multiplier": args.multiplier,
        "dsp_cells": args.dsp_cells, "depthwise": not args.no_depthwise,
        "device": DEVICE_NAME, "mhz": mhz,
        "median_mhz": statistics.median(mhz.values()) if mhz else None, **found,
        "luts_per_cell": round(found["luts"] / count, 1),
        "ffs_per_cell": round(found["ffs"] / count, 1), **versions(),
    }
    if mhz:
        keep(result, folder)
    else:
        (folder / _AREA).write_text(json.dumps(result, indent=1) + "\n")
    if args.table:
        args.table.write_text(table())
    report(result, as_json=args.json, min_mhz=args.min_mhz)
    for what, limit in (("luts", args.max_luts), ("ffs", args.max_ffs)):
        if limit is not None and result[f"{what}_per_cell"] > limit:
            sys.exit(f"{name}: {result[f'{what}_per_cell']} {what} per cell exceed {limit:g}")


if __name__ == "__main__":
    main()
