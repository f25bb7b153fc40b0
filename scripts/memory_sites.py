"""Places the block RAMs of the engine on an ECP5-85F, before nextpnr places everything else.

The device has four rows of them. Those of one memory belong together, and those of different ones
beside what they serve: lines of weights come from above the array, vectors from its left, and sums
leave it below, each column at its place. Host memory has a row of its own, and what is left of the
others. Left alone, nextpnr spreads all of them over the whole device.
"""

import re

from netlists import changing, natural

__all__ = ["place_memories"]

_MEMORY = "DP16KD"
_ROWS = (22, 46, 70, 82)
_COLUMNS = (4, 6, 8, 10, 13, 15, 17, 19, 22, 24, 26, 28, 31, 33, 35, 37, 40, 42, 44, 46, 49, 51,
            53, 55, 58, 60, 62, 64, 69, 71, 73, 75, 78, 80, 82, 84, 87, 89, 91, 93, 96, 98, 100,
            102, 105, 107, 109, 111, 114, 116, 118, 120)
# the places of a memory, as (row, column of block RAMs); both banks and both halves side by side
_LEFT = [(row, column) for row, count in ((0, 26), (1, 6)) for column in range(count)]
_BELOW = [(1, 8 + 3 * column) for column in range(15)]
_BESIDE = [(row, column + 1) for row, column in _BELOW]
_ABOVE = [(0, column) for column in range(34, 42)]
_LAST = [(3, column) for column in range(len(_COLUMNS))]
_OTHERS = [(2, column) for column in (*range(20, 32), *range(20), *range(32, len(_COLUMNS)))] \
    + [(0, column) for column in (50, 51, *range(26, 34), *range(49, 41, -1))] \
    + [(1, column) for column in range(10, 28, 3)]
_PLACES = {
    r"scratchpad\.bank_0\.": _LEFT[0::2],
    r"scratchpad\.bank_1\.": _LEFT[1::2],
    r"weights\.bank_0\.": _ABOVE,
    r"accumulators\.half_0\.": _BELOW,
    r"accumulators\.half_1\.": _BESIDE,
    r"memory\.words\.": _LAST + _OTHERS,
}


def place_memories(path):
    """Gives the block RAMs in yosys' netlist ``path`` their places; how many there are.

    A memory that has more of them than there are places is left to nextpnr.
    """
    with changing(path) as netlist:
        return sum(_place(module["cells"]) for module in netlist["modules"].values())


def _place(cells):
    rams = sorted((name for name, cell in cells.items() if cell["type"] == _MEMORY), key=natural)
    count = 0
    for pattern, places in _PLACES.items():
        found = [name for name in rams if re.search(rf"(?:^|\.){pattern}", name)]
        if len(found) <= len(places):
            for name, (row, column) in zip(found, places):
                cells[name]["attributes"]["BEL"] = \
                    f"X{_COLUMNS[column]}/Y{_ROWS[row]}/EBR{column % 4}"
            count += len(found)
    return count
