"""COMPUTE, SOLVE and DRAIN_PLANES in plain Python, written from the table of instructions.

The laws of the arithmetic are those of :mod:`support.language_models.plain_integers`.
"""

import math

from weft.spec.fixed_point_instructions import (
    ComputeOp,
    OperandType,
    OutputType,
    Reduction,
    SolveOp,
)

from .language_models import plain_integers as laws

__all__ = ["execute_plain"]

_A = {0: (4, True), 1: (2, False), 2: (1, True), 3: (2, True)}      # bytes and sign of a_type
_WIDTH = {OutputType.INT32: 4, OutputType.UINT16: 2, OutputType.INT8: 1, OutputType.INT16: 2}
_GATES = {ComputeOp.SIGMOID: laws.sigmoid, ComputeOp.GELU_GATE: laws.gelu_gate}


def _read(spad, address, size=4, signed=True):
    return int.from_bytes(spad[address:address + size], "little", signed=signed)


def _write(spad, address, value, size=4):
    spad[address:address + size] = (value % (1 << 8 * size)).to_bytes(size, "little")


def execute_plain(name, f, spad, acc=None):
    """Execute an instruction with fields ``f``.

    Parameters
    ----------
    name : :class:`str`
    f : :class:`dict`
    spad : :class:`bytearray`
        Scratchpad, which is changed.
    acc : list of lists of :class:`int`
        Rows of accumulators, for DRAIN_PLANES.
    """
    if name == "COMPUTE":
        for r in range(f["count"]):
            _compute_row(f, r, spad)
    elif name == "SOLVE":
        for r in range(f["count"]):
            _solve_row(f, r, spad)
    else:
        for y in range(f["y_count"]):
            for x in range(f["x_count"]):
                for channel in range(f["channels"]):
                    _drain(f, y, x, channel, spad, acc)


def _compute_row(f, r, spad):
    """Execute a row of COMPUTE; the operands are read before anything is written."""
    op, count = f["op"], f["elements_count"]
    size, signed = _A[f["a_type"]]
    a = [_read(spad, f["a_addr"] + r * f["a_pitch"] + i * size, size, signed) for i in range(count)]
    at = f["b_addr"] + r * f["b_pitch"]
    b_type, shift = f["b_type"], f["shift"]
    if b_type == OperandType.NONE:
        b = [1] * count
    elif b_type == OperandType.INT32:
        b = [_read(spad, at + 4 * i) for i in range(count)]
    elif b_type == OperandType.UINT16:
        b = [_read(spad, at + 2 * i, 2, False) for i in range(count)]
    else:
        b = [_read(spad, at)] * count
        shift += _read(spad, at + 4) if b_type == OperandType.FACTOR else 0
    if f["row_shift"]:
        shift += _read(spad, f["row_addr"] + 16 * r)
    exact = _results(op, a, b, max(0, shift), f["shift"])

    out_type, out = f["out_type"], f["out_addr"] + r * f["out_pitch"]
    limits = {OutputType.UINT16: lambda x: max(0, min(65535, x)),
              OutputType.INT8: lambda x: laws.limit16(x, 127),
              OutputType.PLANES: laws.limit16, OutputType.INT16: laws.limit16}
    limited = [limits.get(out_type, laws.limit32)(x) for x in exact]
    for i, value in enumerate(limited):
        if out_type == OutputType.PLANES:
            low = (value + 128) % 256 - 128
            _write(spad, out + i, (value - low) // 256, 1)
            _write(spad, out + f["plane_pitch"] + i, low, 1)
        elif out_type != OutputType.NONE:
            _write(spad, out + i * _WIDTH[out_type], value, _WIDTH[out_type])
    reductions = {
        Reduction.MAXIMUM: lambda: max(limited), Reduction.SUM: lambda: sum(limited),
        Reduction.MAGNITUDE: lambda: max(abs(x) for x in exact),
        Reduction.SQUARES: lambda: sum(x * x for x in a)}
    if f["reduce"]:
        _write(spad, f["row_addr"] + 16 * r, reductions[f["reduce"]](), 16)


def _results(op, a, b, shift, fraction):
    """Return the results of a row before they are limited."""
    if op == ComputeOp.ROTATE:
        found = []
        for i in range(0, len(a), 2):
            found += [laws.rounded(a[i] * b[i] - a[i + 1] * b[i + 1], shift),
                      laws.rounded(a[i] * b[i + 1] + a[i + 1] * b[i], shift)]
        return found
    functions = {
        ComputeOp.MULTIPLY: lambda x, y: laws.rounded(x * y, shift),
        ComputeOp.ADD: lambda x, y: x + y, ComputeOp.SUBTRACT: lambda x, y: x - y,
        ComputeOp.MAXIMUM: max,
        ComputeOp.EXPONENTIAL: lambda x, y: laws.exponential(max(0, y - x), fraction),
        **{op: lambda x, _, gate=gate: gate(x, fraction) for op, gate in _GATES.items()}}
    return [functions[op](x, y) for x, y in zip(a, b, strict=True)]


def _solve_row(f, r, spad):
    """Execute a row of SOLVE."""
    op, out = f["op"], f["out_addr"] + r * f["out_pitch"]
    a = _read(spad, f["a_addr"] + r * f["a_pitch"], 10)
    if op != SolveOp.MEAN:
        a = max(0, a)
    words = (0, 0)
    if op == SolveOp.ROOT and a + f["constant"]:
        square = a + f["constant"]
        left = 2 * ((62 - square.bit_length()) // 2)
        root = math.isqrt(square << left if left > 0 else square >> -left)
        words = 32639 * 2**46 // root, 46 - left // 2
    elif op == SolveOp.SCALE:
        scale, factor = laws.reciprocal_of_largest(a)
        words = factor, 39
        _write(spad, f["b_addr"] + r * f["b_pitch"], scale, 2)
    elif op == SolveOp.SUM and a:
        words = laws.reciprocal_of_sum(a)
    elif op == SolveOp.MEAN:
        words = (2 * a + f["constant"]) // (2 * f["constant"]),
    elif op == SolveOp.EXPONENT:
        words = next(shift for shift in range(80)
                     if (2 * a + 2**shift) // 2**(shift + 1) <= 32639),
    for i, word in enumerate(words):
        _write(spad, out + 4 * i, word)


def _drain(f, y, x, channel, spad, acc):
    """Write one result of DRAIN_PLANES."""
    row = f["acc_addr"] + y * f["acc_pitch"] + 2 * x
    sums = 256 * acc[row][channel] + acc[row + 1][channel]
    result = laws.limit32(laws.rounded(sums, f["pre_shift"]))
    at = f["b_addr"] + y * f["b_pitch"]
    if f["scale"] == 1:
        packed = _read(spad, at + 4 * channel, signed=False)
        bias = _read(spad, at + 4 * (f["channels"] + channel))
        shift = (packed >> 26) + f["shift"]
        if f["exponent"]:
            shift -= _read(spad, f["row_addr"] + 16 * x)
        scaled = laws.limit32(laws.rounded(result * (packed % (1 << 26)), max(0, shift)))
        result = laws.limit32(scaled + bias)
    elif f["scale"] == 2:
        factor = _read(spad, at + 2 * channel, 2, False)
        result = laws.limit32(laws.rounded(result * factor, f["shift"]))
    out = f["out_addr"] + y * f["y_pitch"] + x * f["x_pitch"] + 4 * channel
    if f["add"]:
        result = laws.limit32(result + _read(spad, out))
    _write(spad, out, result)
