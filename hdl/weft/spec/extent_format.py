"""Data types of the table of extents: the memory ranges that an instruction accesses."""

import dataclasses
import functools
from collections.abc import Mapping

from .error_codes import ErrorCode

__all__ = ["HOST", "Extent", "Term", "multiple"]

HOST = "host"


@functools.cache
def multiple(expression: str) -> tuple[int, str]:
    """Return factor and field of a size: ``"field"``, ``"4*field"``, or ``"4"`` without a field.

    The field is the empty string for a constant.
    """
    factor, _, name = expression.rpartition("*")
    return (int(name), "") if name.isdecimal() else (int(factor or 1), name)


@dataclasses.dataclass(frozen=True)
class Term:
    """Product ``(count - less) * pitch`` of two fields of an instruction.

    Attributes
    ----------
    count, pitch : :class:`str` or :class:`int`
        Names of the two fields, or constants. ``pitch`` may be a multiple of the columns of the
        array, such as ``"2*cols"``.
    less : :class:`int`
        1 if the term is the distance from the first to the last of ``count`` items; 0 if it is a
        size.
    hold : :class:`bool`
        The term is 1 if the field ``hold`` of the instruction is set.
    apart : :class:`str`
        Empty, or the name of the field that replaces ``count`` if the field ``apart`` of the
        instruction is set.
    """

    count: str | int
    pitch: str | int
    less: int = 1
    hold: bool = False
    apart: str = ""

    def value(self, fields: Mapping[str, int]) -> int:
        """Return the value of the term for the decoded ``fields`` of an instruction."""
        if self.hold and fields["hold"]:
            return 1
        return (self.items(fields) - self.less) * self.distance(fields)

    def items(self, fields: Mapping[str, int]) -> int:
        """Return the number of items that the term counts."""
        if isinstance(self.count, int):
            return self.count
        return fields[self.apart if self.apart and fields["apart"] else self.count]

    def distance(self, fields: Mapping[str, int]) -> int:
        """Return the distance from one item to the next."""
        if isinstance(self.pitch, int):
            return self.pitch
        factor, name = multiple(self.pitch)
        return factor * fields[name]

    @property
    def names(self) -> list[str]:
        """Names of the fields."""
        return [name for name in (self.count, self.pitch, self.apart)
                if isinstance(name, str) and name and not name.endswith("*cols")]


@dataclasses.dataclass(frozen=True)
class Extent:
    """Range from ``base`` to ``base`` + the sum of ``terms`` + ``extra``, end excluded.

    Attributes
    ----------
    memory : :class:`str`
        ``"spad"``, ``"wgt"`` (both in bytes), ``"tiles"`` (the weight buffer, in tiles), ``"acc"``
        (in accumulator rows) or :data:`HOST` (in bytes).
    code : :class:`ErrorCode`
        Error that is reported if the range exceeds its memory, or if no window contains it.
    base : :class:`str`
        Name of the field with the first address. In host memory it is relative to MEM_BASE.
    terms : tuple of :class:`Term`
        Distances and sizes that are added up.
    extra : :class:`str`
        Last addend: empty for 0, the name of a field, a multiple of a field or a number (see
        :func:`multiple`), or one of ``"rows"`` (of the array), ``"outputs"`` (channels times the
        bytes of an output) and ``"table"`` (the bytes of a table).
    condition : :class:`str`
        Empty, or the name of a field: the range is accessed only if that field is not 0.
    write : :class:`bool`
        The instruction writes the range; otherwise it reads it.
    kind : :class:`str`
        Empty, or the name of a field whose value selects the last addend from ``extras`` instead.
    extras : tuple of (:class:`int`, :class:`str`)
        Values of the field ``kind`` with which the range is accessed, and the last addend of each:
        a multiple of a field, or a number.
    """

    memory: str
    code: ErrorCode
    base: str
    terms: tuple[Term, ...]
    extra: str
    condition: str = ""
    write: bool = False
    kind: str = ""
    extras: tuple[tuple[int, str], ...] = ()

    @functools.cached_property
    def by_kind(self) -> dict[int, str]:
        """The last addend for each value of the field ``kind``."""
        return dict(self.extras)
