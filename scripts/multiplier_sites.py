"""Places the array's multipliers on an ECP5-85F, before nextpnr places everything else.

The device has three rows of multipliers, half its height apart. Left alone, nextpnr spreads those
of the array over all of them without regard to rows and columns, and the ways to their adders
become the longest of the design. Here a few rows of the array take a row of the device, column
beside column, so that what has to be close can be.
"""

import re

from netlists import changing

__all__ = ["has_sites", "place_multipliers"]

# as nextpnr names them
_ROWS = (10, 34, 58)
_BLOCKS = (4, 13, 22, 31, 40, 49, 58, 69, 78, 87, 96, 105, 114)
_IN_BLOCK = ((0, "MULT18_0"), (1, "MULT18_1"), (4, "MULT18_4"), (5, "MULT18_5"))
_SITES = [(block + offset, name) for block in _BLOCKS for offset, name in _IN_BLOCK]
_MULTIPLIER = "MULT18X18D"
_NAME = re.compile(r"(?:^|\.)grid\.mult_(\d+)_(\d+)_ecp5_(\d+)$")


def has_sites(device_name):
    """Whether it is known where a device has its multipliers."""
    return "-85F" in device_name


def _bands(cells, others):
    """The array's multipliers, sorted by row, as those of each row of the device.

    Whole rows of the array share a row of the device evenly, if the ``others`` of the design find
    place in the rows that are left. Otherwise rows are filled, so that one has room for them.
    """
    room = len(_SITES)
    count = -(-len(cells) // room)
    if others > room * (len(_ROWS) - count):
        return [cells[first:first + room] for first in range(0, len(cells), room)]
    rows = sorted({row for row, _, _ in cells})
    bands = [[] for _ in range(count)]
    for cell in cells:
        bands[rows.index(cell[0]) * count // len(rows)].append(cell)
    if max(map(len, bands)) > room:
        return [cells[first:first + room] for first in range(0, len(cells), room)]
    return bands


def place_multipliers(path):
    """Gives the array's multipliers in yosys' netlist ``path`` their places; how many there are.

    Nothing is done if there are more than the device has; nextpnr tells that.
    """
    with changing(path) as netlist:
        return _place(netlist)


def _place(netlist):
    cells, others = [], 0
    for module in netlist["modules"].values():
        for name, cell in module["cells"].items():
            if cell["type"] == _MULTIPLIER:
                found = _NAME.search(name)
                if found:
                    row, pair, lane = map(int, found.groups())
                    cells.append((row, 2 * pair + lane, cell))
                else:
                    others += 1
    if not cells or len(cells) + others > len(_ROWS) * len(_SITES):
        return 0
    cells.sort(key=lambda cell: cell[:2])
    for y, band in zip(_ROWS, _bands(cells, others)):
        band.sort(key=lambda cell: (cell[1], cell[0]))
        first = (len(_SITES) - len(band)) // 2
        for (x, site), (_, _, cell) in zip(_SITES[first:], band):
            cell["attributes"]["BEL"] = f"X{x}/Y{y}/{site}"
    return len(cells)
