"""Memory ranges that the fixed-point instructions access."""

from collections.abc import Callable, Mapping

from .fixed_point_instructions import (
    RECORD_BYTES,
    InputType,
    OperandType,
    OutputType,
    Reduction,
    Scale,
    SolveOp,
)
from .region import Region

__all__ = ["CHANNEL_BYTES", "FACTOR_BYTES", "fixed_point_regions"]

CHANNEL_BYTES = 8
"""Bytes of the parameters of a channel: multiplier and shift, and an int32 bias."""

FACTOR_BYTES = 8
"""Bytes of a factor: an int32 multiplier and an int32 shift."""

_INPUT_BYTES = {InputType.INT32: 4, InputType.UINT16: 2, InputType.INT8: 1,
                InputType.INT16: 2}
_OUTPUT_BYTES = {OutputType.INT32: 4, OutputType.UINT16: 2, OutputType.INT8: 1,
                 OutputType.INT16: 2}
_VECTOR_BYTES = {OperandType.INT32: 4, OperandType.UINT16: 2}
_ROW_BYTES = {OperandType.ROW: 4, OperandType.FACTOR: FACTOR_BYTES}

Fields = Mapping[str, int]


def _spad(addr: int, size: int, *loops: tuple[int, int], write: bool = False) -> Region:
    return Region("spad", write, addr, size, loops, addr)


def _drain_planes(v: Fields) -> list[Region]:
    y = v["y_count"]
    found = [
        _spad(v["out_addr"], 4 * v["channels"], (y, v["y_pitch"]), (v["x_count"], v["x_pitch"]),
              write=True),
        Region("acc", False, v["acc_addr"], 2 * v["x_count"], ((y, v["acc_pitch"]),),
               v["acc_addr"]),
    ]
    if v["scale"]:
        size = CHANNEL_BYTES if v["scale"] == Scale.CHANNELS else 2
        found.append(_spad(v["b_addr"], size * v["channels"], (y, v["b_pitch"])))
    if v["exponent"]:
        found.append(_spad(v["row_addr"], 4, (v["x_count"], RECORD_BYTES)))
    return found


def _load_ring(v: Fields) -> list[Region]:
    return [Region("host", False, v["host_addr"], v["bytes"], ((v["count"], v["host_pitch"]),),
                   v["host_addr"])]


def _compute(v: Fields) -> list[Region]:
    count, elements = v["count"], v["elements_count"]
    a_bytes = _INPUT_BYTES[InputType(v["a_type"])]
    found = [_spad(v["a_addr"], a_bytes * elements, (count, v["a_pitch"]))]
    b_type = OperandType(v["b_type"])
    if b_type in _VECTOR_BYTES:
        found.append(_spad(v["b_addr"], _VECTOR_BYTES[b_type] * elements, (count, v["b_pitch"])))
    elif b_type in _ROW_BYTES:
        found.append(_spad(v["b_addr"], _ROW_BYTES[b_type], (count, v["b_pitch"])))
    if v["row_shift"]:
        found.append(_spad(v["row_addr"], 4, (count, RECORD_BYTES)))
    out_type = OutputType(v["out_type"])
    if out_type in _OUTPUT_BYTES:
        found.append(_spad(v["out_addr"], _OUTPUT_BYTES[out_type] * elements,
                           (count, v["out_pitch"]), write=True))
    elif out_type == OutputType.PLANES:
        found.append(_spad(v["out_addr"], elements, (count, v["out_pitch"]),
                           (2, v["plane_pitch"]), write=True))
    if v["reduce"] != Reduction.NONE:
        found.append(_spad(v["row_addr"], RECORD_BYTES * count, write=True))
    return found


def _solve(v: Fields) -> list[Region]:
    op, count = SolveOp(v["op"]), v["count"]
    size = 4 if op in (SolveOp.MEAN, SolveOp.EXPONENT) else FACTOR_BYTES
    found = [_spad(v["a_addr"], RECORD_BYTES, (count, v["a_pitch"])),
             _spad(v["out_addr"], size, (count, v["out_pitch"]), write=True)]
    if op == SolveOp.SCALE:
        found.append(_spad(v["b_addr"], 2, (count, v["b_pitch"]), write=True))
    return found


def _matmul_ring(v: Fields, rows: int) -> list[Region]:
    loops = tuple((v[f"{axis}_count"], v[f"{axis}_pitch"]) for axis in ("row", "chunk", "x"))
    return [_spad(v["act_addr"], rows, *loops),
            Region("acc", True, v["acc_addr"], v["x_count"], ((v["row_count"], v["acc_pitch"]),),
                   v["acc_addr"])]


def fixed_point_regions(rows: int, name: str, fields: Fields) -> list[Region] | None:
    """Return the regions that a fixed-point instruction accesses, in the order of the checks.

    ``None`` for other instructions.

    Parameters
    ----------
    rows : rows of the array.
    name, fields : the instruction.
    """
    if name == "MATMUL_RING":
        return _matmul_ring(fields, rows)
    return _REGIONS[name](fields) if name in _REGIONS else None


_REGIONS: dict[str, Callable[[Fields], list[Region]]] = {
    "LOAD_RING": _load_ring, "DRAIN_PLANES": _drain_planes, "COMPUTE": _compute, "SOLVE": _solve}
