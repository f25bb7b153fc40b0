"""Memory ranges that each instruction accesses, as a table.

The hardware's validator is generated from :func:`extents_of`. The host software evaluates the
tables with :func:`regions`, to check a program before a run and to find hazards between
instructions.
"""

from collections.abc import Mapping

from . import isa
from .config import Config
from .extent_format import HOST, Extent, Term, multiple
from .fixed_point_extents import FIXED_POINT_EXTENTS
from .four_bit import PACKET_BEATS
from .isa import ErrorCode, Mode
from .region import Region

__all__ = ["ALL_EXTENTS", "EXTENTS", "HOST", "Extent", "Region", "Term", "extents_of", "regions"]


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
"""Ranges by instruction, in the order of the checks. Other instructions access no memory.

Those of the fixed-point instructions are in :mod:`weft.spec.fixed_point_extents`.
"""

_FOUR_BIT_EXTENTS: dict[str, tuple[Extent, ...]] = {
    "LOAD_RING_4BIT": (
        Extent(HOST, ErrorCode.HOST_WINDOW, "host_addr",
               (Term("count", f"{PACKET_BEATS}*cols", less=0),), ""),
    ),
}

ALL_EXTENTS: dict[str, tuple[Extent, ...]] = {
    **EXTENTS, **FIXED_POINT_EXTENTS, **_FOUR_BIT_EXTENTS}
"""Ranges of the instructions of all configurations."""

for _name, _extents in ALL_EXTENTS.items():
    for _extent in _extents:
        for _field in (_extent.base, *filter(None, (_extent.condition, _extent.kind)),
                       *(field for term in _extent.terms for field in term.names)):
            isa.BY_NAME[_name].field(_field)


def extents_of(config: Config) -> dict[str, tuple[Extent, ...]]:
    """Return the ranges of each instruction that the units of a configuration execute."""
    found = EXTENTS | FIXED_POINT_EXTENTS if config.fixed_point else EXTENTS
    return found | _FOUR_BIT_EXTENTS if config.weights_4bit else found


def _extra(config: Config, extra: str, fields: Mapping[str, int]) -> int:
    match extra:
        case "":
            return 0
        case "rows":
            return config.rows
        case "outputs":
            return fields["channels"] * (4 if fields["mode"] == Mode.RAW else 1)
        case "table":
            return isa.TABLE_BYTES
    factor, name = multiple(extra)
    return factor * fields[name] if name else factor


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
    elif name in _FOUR_BIT_EXTENTS:
        fields = {"cols": config.cols, **fields}
    found = []
    for extent in ALL_EXTENTS.get(name, ()):
        if extent.condition and not fields[extent.condition]:
            continue
        extra = extent.by_kind.get(fields[extent.kind]) if extent.kind else extent.extra
        if extra is None:
            continue
        space, unit = ("wgt", config.tile_bytes) if extent.memory == "tiles" else (
            extent.memory, 1)
        size, loops = _extra(config, extra, fields), []
        for term in extent.terms:
            if term.less:
                loops.append((term.items(fields), term.distance(fields)))
            else:
                size += term.value(fields)
        addr = fields[extent.base]
        found.append(Region(space, extent.write, addr * unit, size * unit, tuple(loops), addr))
    return found
