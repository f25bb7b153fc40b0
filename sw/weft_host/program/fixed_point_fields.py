"""Checks of the fields of the fixed-point instructions."""

from collections.abc import Mapping

from weft.spec.config import Config
from weft.spec.fixed_point_instructions import (
    MAX_FRACTION,
    MAX_SHIFT,
    MIN_FRACTION,
    ComputeOp,
    InputType,
    OperandType,
    OutputType,
    Reduction,
    Scale,
    SolveOp,
)

__all__ = ["fixed_point_reason"]

_COMPUTE_TYPES = {"op": ComputeOp, "a_type": InputType, "b_type": OperandType,
                  "out_type": OutputType, "reduce": Reduction}
_TWO_OPERANDS = frozenset({ComputeOp.ADD, ComputeOp.SUBTRACT, ComputeOp.MAXIMUM})
_ONE_OPERAND = frozenset({ComputeOp.SIGMOID, ComputeOp.GELU_GATE})


def _drain_planes_reason(v: Mapping[str, int]) -> str | None:
    if v["scale"] not in frozenset(Scale):
        return f"scale is {v['scale']} and must be at most {max(Scale):d}"
    if v["pre_shift"] > MAX_SHIFT:
        return f"pre_shift is {v['pre_shift']} and must be at most {MAX_SHIFT}"
    if v["exponent"] and v["scale"] != Scale.CHANNELS:
        return "exponent is set, which requires scale 1"
    if v["shift"] < 0 and v["scale"] == Scale.VECTOR:
        return f"shift is {v['shift']} and must not be negative with scale 2"
    return None


def _compute_reason(v: Mapping[str, int]) -> str | None:
    for name, kind in _COMPUTE_TYPES.items():
        if v[name] not in frozenset(kind):
            return f"{name} is {v[name]} and must be at most {max(kind):d}"
    op, b_type = ComputeOp(v["op"]), OperandType(v["b_type"])
    if v["row_shift"] and (op != ComputeOp.MULTIPLY or v["reduce"]):
        return "row_shift is set, which requires op MULTIPLY and reduce 0"
    if v["reduce"] == Reduction.SQUARES and (op, b_type, v["out_type"], v["shift"]) != (
            ComputeOp.MULTIPLY, OperandType.NONE, OutputType.NONE, 0):
        return "op, b_type, out_type and shift must be 0 with reduce 4"
    if op in _TWO_OPERANDS and b_type not in (OperandType.INT32, OperandType.UINT16,
                                              OperandType.ROW):
        return f"b_type is {b_type:d} and must be 1, 2 or 3 with op {op.name}"
    if op in _ONE_OPERAND and b_type != OperandType.NONE:
        return f"b_type is {b_type:d} and must be 0 with op {op.name}"
    if op == ComputeOp.EXPONENTIAL and b_type != OperandType.ROW:
        return f"b_type is {b_type:d} and must be 3 with op EXPONENTIAL"
    if (op in _ONE_OPERAND or op == ComputeOp.EXPONENTIAL) and not (
            MIN_FRACTION <= v["shift"] <= MAX_FRACTION):
        return (f"shift is {v['shift']} and must be from {MIN_FRACTION} to {MAX_FRACTION} with op "
                f"{op.name}")
    if op == ComputeOp.ROTATE:
        if (v["a_type"], b_type, v["out_type"]) != (
                InputType.INT32, OperandType.INT32, OutputType.INT32):
            return "a_type, b_type and out_type must be int32 with op ROTATE"
        if v["elements_count"] % 2:
            return f"elements_count is {v['elements_count']} and must be even with op ROTATE"
    return None


def _solve_reason(v: Mapping[str, int]) -> str | None:
    if v["op"] not in frozenset(SolveOp):
        return f"op is {v['op']} and must be at most {max(SolveOp):d}"
    if v["op"] == SolveOp.MEAN and not v["constant"]:
        return "constant is 0 and must be at least 1 with op MEAN"
    return None


def _matmul_ring_reason(v: Mapping[str, int]) -> str | None:
    if v["acc_pitch"] not in (0, v["x_count"]):
        return f"acc_pitch is {v['acc_pitch']} and must be 0 or x_count, {v['x_count']}"
    return None


_REASONS = {"MATMUL_RING": _matmul_ring_reason, "DRAIN_PLANES": _drain_planes_reason,
            "COMPUTE": _compute_reason, "SOLVE": _solve_reason}


def fixed_point_reason(config: Config, name: str, values: Mapping[str, int]) -> str | None:
    """Return the reason why a field of a fixed-point instruction is out of range, if one is."""
    if name == "LOAD_RING" and values["bytes"] % config.tile_bytes:
        return (f"bytes is {values['bytes']} and must be a multiple of the {config.tile_bytes} "
                "bytes of a tile")
    if name == "LOAD_RING_4BIT" and values["host_addr"] % config.bus_bytes:
        return (f"host_addr is {values['host_addr']:#x} and must be a multiple of the "
                f"{config.bus_bytes} bytes of a beat")
    return _REASONS[name](values) if name in _REASONS else None
