"""Which instructions must wait for which: every conflict on a byte of a memory, found exactly."""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from weft.spec.isa import UNITS

__all__ = ["Hazards", "view"]


def view(region, array):
    """Return the elements of ``array`` that a region covers, without copying them."""
    size = region.size
    loops = [(count, pitch) for count, pitch in region.loops if count > 1]
    while loops and loops[-1][1] == size:       # the innermost loop leaves no gap
        size *= loops.pop()[0]
    if not loops:
        return array[region.start:region.start + size]
    return as_strided(array[region.start:], [count for count, _ in loops] + [size],
                      [pitch * array.itemsize for _, pitch in loops] + [array.itemsize])


class Hazards:
    """The last reader and writer of every byte, unit by unit.

    Instructions are added in an order in which they would give the right result one after the
    other. Those of one unit stay in that order, so only conflicts between units count.

    Parameters
    ----------
    sizes : dict of str to int
        Size of each space that accesses name.
    """

    def __init__(self, sizes):
        self._last = {(space, write): np.full((len(UNITS), size), -1, np.int32)
                      for space, size in sizes.items() for write in (False, True)}
        self._used: dict[tuple[str, bool], set[int]] = {key: set() for key in self._last}

    def add(self, index, unit, accesses):
        """Add instruction ``index`` of ``unit``; returns {other unit: instruction to wait for}.

        The instruction named is the latest of that unit which must be done before; a unit with
        which there is no conflict is left out.
        """
        needs: dict[int, int] = {}
        for access in accesses:
            # a read waits for writes; a write waits for writes and for reads
            for write in (True, False) if access.write else (True,):
                last = self._last[access.space, write]
                for other in self._used[access.space, write]:
                    if other != unit:
                        latest = int(view(access, last[other]).max())
                        if latest > needs.get(other, -1):
                            needs[other] = latest
        for access in accesses:
            key = access.space, access.write
            view(access, self._last[key][unit])[...] = index
            self._used[key].add(unit)
        return needs
