"""Sites of the array's multipliers on an LFE5U-85F, assigned before nextpnr places other cells.

The device has three rows of multipliers, up to half its height apart. Without this assignment
nextpnr spreads those of the array over all rows, and the routes to their adders become the critical
paths. Here a few rows of the array share a row of the device, column beside column.
"""

from __future__ import annotations

import pathlib
import re
from typing import Any

from netlists import edit_netlist

__all__ = ["has_sites", "place_multipliers"]

# in nextpnr's coordinates
_ROWS = (10, 34, 58)
_BLOCKS = (4, 13, 22, 31, 40, 49, 58, 69, 78, 87, 96, 105, 114)
_IN_BLOCK = ((0, "MULT18_0"), (1, "MULT18_1"), (4, "MULT18_4"), (5, "MULT18_5"))
_SITES = [(block + offset, name) for block in _BLOCKS for offset, name in _IN_BLOCK]
_MULTIPLIER = "MULT18X18D"
_NAME = re.compile(r"(?:^|\.)grid\.mult_(\d+)_(\d+)_ecp5_(\d+)$")

Multiplier = tuple[int, int, dict[str, Any]]    # row and column of the array, cell


def has_sites(device_name: str) -> bool:
    """Return whether the sites of a device's multipliers are listed here."""
    return "-85F" in device_name


def place_multipliers(path: pathlib.Path) -> int:
    """Assign sites to the array's multipliers in Yosys' netlist ``path``; return how many have one.

    None has one if the device has too few multipliers, which nextpnr reports.
    """
    with edit_netlist(path) as netlist:
        return _place(netlist)


def _place(netlist: dict[str, Any]) -> int:
    multipliers: list[Multiplier] = []
    others = 0
    for module in netlist["modules"].values():
        for name, cell in module["cells"].items():
            if cell["type"] == _MULTIPLIER:
                found = _NAME.search(name)
                if found:
                    row, pair, lane = map(int, found.groups())
                    multipliers.append((row, 2 * pair + lane, cell))
                else:
                    others += 1
    if not multipliers or len(multipliers) + others > len(_ROWS) * len(_SITES):
        return 0
    multipliers.sort(key=lambda multiplier: multiplier[:2])
    for y, band in zip(_ROWS, _bands(multipliers, others)):
        band.sort(key=lambda multiplier: (multiplier[1], multiplier[0]))
        first = (len(_SITES) - len(band)) // 2
        for (x, site), (_, _, cell) in zip(_SITES[first:], band):
            cell["attributes"]["BEL"] = f"X{x}/Y{y}/{site}"
    return len(multipliers)


def _bands(multipliers: list[Multiplier], others: int) -> list[list[Multiplier]]:
    """Split the array's multipliers, sorted by row, into those of each row of the device.

    Whole rows of the array are distributed evenly, if the rows of the device that are left have
    room for the ``others`` of the design. Otherwise one row after the other is filled.
    """
    room = len(_SITES)
    filled = [multipliers[first:first + room] for first in range(0, len(multipliers), room)]
    count = len(filled)
    if others > room * (len(_ROWS) - count):
        return filled
    rows = sorted({row for row, _, _ in multipliers})
    bands: list[list[Multiplier]] = [[] for _ in range(count)]
    for multiplier in multipliers:
        bands[rows.index(multiplier[0]) * count // len(rows)].append(multiplier)
    return filled if max(map(len, bands)) > room else bands
