"""Which ranges of memory an instruction touches, as data: the validator is made from it."""

import dataclasses

from . import isa
from .isa import ErrorCode

__all__ = ["Term", "Extent", "EXTENTS", "HOST"]

HOST = "host"


@dataclasses.dataclass(frozen=True)
class Term:
    """``(count - less) * pitch``: both are names of fields.

    With ``hold`` set, the term counts as 1 if the instruction's field ``hold`` is set. With
    ``apart``, that is the count in place of ``count`` if the field ``apart`` is set.
    """

    count: str
    pitch: str
    less: int = 1
    hold: bool = False
    apart: str = ""


@dataclasses.dataclass(frozen=True)
class Extent:
    """From ``base`` to before ``base`` + the sum of ``terms`` + ``extra``.

    Attributes
    ----------
    memory : :class:`str`
        ``"spad"``, ``"wgt"``, ``"tiles"`` (the weight buffer, in tiles), ``"acc"`` (in rows) or
        :data:`HOST`.
    code : :class:`ErrorCode`
        What is reported if the extent is refused.
    base : :class:`str`
        A field, relative to MEM_BASE in host memory.
    terms : tuple of :class:`Term`
    extra : :class:`str`
        The name of a field, ``"rows"`` (of the array), ``"4*channels"``, ``"8*channels"``,
        ``"outputs"`` (channels times the bytes of an output), ``"table"`` (the bytes of one) or
        empty.
    condition : :class:`str`
        A field that is 0 if the extent is not touched, or empty.
    """

    memory: str
    code: ErrorCode
    base: str
    terms: tuple
    extra: str
    condition: str = ""
    write: bool = False


def _copy(memory, code, *, host_write=False):
    return (
        Extent(memory, code, "local_addr", (Term("count", "local_pitch"),), "bytes"),
        Extent(HOST, ErrorCode.HOST_WINDOW, "host_addr", (Term("count", "host_pitch"),), "bytes",
               write=host_write),
    )


def _rows(name, condition=""):
    return Extent("spad", ErrorCode.SPAD_BOUNDS, f"{name}_addr", (Term("count", f"{name}_pitch"),),
                  "bytes", condition)


EXTENTS = {
    "LOAD": _copy("spad", ErrorCode.SPAD_BOUNDS),
    "LOAD_WGT": _copy("wgt", ErrorCode.WGT_BOUNDS),
    "FILL": _copy("spad", ErrorCode.SPAD_BOUNDS)[:1],
    "STORE": _copy("spad", ErrorCode.SPAD_BOUNDS, host_write=True),
    "MATMUL": (
        Extent("spad", ErrorCode.SPAD_BOUNDS, "act_addr", tuple(
            Term(f"{axis}_count", f"{axis}_pitch") for axis in ("row", "chunk", "y", "x"))
            + (Term("lead", "x_pitch", less=0),), "rows"),
        Extent("tiles", ErrorCode.WGT_BOUNDS, "wgt_addr",
               (Term("row_count", "chunk_count", less=0, hold=True),), ""),
        # with apart, y_count is 1
        Extent("acc", ErrorCode.ACC_BOUNDS, "acc_addr",
               (Term("y_count", "x_count", less=0, apart="row_count"),), ""),
    ),
    "PARAMS": (
        Extent("spad", ErrorCode.SPAD_BOUNDS, "bias_addr", (), "4*channels"),
        Extent("spad", ErrorCode.SPAD_BOUNDS, "scale_addr", (), "8*channels", "per_channel"),
    ),
    "DRAIN": (
        Extent("spad", ErrorCode.SPAD_BOUNDS, "out_addr",
               (Term("y_count", "y_pitch"), Term("x_count", "x_pitch")), "outputs"),
        Extent("acc", ErrorCode.ACC_BOUNDS, "acc_addr", (Term("y_count", "acc_pitch"),),
               "x_count"),
    ),
    "TABLE": (Extent("spad", ErrorCode.SPAD_BOUNDS, "table_addr", (), "table"),),
    "MAP": (_rows("a"), _rows("b", "op"), _rows("out")),
    "SOFTMAX": (_rows("a"), _rows("out")),
}
"""By instruction, in the order of the checks. Instructions that are not named touch no memory."""

for _name, _extents in EXTENTS.items():
    for _extent in _extents:
        for _field in (_extent.base, *(field for term in _extent.terms
                                       for field in (term.count, term.pitch, term.apart) if field)):
            isa.BY_NAME[_name].field(_field)
