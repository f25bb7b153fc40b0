"""Instructions COMPUTE, SOLVE and DRAIN_PLANES in numpy."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from weft.spec.fixed_point_extents import FACTOR_BYTES
from weft.spec.fixed_point_instructions import (
    NUMBER_BYTES,
    RECORD_BYTES,
    ComputeOp,
    InputType,
    OperandType,
    OutputType,
    Reduction,
    Scale,
    SolveOp,
)

from ..numerics import interpolation, quotients
from ..numerics.rounding_shift import Integers, limit, round_shift, saturate

__all__ = ["compute", "drain_planes", "solve"]

Fields = Mapping[str, int]
Bytes = npt.NDArray[np.uint8]

_INPUTS = {InputType.INT32: "<i4", InputType.UINT16: "<u2", InputType.INT8: "i1",
           InputType.INT16: "<i2"}
_VECTORS = {OperandType.INT32: "<i4", OperandType.UINT16: "<u2"}
_OUTPUTS = {OutputType.INT32: "<i4", OutputType.UINT16: "<u2", OutputType.INT8: "i1",
            OutputType.INT16: "<i2"}
_LARGEST = 32639        # of 16-bit activations
_MULTIPLIER_BITS = 26
_MULTIPLIER_MASK = (1 << _MULTIPLIER_BITS) - 1
_SHIFT_MASK = 63
_SIGN = 1 << 31         # of an int32
_FUNCTIONS = {ComputeOp.SIGMOID: interpolation.sigmoid,
              ComputeOp.GELU_GATE: interpolation.gelu_gate}


def _index(addr: int, pitch: int, rows: int, size: int) -> npt.NDArray[np.int64]:
    """Return the addresses of the bytes of rows, as (row, byte)."""
    return addr + np.arange(rows, dtype=np.int64)[:, None] * pitch + np.arange(size)


def _read(spad: Bytes, addr: int, pitch: int, rows: int, count: int, kind: str) -> Integers:
    """Read ``count`` numbers of each row."""
    size = count * np.dtype(kind).itemsize
    return spad[_index(addr, pitch, rows, size)].view(kind).astype(np.int64)


def _write(spad: Bytes, addr: int, pitch: int, values: Integers, kind: str) -> None:
    raw = np.ascontiguousarray(values.astype(kind)).view(np.uint8)
    spad[_index(addr, pitch, len(values), raw.shape[1])] = raw


def _operand(spad: Bytes, v: Fields) -> tuple[Integers | int, Integers | int]:
    """Return operand b of COMPUTE, and what it adds to the shift."""
    kind, rows = OperandType(v["b_type"]), v["count"]
    if kind == OperandType.NONE:
        return 1, 0
    if kind in _VECTORS:
        return _read(spad, v["b_addr"], v["b_pitch"], rows, v["elements_count"], _VECTORS[kind]), 0
    words = _read(spad, v["b_addr"], v["b_pitch"], rows, 2 if kind == OperandType.FACTOR else 1,
                  "<i4")
    return words[:, :1], words[:, 1:] if kind == OperandType.FACTOR else 0


def _rotated(a: Integers, b: Integers, shift: Integers | int) -> Integers:
    real, imaginary, cosine, sine = a[:, ::2], a[:, 1::2], b[:, ::2], b[:, 1::2]
    result = np.empty_like(a)
    result[:, ::2] = round_shift(real * cosine - imaginary * sine, shift)
    result[:, 1::2] = round_shift(real * sine + imaginary * cosine, shift)
    return result


def _combined(op: ComputeOp, a: Integers, b: Integers | int, shift: Integers | int,
              fraction: int) -> Integers:
    """Return the results of COMPUTE before they are limited."""
    match op:
        case ComputeOp.MULTIPLY:
            return round_shift(a * b, shift)
        case ComputeOp.ADD:
            return a + b
        case ComputeOp.SUBTRACT:
            return a - b
        case ComputeOp.MAXIMUM:
            return np.maximum(a, b)
        case ComputeOp.ROTATE:
            return _rotated(a, np.broadcast_to(b, a.shape), shift)
        case ComputeOp.EXPONENTIAL:
            return interpolation.exponential(np.maximum(b - a, 0), fraction)
    return _FUNCTIONS[op](a, fraction)


def compute(spad: Bytes, v: Fields) -> None:
    """Execute a COMPUTE."""
    rows, elements = v["count"], v["elements_count"]
    a = _read(spad, v["a_addr"], v["a_pitch"], rows, elements, _INPUTS[InputType(v["a_type"])])
    b, added = _operand(spad, v)
    shift: Integers | int = v["shift"] + added
    if v["row_shift"]:
        shift = shift + _read(spad, v["row_addr"], RECORD_BYTES, rows, 1, "<i4")
    exact = _combined(ComputeOp(v["op"]), a, b, shift, v["shift"])
    result = saturate(exact)
    out_type = OutputType(v["out_type"])
    if out_type == OutputType.UINT16:
        result = np.minimum(np.maximum(exact, 0), (1 << 16) - 1)
    elif out_type == OutputType.INT8:
        result = limit(exact, 127)
    elif out_type in (OutputType.PLANES, OutputType.INT16):
        result = limit(exact, _LARGEST)
    if out_type in _OUTPUTS:
        _write(spad, v["out_addr"], v["out_pitch"], result, _OUTPUTS[out_type])
    elif out_type == OutputType.PLANES:
        low = (result + 128) % 256 - 128
        for plane, values in enumerate(((result - low) >> 8, low)):
            _write(spad, v["out_addr"] + plane * v["plane_pitch"], v["out_pitch"], values, "i1")
    if v["reduce"] != Reduction.NONE:
        for row, number in enumerate(_reduced(Reduction(v["reduce"]), exact, result)):
            start = v["row_addr"] + RECORD_BYTES * row
            spad[start:start + RECORD_BYTES] = np.frombuffer(
                number.to_bytes(RECORD_BYTES, "little", signed=True), np.uint8)


def _reduced(reduction: Reduction, exact: Integers, result: Integers) -> list[int]:
    """Return the reduction of each row."""
    match reduction:
        case Reduction.MAXIMUM:
            return [int(row.max()) for row in result]
        case Reduction.MAGNITUDE:
            return [int(np.abs(row).max()) for row in exact]
        case Reduction.SUM:
            return [int(row.sum()) for row in result]
    # squares of 32 bits: the sum can exceed 64 bits
    high, low = result >> 16, result & 0xFFFF
    return [(int(a) << 32) + (int(b) << 17) + int(c) for a, b, c in zip(
        (high * high).sum(1), (high * low).sum(1), (low * low).sum(1), strict=True)]


def solve(spad: Bytes, v: Fields) -> None:
    """Execute a SOLVE."""
    op = SolveOp(v["op"])
    raw = spad[_index(v["a_addr"], v["a_pitch"], v["count"], NUMBER_BYTES)]
    for row, record in enumerate(raw):
        a = int.from_bytes(record[:NUMBER_BYTES].tobytes(), "little", signed=True)
        words: tuple[int, ...]
        match op:
            case SolveOp.ROOT:
                words = quotients.reciprocal_root(max(a, 0) + v["constant"])
            case SolveOp.SCALE:
                scale, words = quotients.scale(a)
                _write(spad, v["b_addr"] + row * v["b_pitch"], 0, np.array([[scale]]), "<u2")
            case SolveOp.SUM:
                words = quotients.sum_quotient(a)
            case SolveOp.MEAN:
                words = ((quotients.mean(a, v["constant"]) + _SIGN) % (2 * _SIGN) - _SIGN,)
            case SolveOp.EXPONENT:
                words = (quotients.exponent(a),)
        _write(spad, v["out_addr"] + row * v["out_pitch"], 0, np.array([words]), "<i4")
        assert 4 * len(words) <= FACTOR_BYTES


def drain_planes(spad: Bytes, acc: npt.NDArray[np.int32], v: Fields) -> None:
    """Execute a DRAIN_PLANES."""
    rows, count, channels = v["y_count"], v["x_count"], v["channels"]
    first = v["acc_addr"] + np.arange(rows)[:, None] * v["acc_pitch"] + np.arange(2 * count)
    sums = acc[first, :channels].astype(np.int64)
    result = saturate(round_shift(256 * sums[:, ::2] + sums[:, 1::2], v["pre_shift"]))
    if v["scale"] == Scale.CHANNELS:
        words = _read(spad, v["b_addr"], v["b_pitch"], rows, 2 * channels, "<i4")[:, None]
        packed, bias = words[..., :channels], words[..., channels:]
        multiplier = packed & _MULTIPLIER_MASK
        amount: Integers = (packed >> _MULTIPLIER_BITS & _SHIFT_MASK) + v["shift"]
        if v["exponent"]:
            amount = amount - _read(spad, v["row_addr"], RECORD_BYTES, count, 1, "<i4")
        result = saturate(saturate(round_shift(result * multiplier, amount)) + bias)
    elif v["scale"] == Scale.VECTOR:
        factors = _read(spad, v["b_addr"], v["b_pitch"], rows, channels, "<u2")[:, None]
        result = saturate(round_shift(result * factors, v["shift"]))
    for y, values in enumerate(result) if count > 1 else [(0, result[:, 0])]:
        out = v["out_addr"] + y * v["y_pitch"]
        pitch = v["x_pitch"] if count > 1 else v["y_pitch"]
        if v["add"]:
            values = saturate(values + _read(spad, out, pitch, len(values), channels, "<i4"))
        _write(spad, out, pitch, values, "<i4")
