"""Hazards between instructions of different units, detected exactly for every byte of a memory."""

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from weft.spec.isa import UNITS
from weft.spec.region import Region

__all__ = ["HazardDetector", "view"]

_Indices = npt.NDArray[np.int32]


def view(region: Region, array: _Indices) -> _Indices:
    """Return the elements of ``array`` that a region covers, without copying them."""
    size = region.size
    loops = [(count, pitch) for count, pitch in region.loops if count > 1]
    while loops and loops[-1][1] == size:       # the innermost loop leaves no gap
        size *= loops.pop()[0]
    if not loops:
        return array[region.start:region.start + size]
    item = array.itemsize
    return np.ndarray([count for count, _ in loops] + [size], array.dtype, array,
                      region.start * item, [pitch * item for _, pitch in loops] + [item])


class HazardDetector:
    """Record of the last reader and the last writer of every element, for each unit.

    Instructions are added in an order that computes the right result if they are executed one by
    one. Instructions of one unit stay in this order, so that only hazards between units matter.

    Parameters
    ----------
    sizes : mapping of str to int
        Number of elements of each memory that regions name.
    """

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self._last = {(space, write): np.full((len(UNITS), size), -1, np.int32)
                      for space, size in sizes.items() for write in (False, True)}
        self._users: dict[tuple[str, bool], set[int]] = {key: set() for key in self._last}

    def add(self, index: int, unit: int, regions: Iterable[Region]) -> dict[int, int]:
        """Add an instruction, and return the instructions for which it must wait.

        Parameters
        ----------
        index, unit : :class:`int`
            Index of the instruction, and the unit that executes it.
        regions : iterable of :class:`weft.spec.extents.Region`
            Memory that it accesses.

        Returns
        -------
        dict of int to int
            For each other unit with a hazard, the index of the latest conflicting instruction.
        """
        regions = list(regions)
        dependencies: dict[int, int] = {}
        for region in regions:
            # a read conflicts with writes; a write conflicts with reads and writes
            for write in (True, False) if region.write else (True,):
                last = self._last[region.space, write]
                for other in self._users[region.space, write]:
                    if other != unit:
                        latest = int(np.maximum.reduce(view(region, last[other]), axis=None))
                        if latest > dependencies.get(other, -1):
                            dependencies[other] = latest
        for region in regions:
            key = region.space, region.write
            view(region, self._last[key][unit])[...] = index
            self._users[key].add(unit)
        return dependencies
