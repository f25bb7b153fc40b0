"""Strided range of a memory that an instruction accesses."""

import typing

__all__ = ["Region"]


class Region(typing.NamedTuple):
    """Strided range of one memory that an instruction reads or writes.

    The region consists of ``size`` consecutive elements from ``start``, repeated for every
    combination of the ``loops``.

    Attributes
    ----------
    space : :class:`str`
        Memory: ``"spad"``, ``"wgt"`` or ``"host"``, whose elements are bytes, or ``"acc"``, whose
        elements are rows of accumulators. Host addresses are relative to MEM_BASE.
    write : :class:`bool`
        The instruction writes the region; otherwise it reads it.
    start : :class:`int`
        Index of the first element.
    size : :class:`int`
        Number of consecutive elements.
    loops : tuple of (:class:`int`, :class:`int`)
        Count, and pitch in elements, of each repetition, the outermost first.
    addr : :class:`int`
        Value of the address field. The error record contains it if the region is refused.
    """

    space: str
    write: bool
    start: int
    size: int
    loops: tuple[tuple[int, int], ...]
    addr: int

    @property
    def end(self) -> int:
        """Index of the last element plus 1."""
        end = self.start + self.size
        for count, pitch in self.loops:
            end += (count - 1) * pitch
        return end
