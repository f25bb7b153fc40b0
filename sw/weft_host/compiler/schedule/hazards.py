"""Which instructions must wait for which: every conflict on a byte of a memory, found exactly."""

import dataclasses

import numpy as np
from numpy.lib.stride_tricks import as_strided

from weft.spec.isa import UNITS

__all__ = ["Access", "Hazards"]


@dataclasses.dataclass(frozen=True, slots=True)
class Access:
    """Bytes (of accumulators: rows) that an instruction reads or writes.

    ``size`` consecutive ones from ``start``, repeated for each ``(count, pitch)`` of ``loops``.
    Surplus bytes that meet zero weights are no access: whatever they hold, no result changes.
    """

    space: str
    write: bool
    start: int
    size: int
    loops: tuple[tuple[int, int], ...] = ()

    @property
    def end(self):
        """One past the last byte."""
        return self.start + self.size + sum((count - 1) * pitch for count, pitch in self.loops)

    def view(self, array):
        """The elements of ``array`` that are touched."""
        loops = tuple((count, pitch) for count, pitch in self.loops if count > 1)
        if loops and loops[-1][1] == self.size:     # the innermost loop leaves no gap
            count, _ = loops[-1]
            return Access(self.space, self.write, self.start, self.size * count,
                          loops[:-1]).view(array)
        if not loops:
            return array[self.start:self.start + self.size]
        return as_strided(array[self.start:], [count for count, _ in loops] + [self.size],
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
                        latest = int(access.view(last[other]).max())
                        if latest > needs.get(other, -1):
                            needs[other] = latest
        for access in accesses:
            key = access.space, access.write
            access.view(self._last[key][unit])[...] = index
            self._used[key].add(unit)
        return needs
