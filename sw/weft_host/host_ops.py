"""The operators that the host computes for a program, to TensorFlow Lite's reference bytes.

Softmax follows gemmlowp's fixed-point arithmetic (``fixedpoint/fixedpoint.h``) as TensorFlow Lite's
``reference_ops::Softmax`` uses it. An int8 input has 256 possible distances from the row's maximum,
so both exponentials are tables.
"""

import functools
import math

import numpy as np

from .errors import ProgramError

__all__ = ["KINDS", "run_steps", "softmax"]

_ONE = (1 << 31) - 1                # 1.0 with 31 fractional bits, saturated
_DIFF_BITS, _SUM_BITS = 5, 12       # integer bits of the scaled difference and of the sum
# exp(-2^e) for e = -2 to 4, with 31 fractional bits
_EXPONENTIALS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)


def _mul(a, b):
    """Saturating rounding doubling high product."""
    if a == b == -(1 << 31):
        return _ONE
    product = a * b
    nudge = 1 << 30 if product >= 0 else 1 - (1 << 30)
    total = product + nudge
    return total >> 31 if total >= 0 else -(-total >> 31)


def _divide(value, power):
    """Division by ``2^power``, rounded half away from zero."""
    if power == 0:
        return value
    quotient, rest = value >> power, value & (1 << power) - 1
    return quotient + (rest > (((1 << power) - 1) >> 1) + (value < 0))


def _shift_up(value, power):
    return max(-(1 << 31), min(_ONE, value << power))


def _exp(value):
    """exp of a value with 26 fractional bits, not above 0, as 31 fractional bits."""
    if value == 0:
        return _ONE
    quarter = 1 << 24
    reduced = (value & quarter - 1) - quarter
    x = _shift_up(reduced, _DIFF_BITS) + (1 << 28)
    x2 = _mul(x, x)
    series = _divide(_mul(_divide(_mul(x2, x2), 2) + _mul(x2, x), 715827883) + x2, 1)
    result = 1895147668 + _mul(1895147668, x + series)
    remainder = reduced - value
    for bit, factor in enumerate(_EXPONENTIALS, start=24):
        if remainder >> bit & 1:
            result = _mul(result, factor)
    return result


def _reciprocal(total):
    """``(r, n)`` with ``r`` the reciprocal of the mantissa of ``total`` and ``n`` its exponent."""
    headroom = 32 - total.bit_length()
    fraction = (total << headroom) - (1 << 31)
    half = (fraction + _ONE + 1) >> 1
    x = 1515870810 + _mul(half, -1010580540)
    for _ in range(3):
        x += _shift_up(_mul(x, (1 << 29) - _mul(half, x)), 2)
    return _shift_up(x, 1), _SUM_BITS - headroom


@functools.lru_cache(maxsize=64)
def _exponentials(scale, beta):
    """exp(-d * scale * beta) for d = 0 to 255; ``None`` where it is too small to count."""
    real = min(beta * scale * (1 << 31 - _DIFF_BITS), float(_ONE))
    fraction, exponent = math.frexp(real)
    multiplier = math.floor(fraction * (1 << 31) + 0.5)
    if multiplier == 1 << 31:
        multiplier, exponent = multiplier // 2, exponent + 1
    reach = math.floor(((1 << _DIFF_BITS) - 1) * (1 << 31 - _DIFF_BITS) / 2.0 ** exponent)
    return tuple(_exp(_mul(-d << exponent, multiplier)) if d <= reach else None
                 for d in range(256))


def softmax(values, scale, beta=1.0):
    """Softmax over the last axis of an int8 array; the result has scale 1/256, zero point -128."""
    table = _exponentials(float(scale), float(beta))
    terms = np.array([0 if entry is None else _divide(entry, _SUM_BITS) for entry in table])
    rows = np.asarray(values, np.int64).reshape(-1, values.shape[-1])
    out = np.empty(rows.shape, np.int8)
    for row, target in zip(rows, out):
        distance = row.max() - row
        reciprocal, over = _reciprocal(int(terms[distance].sum()))
        results = {}
        for d in set(distance.tolist()):
            entry = table[d]
            value = -128 if entry is None else \
                _divide(_mul(reciprocal, entry), over + 31 - 8) - 128
            results[d] = max(-128, min(127, value))
        target[:] = [results[d] for d in distance.tolist()]
    return out.reshape(values.shape)


def _softmax(step, program, arrays):
    source, target = program.tensor(step.inputs[0]), program.tensor(step.outputs[0])
    if source.dtype != "int8" or target.dtype != "int8":
        raise ProgramError(f"SOFTMAX on the host is for int8, not {source.dtype} to "
                           f"{target.dtype}")
    result = softmax(arrays[source.name], source.scale, step.parameters.get("beta", 1.0))
    return [result.reshape(target.shape)]


def _reshape(step, program, arrays):
    return [arrays[step.inputs[0]].reshape(program.tensor(step.outputs[0]).shape)]


KINDS = {"SOFTMAX": _softmax, "RESHAPE": _reshape}
"""Operators by kind: each maps (step, program, arrays by name) to the output arrays."""


def run_steps(program, when, arrays):
    """Compute the program's host steps of one phase, in order; ``arrays`` gets their outputs."""
    for step in program.host_steps:
        if step.when != when:
            continue
        if step.kind not in KINDS:
            raise ProgramError(f"no host step {step.kind!r}; there are {', '.join(KINDS)}")
        for name, array in zip(step.outputs, KINDS[step.kind](step, program, arrays)):
            arrays[name] = array
