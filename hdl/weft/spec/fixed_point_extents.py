"""Memory ranges that the fixed-point instructions access, as a table."""

import typing
from collections.abc import Mapping

from .error_codes import ErrorCode
from .extent_format import HOST, Extent, Term
from .fixed_point_instructions import (
    RECORD_BYTES,
    InputType,
    OperandType,
    OutputType,
    Scale,
    SolveOp,
)

__all__ = ["CHANNEL_BYTES", "FACTOR_BYTES", "FIXED_POINT_EXTENTS"]

CHANNEL_BYTES = 8
"""Bytes of the parameters of a channel: multiplier and shift in a uint32, and an int32 bias."""
FACTOR_BYTES = 8
"""Bytes of a factor: an int32 multiplier and an int32 shift."""

# bytes of an element, and sizes, by the value of the field with the type
_INPUT_BYTES: dict[int, int] = {
    InputType.INT32: 4, InputType.UINT16: 2, InputType.INT8: 1, InputType.INT16: 2}
_OUTPUT_BYTES: dict[int, int] = {
    OutputType.INT32: 4, OutputType.UINT16: 2, OutputType.INT8: 1, OutputType.INT16: 2}
_OPERAND_BYTES: dict[int, str] = {
    OperandType.INT32: "4*elements_count", OperandType.UINT16: "2*elements_count",
    OperandType.ROW: "4", OperandType.FACTOR: f"{FACTOR_BYTES}"}
_RESULT_BYTES: dict[int, str] = {
    op: "4" if op in (SolveOp.MEAN, SolveOp.EXPONENT) else f"{FACTOR_BYTES}" for op in SolveOp}


def _spad(base: str, *terms: Term, extra: str = "", condition: str = "", write: bool = False,
          kind: str = "", extras: Mapping[typing.Any, str] | None = None) -> Extent:
    return Extent("spad", ErrorCode.SPAD_BOUNDS, base, terms, extra, condition, write, kind,
                  tuple((int(value), size) for value, size in (extras or {}).items()))


def _elements(sizes: Mapping[typing.Any, int]) -> dict[int, str]:
    return {value: f"{size}*elements_count" for value, size in sizes.items()}


FIXED_POINT_EXTENTS: dict[str, tuple[Extent, ...]] = {
    "LOAD_RING": (
        # a row is at most as large as the weight buffer
        Extent("wgt", ErrorCode.WGT_BOUNDS, "bytes", (), ""),
        Extent(HOST, ErrorCode.HOST_WINDOW, "host_addr", (Term("count", "host_pitch"),), "bytes"),
    ),
    "MATMUL_RING": (
        _spad("act_addr", *(Term(f"{axis}_count", f"{axis}_pitch")
                            for axis in ("row", "chunk", "x")), extra="rows"),
        Extent("acc", ErrorCode.ACC_BOUNDS, "acc_addr", (Term("row_count", "acc_pitch"),),
               "x_count", write=True),
    ),
    "DRAIN_PLANES": (
        _spad("out_addr", Term("y_count", "y_pitch"), Term("x_count", "x_pitch"),
              extra="4*channels", write=True),
        Extent("acc", ErrorCode.ACC_BOUNDS, "acc_addr", (Term("y_count", "acc_pitch"),),
               "2*x_count"),
        _spad("b_addr", Term("y_count", "b_pitch"), kind="scale",
              extras={Scale.CHANNELS: f"{CHANNEL_BYTES}*channels", Scale.VECTOR: "2*channels"}),
        _spad("row_addr", Term("x_count", RECORD_BYTES), extra="4", condition="exponent"),
    ),
    "COMPUTE": (
        _spad("a_addr", Term("count", "a_pitch"), kind="a_type", extras=_elements(_INPUT_BYTES)),
        _spad("b_addr", Term("count", "b_pitch"), kind="b_type", extras=_OPERAND_BYTES),
        _spad("row_addr", Term("count", RECORD_BYTES), extra="4", condition="row_shift"),
        _spad("out_addr", Term("count", "out_pitch"), kind="out_type",
              extras=_elements(_OUTPUT_BYTES), write=True),
        _spad("out_addr", Term("count", "out_pitch"), Term(2, "plane_pitch"), kind="out_type",
              extras={OutputType.PLANES: "elements_count"}, write=True),
        _spad("row_addr", extra=f"{RECORD_BYTES}*count", condition="reduce", write=True),
    ),
    "SOLVE": (
        _spad("a_addr", Term("count", "a_pitch"), extra=f"{RECORD_BYTES}"),
        _spad("out_addr", Term("count", "out_pitch"), kind="op", extras=_RESULT_BYTES,
              write=True),
        _spad("b_addr", Term("count", "b_pitch"), kind="op", extras={SolveOp.SCALE: "2"},
              write=True),
    ),
}
"""Ranges by instruction, in the order of the checks."""
