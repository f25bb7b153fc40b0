"""The rounding laws, and how a real scale becomes a multiplier and a shift.

An int32 accumulator ``a`` becomes ``a * m / 2**s`` rounded, with ``m`` below 2**31 and ``s`` from
0 to 62; ``P`` is the product ``a * m``, 63 bits with its sign. Three laws say how:

========  ============================================================================
``tfl2``  ``h = (P + 2^30) >> 31``, then ``(h + 2^(t-1) - (h < 0)) >> t`` with ``t = s - 31``:
          two roundings, TensorFlow Lite's default. With ``s <= 31`` there is only one,
          and the law is ``tfl1``.
``tfl1``  ``(P + 2^(s-1)) >> s``: one rounding, halves towards plus infinity.
``away``  ``sign(P) * ((|P| + 2^(s-1)) >> s)``: one rounding, halves away from zero.
========  ============================================================================

The operators do not use these: they use :func:`multiply_by_quantized_multiplier`, which is the
kernel's own sequence of steps. That both agree is tested.

Sources: ``tensorflow/lite/kernels/internal/common.h`` (MultiplyByQuantizedMultiplier),
``quantization_util.cc`` (QuantizeMultiplier), gemmlowp's ``fixedpoint.h``
(SaturatingRoundingDoublingHighMul, RoundingDivideByPOT).
"""

import math

import numpy as np

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1


def wrap32(x):
    """The low 32 bits of ``x`` as a signed number: what an int32 accumulator holds."""
    return ((np.asarray(x, np.int64) + 2**31) & 0xFFFFFFFF) - 2**31


def quantize_multiplier(scale):
    """``(m, s)`` with ``scale`` nearest to ``m / 2**s``; ``m`` has bit 30 set, or is 0.

    Raises
    ------
    ValueError
        If the scale is negative, not finite, or 2**31 or more: no shift reaches it.
    """
    if not 0 <= scale < 2.0**31:
        raise ValueError(f"Scale {scale} is not in 0 to 2^31")
    if scale == 0:
        return 0, 31
    fraction, exponent = math.frexp(scale)
    m = _round_half_away(fraction * 2.0**31)
    if m == 2**31:
        m, exponent = 2**30, exponent + 1
    if exponent < -31:
        return 0, 31
    return m, 31 - exponent


def quantize_multipliers(scales):
    """:func:`quantize_multiplier` of each element: two int64 arrays."""
    pairs = [quantize_multiplier(float(s)) for s in np.atleast_1d(scales)]
    return np.array([m for m, _ in pairs], np.int64), np.array([s for _, s in pairs], np.int64)


def tfl2(a, m, s):
    """Two roundings; see the module's table."""
    a, m, s = _int64(a, m, s)
    h = (a * m + 2**30) >> 31
    t = np.maximum(s - 31, 1)
    twice = (h + (np.int64(1) << (t - 1)) - (h < 0)) >> t
    return np.where(s > 31, twice, tfl1(a, m, np.minimum(s, 31)))


def tfl1(a, m, s):
    """One rounding, halves towards plus infinity; see the module's table."""
    a, m, s = _int64(a, m, s)
    half = np.where(s > 0, np.int64(1) << np.maximum(s - 1, 0), 0)
    return (a * m + half) >> s


def away(a, m, s):
    """One rounding, halves away from zero; see the module's table."""
    a, m, s = _int64(a, m, s)
    half = np.where(s > 0, np.int64(1) << np.maximum(s - 1, 0), 0)
    p = a * m
    return np.sign(p) * ((np.abs(p) + half) >> s)


def saturating_rounding_doubling_high_mul(a, b):
    """The high half of ``2 * a * b``, halves towards plus infinity (gemmlowp)."""
    a, b = _int64(a, b)
    ab = a * b
    nudged = ab + np.where(ab >= 0, 2**30, 1 - 2**30)
    # division in C drops the fraction: towards zero, unlike a shift
    high = np.sign(nudged) * (np.abs(nudged) >> 31)
    return np.where((a == b) & (a == INT32_MIN), INT32_MAX, high)


def rounding_divide_by_pot(x, exponent):
    """``x / 2**exponent``, halves away from zero (gemmlowp)."""
    x, exponent = _int64(x, exponent)
    mask = (np.int64(1) << exponent) - 1
    threshold = (mask >> 1) + (x < 0)
    return (x >> exponent) + ((x & mask) > threshold)


def multiply_by_quantized_multiplier(x, m, s):
    """The kernel's steps: shift left if the scale exceeds 1, high half, shift right.

    The left shift wraps at 32 bits, as the compiled kernel does. This is where the table's laws
    and the kernel part: with ``s < 31`` and ``|x| >= 2**s``.
    """
    x, m, s = _int64(x, m, s)
    left, right = np.maximum(31 - s, 0), np.maximum(s - 31, 0)
    high = saturating_rounding_doubling_high_mul(wrap32(x << left), m)
    return rounding_divide_by_pot(high, right)


def _int64(*values):
    return tuple(np.asarray(v, np.int64) for v in values)


def _round_half_away(x):
    return int(math.floor(abs(x) + 0.5)) * (1 if x >= 0 else -1)
