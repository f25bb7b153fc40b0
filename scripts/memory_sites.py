"""Sites of the engine's block RAMs on an LFE5U-85F, assigned before nextpnr places other cells.

The device has four rows of block RAMs. Those of one memory are assigned close together, and beside
the logic that they serve: weights above the array, the scratchpad at its left, and the accumulators
below it, each column at its place in the array. Host memory has a row of its own, and the rest of
the others. Without this assignment nextpnr spreads each memory over the whole device.
"""

from __future__ import annotations

import pathlib
import re
from typing import Any

from netlists import edit_netlist, natural_key

__all__ = ["place_memories"]

_MEMORY = "DP16KD"
_ROWS = (22, 46, 70, 82)
_COLUMNS = (4, 6, 8, 10, 13, 15, 17, 19, 22, 24, 26, 28, 31, 33, 35, 37, 40, 42, 44, 46, 49, 51,
            53, 55, 58, 60, 62, 64, 69, 71, 73, 75, 78, 80, 82, 84, 87, 89, 91, 93, 96, 98, 100,
            102, 105, 107, 109, 111, 114, 116, 118, 120)
# sites as (row, column) of block RAMs; both banks and both halves are side by side
_LEFT = [(row, column) for row, count in ((0, 26), (1, 6)) for column in range(count)]
_BELOW = [(1, 8 + 3 * column) for column in range(15)]
_BESIDE = [(row, column + 1) for row, column in _BELOW]
_ABOVE = [(0, column) for column in range(34, 42)]
_LAST = [(3, column) for column in range(len(_COLUMNS))]
_OTHERS = [(2, column) for column in (*range(20, 32), *range(20), *range(32, len(_COLUMNS)))] \
    + [(0, column) for column in (50, 51, *range(26, 34), *range(49, 41, -1))] \
    + [(1, column) for column in range(10, 28, 3)]
_SITES = {
    r"scratchpad\.bank_0\.": _LEFT[0::2],
    r"scratchpad\.bank_1\.": _LEFT[1::2],
    r"weights\.bank_0\.": _ABOVE,
    r"accumulators\.half_0\.": _BELOW,
    r"accumulators\.half_1\.": _BESIDE,
    r"memory\.words\.": _LAST + _OTHERS,
}


def place_memories(path: pathlib.Path) -> int:
    """Assign sites to the block RAMs in Yosys' netlist ``path``; return how many have one.

    A memory with more block RAMs than sites is left to nextpnr.
    """
    with edit_netlist(path) as netlist:
        return sum(_place(module["cells"]) for module in netlist["modules"].values())


def _place(cells: dict[str, Any]) -> int:
    rams = sorted((name for name, cell in cells.items() if cell["type"] == _MEMORY),
                  key=natural_key)
    count = 0
    for pattern, sites in _SITES.items():
        found = [name for name in rams if re.search(rf"(?:^|\.){pattern}", name)]
        if len(found) <= len(sites):
            for name, (row, column) in zip(found, sites):
                cells[name]["attributes"]["BEL"] = \
                    f"X{_COLUMNS[column]}/Y{_ROWS[row]}/EBR{column % 4}"
            count += len(found)
    return count
