"""Names of ECP5 bels, such as ``X12/Y7/SLICEB.K1``, and their numbers within a logic tile."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["LUTS", "RAM_LUTS", "SLICES", "WRITE_PORT", "Bel", "slice_bel_name"]

SLICES = "ABCD"
LUTS = 8
"""LUTs of a logic tile. Their numbers are 0 to 7; the FF beside a LUT has the number plus 8."""

WRITE_PORT = 16
"""Number of the write port of a logic tile's distributed RAM."""

RAM_LUTS = 6
"""LUTs that a distributed RAM takes of its tile, the first ones."""

_BEL = re.compile(r"X(\d+)/Y(\d+)/(.*)$")
_SLICE_BEL = re.compile(r"SLICE([A-D])\.(K|FF|RAMW)([01]?)$")


class Bel(NamedTuple):
    """Bel of the device, by location and name."""

    x: int
    y: int
    name: str

    @classmethod
    def parse(cls, text: str) -> Bel:
        """Return the bel that nextpnr writes as ``text``."""
        found = _BEL.match(text)
        if not found:
            raise ValueError(f"{text!r} is no bel: expected Xcolumn/Yrow/name")
        return cls(int(found[1]), int(found[2]), found[3])

    @property
    def in_slice(self) -> bool:
        """True if the bel is part of a slice."""
        return _SLICE_BEL.match(self.name) is not None

    @property
    def number(self) -> int:
        """Number within the logic tile; 0 outside of slices."""
        found = _SLICE_BEL.match(self.name)
        if not found:
            return 0
        letter, kind, half = found.groups()
        if kind == "RAMW":
            return WRITE_PORT
        return SLICES.index(letter) * 2 + int(half) + (LUTS if kind == "FF" else 0)

    @property
    def tile(self) -> tuple[int, int, str | None]:
        """Location, and the name outside of slices: each site there counts as a tile of its own."""
        return self.x, self.y, None if self.in_slice else self.name


def slice_bel_name(number: int) -> str:
    """Return the name of a LUT, an FF, or the write port, for its number within a logic tile."""
    if number == WRITE_PORT:
        return "SLICEC.RAMW"
    kind = "FF" if number >= LUTS else "K"
    return f"SLICE{SLICES[number % LUTS // 2]}.{kind}{number % 2}"
