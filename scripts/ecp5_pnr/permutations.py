"""Check for permuted inputs of ECP5 LUTs whose inputs must not be permuted.

A router may use any input of a LUT and permute the contents of the LUT. The LUTs of a carry chain
have two pairs of inputs, A with B and C with D, with different meanings for the carry, and
distributed RAM is addressed by all four. nextpnr respects that as long as it has the mode of a
cell, which it loses in some netlists that it reads back. The bitstream would then compute something
else, without an error.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from .bels import SLICES

__all__ = ["forbidden_permutations"]

_PERMUTATION = re.compile(r"X(\d+)/Y(\d+)/0_0_([ABCD])(\d)->0_0_([ABCD])\d_SLICE")
_FIRST_PAIR = {"A", "B"}


def forbidden_permutations(path: Path) -> list[str]:
    """Return the names of cells in a routed netlist with inputs that are permuted wrongly."""
    module = json.loads(path.read_text())["modules"]["top"]
    cells = {cell["attributes"].get("NEXTPNR_BEL"): name for name, cell in module["cells"].items()}
    found = set()
    for net in module["netnames"].values():
        routing = net["attributes"].get("ROUTING", "")
        for x, y, physical, lut, logical in _PERMUTATION.findall(routing):
            name = cells.get(f"X{x}/Y{y}/SLICE{SLICES[int(lut) // 2]}.K{int(lut) % 2}")
            if name and not _may_permute(module["cells"][name]["parameters"].get("MODE"),
                                         physical, logical):
                found.add(name)
    return sorted(found)


def _may_permute(mode: str | None, physical: str, logical: str) -> bool:
    if mode in ("DPRAM", "RAMW_BLOCK"):
        return physical == logical
    return mode != "CCU2" or (physical in _FIRST_PAIR) == (logical in _FIRST_PAIR)
