"""Fixed-point arithmetic of gemmlowp in Python integers, as SOFTMAX uses it.

A number in the format Qi.f is an int32 with i integer bits and f = 31 - i fraction bits. These
functions compute one value at a time, which is sufficient because two bytes have only 256
different distances. Sources: gemmlowp's ``fixedpoint/fixedpoint.h``, TensorFlow Lite's
``reference/softmax.h``.
"""

import functools
import math

__all__ = ["ONE", "SUM_BITS", "divide", "exp", "high_product", "reciprocal",
           "softmax_exponentials"]

ONE = (1 << 31) - 1
"""1.0 in Q0.31, saturated."""

SUM_BITS = 12
"""Integer bits of the sum of exponentials of a row in SOFTMAX."""

_DIFF_BITS = 5                      # integer bits of the scaled difference in SOFTMAX
# exp(-2^e) for e = -2 to 4, in Q0.31
_EXPONENTIALS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)


def high_product(a: int, b: int) -> int:
    """Return the high half of ``2 * a * b``, saturated and rounded half up."""
    if a == b == -(1 << 31):
        return ONE
    return (a * b + (1 << 30)) >> 31


def divide(value: int, power: int) -> int:
    """Return ``value / 2^power``, rounded half away from zero."""
    if power == 0:
        return value
    quotient, rest = value >> power, value & (1 << power) - 1
    return quotient + (rest > (((1 << power) - 1) >> 1) + (value < 0))


def _shift_up(value: int, power: int) -> int:
    """Return ``value * 2^power``, saturated to an int32."""
    return max(-(1 << 31), min(ONE, value << power))


def exp(value: int) -> int:
    """Return the exponential of a value of at most 0 in Q5.26, as Q0.31."""
    if value == 0:
        return ONE
    quarter = 1 << 24
    reduced = (value & quarter - 1) - quarter
    x = _shift_up(reduced, _DIFF_BITS) + (1 << 28)
    x2 = high_product(x, x)
    series = high_product(divide(high_product(x2, x2), 2) + high_product(x2, x), 715827883) + x2
    result = 1895147668 + high_product(1895147668, x + divide(series, 1))
    remainder = reduced - value
    for bit, factor in enumerate(_EXPONENTIALS, start=24):
        if remainder >> bit & 1:
            result = high_product(result, factor)
    return result


def reciprocal(total: int) -> tuple[int, int]:
    """Return ``1 / mantissa`` in Q0.31, and ``exponent``.

    ``total`` in Q12.19 is ``mantissa * 2^exponent``, with a mantissa from 1 to below 2.
    """
    headroom = 32 - total.bit_length()
    half = total << headroom >> 1                           # (1 + fraction) / 2 in Q0.31
    x = 1515870810 + high_product(half, -1010580540)        # 48/17 and -32/17 in Q2.29
    for _ in range(3):
        x += _shift_up(high_product(x, (1 << 29) - high_product(half, x)), 2)
    return _shift_up(x, 1), SUM_BITS - headroom


@functools.lru_cache(maxsize=64)
def softmax_exponentials(scale: float, beta: float) -> tuple[int, ...]:
    """Return exp(-d * scale * beta) in Q0.31 for d = 0 to 255.

    Entries beyond the kernel's range of distances are 0.

    Raises
    ------
    ValueError
        If ``scale * beta`` is neither 0 nor at least 2^-27.
    """
    real = min(beta * scale * (1 << 31 - _DIFF_BITS), float(ONE))
    fraction, exponent = math.frexp(real)
    multiplier = math.floor(fraction * (1 << 31) + 0.5) if real >= 0 else 0
    if multiplier == 1 << 31:
        multiplier, exponent = multiplier // 2, exponent + 1
    if not real >= 0 or exponent < 0:
        raise ValueError(f"its input scale {scale} times beta {beta} must be 0 or at least 2^-27")
    reach = math.floor(((1 << _DIFF_BITS) - 1) * (1 << 31 - _DIFF_BITS) / 2.0 ** exponent)
    return tuple(exp(high_product(-d << exponent, multiplier)) if d <= reach else 0
                 for d in range(256))
