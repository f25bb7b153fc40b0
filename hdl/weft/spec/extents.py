"""Memory ranges that each instruction accesses, as a table.

The hardware's validator is generated from :data:`EXTENTS`. The host software evaluates the table
with :func:`regions`, to check a program before a run and to find hazards between instructions.
"""

import dataclasses
from collections.abc import Mapping

from . import isa
from .config import Config
from .fixed_point_extents import fixed_point_regions
from .isa import ErrorCode, Mode
from .region import Region

__all__ = ["EXTENTS", "HOST", "Extent", "Region", "Term", "regions"]

HOST = "host"


@dataclasses.dataclass(frozen=True)
class Term:
    """Product ``(count - less) * pitch`` of two fields of an instruction.

    Attributes
    ----------
    count, pitch : :class:`str`
        Names of the two fields.
    less : :class:`int`
        1 if the term is the distance from the first to the last of ``count`` items; 0 if it is a
        size.
    hold : :class:`bool`
        The term is 1 if the field ``hold`` of the instruction is set.
    apart : :class:`str`
        Empty, or the name of the field that replaces ``count`` if the field ``apart`` of the
        instruction is set.
    """

    count: str
    pitch: str
    less: int = 1
    hold: bool = False
    apart: str = ""

    def value(self, fields: Mapping[str, int]) -> int:
        """Return the value of the term for the decoded ``fields`` of an instruction."""
        if self.hold and fields["hold"]:
            return 1
        return (self.items(fields) - self.less) * fields[self.pitch]

    def items(self, fields: Mapping[str, int]) -> int:
        """Return the number of items that the term counts."""
        return fields[self.apart if self.apart and fields["apart"] else self.count]


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
        Last addend: empty for 0, the name of a field, or one of ``"rows"`` (of the array),
        ``"4*channels"``, ``"8*channels"``, ``"outputs"`` (channels times the bytes of an output)
        and ``"table"`` (the bytes of a table).
    condition : :class:`str`
        Empty, or the name of a field: the range is accessed only if that field is not 0.
    write : :class:`bool`
        The instruction writes the range; otherwise it reads it.
    """

    memory: str
    code: ErrorCode
    base: str
    terms: tuple[Term, ...]
    extra: str
    condition: str = ""
    write: bool = False


def _copy(memory: str, code: ErrorCode, *, to_host: bool = False) -> tuple[Extent, Extent]:
    return (
        Extent(memory, code, "local_addr", (Term("count", "local_pitch"),), "bytes",
               write=not to_host),
        Extent(HOST, ErrorCode.HOST_WINDOW, "host_addr", (Term("count", "host_pitch"),), "bytes",
               write=to_host),
    )


def _operand(name: str, condition: str = "", *, write: bool = False) -> Extent:
    return Extent("spad", ErrorCode.SPAD_BOUNDS, f"{name}_addr", (Term("count", f"{name}_pitch"),),
                  "bytes", condition, write)


EXTENTS: dict[str, tuple[Extent, ...]] = {
    "LOAD": _copy("spad", ErrorCode.SPAD_BOUNDS),
    "LOAD_WGT": _copy("wgt", ErrorCode.WGT_BOUNDS),
    "FILL": _copy("spad", ErrorCode.SPAD_BOUNDS)[:1],
    "STORE": _copy("spad", ErrorCode.SPAD_BOUNDS, to_host=True),
    "MATMUL": (
        Extent("spad", ErrorCode.SPAD_BOUNDS, "act_addr", tuple(
            Term(f"{axis}_count", f"{axis}_pitch") for axis in ("row", "chunk", "y", "x"))
            + (Term("lead", "x_pitch", less=0),), "rows"),
        Extent("tiles", ErrorCode.WGT_BOUNDS, "wgt_addr",
               (Term("row_count", "chunk_count", less=0, hold=True),), ""),
        # with apart set, y_count is 1
        Extent("acc", ErrorCode.ACC_BOUNDS, "acc_addr",
               (Term("y_count", "x_count", less=0, apart="row_count"),), "", write=True),
    ),
    "PARAMS": (
        Extent("spad", ErrorCode.SPAD_BOUNDS, "bias_addr", (), "4*channels"),
        Extent("spad", ErrorCode.SPAD_BOUNDS, "scale_addr", (), "8*channels", "per_channel"),
    ),
    "DRAIN": (
        Extent("spad", ErrorCode.SPAD_BOUNDS, "out_addr",
               (Term("y_count", "y_pitch"), Term("x_count", "x_pitch")), "outputs", write=True),
        Extent("acc", ErrorCode.ACC_BOUNDS, "acc_addr", (Term("y_count", "acc_pitch"),),
               "x_count"),
    ),
    "TABLE": (Extent("spad", ErrorCode.SPAD_BOUNDS, "table_addr", (), "table"),),
    "MAP": (_operand("a"), _operand("b", "op"), _operand("out", write=True)),
    "SOFTMAX": (_operand("a"), _operand("out", write=True)),
}
"""Ranges by instruction, in the order of the checks. Other instructions access no memory."""

for _name, _extents in EXTENTS.items():
    for _extent in _extents:
        for _field in (_extent.base, *(field for term in _extent.terms
                                       for field in (term.count, term.pitch, term.apart) if field)):
            isa.BY_NAME[_name].field(_field)


def _extra(config: Config, extent: Extent, fields: Mapping[str, int]) -> int:
    match extent.extra:
        case "":
            return 0
        case "rows":
            return config.rows
        case "4*channels":
            return 4 * fields["channels"]
        case "8*channels":
            return 8 * fields["channels"]
        case "outputs":
            return fields["channels"] * (4 if fields["mode"] == Mode.RAW else 1)
        case "table":
            return isa.TABLE_BYTES
        case name:
            return fields[name]


def regions(config: Config, name: str, fields: Mapping[str, int]) -> list[Region]:
    """List the regions that an instruction accesses, in the order of the hardware's checks.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        Configuration that executes the instruction.
    name : :class:`str`
        Name of the instruction.
    fields : mapping of :class:`str` to :class:`int`
        Its decoded fields. ``lead``, ``hold`` and ``apart`` may be left out where they are 0.
    """
    if name == "MATMUL":
        fields = {"lead": 0, "hold": 0, "apart": 0, **fields}
    fixed_point = fixed_point_regions(config.rows, name, fields)
    if fixed_point is not None:
        return fixed_point
    found = []
    for extent in EXTENTS.get(name, ()):
        if extent.condition and not fields[extent.condition]:
            continue
        space, unit = ("wgt", config.tile_bytes) if extent.memory == "tiles" else (
            extent.memory, 1)
        size, loops = _extra(config, extent, fields), []
        for term in extent.terms:
            if term.less:
                loops.append((term.items(fields), fields[term.pitch]))
            else:
                size += term.value(fields)
        addr = fields[extent.base]
        found.append(Region(space, extent.write, addr * unit, size * unit, tuple(loops), addr))
    return found
