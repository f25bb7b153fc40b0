"""Rounding laws, and the conversion of a real scale to a multiplier and a shift.

An int32 accumulator ``a`` becomes ``a * m / 2**s`` rounded, with ``m`` below 2**31 and ``s`` from
0 to 62. ``P`` is the product ``a * m``, 63 bits with its sign. There are three rounding laws:

========  ============================================================================
``tfl2``  ``h = (P + 2^30) >> 31``, then ``(h + 2^(t-1) - (h < 0)) >> t`` with ``t = s - 31``:
          two roundings, TensorFlow Lite's default. With ``s <= 31`` there is only one
          rounding, that of ``tfl1``.
``tfl1``  ``(P + 2^(s-1)) >> s``: one rounding, halves towards plus infinity.
``away``  ``sign(P) * ((|P| + 2^(s-1)) >> s)``: one rounding, halves away from zero.
========  ============================================================================

The operators use :func:`multiply_by_quantized_multiplier` instead, which is the kernel's own
sequence of steps. The tests show that both agree.

Sources: ``tensorflow/lite/kernels/internal/common.h`` (MultiplyByQuantizedMultiplier),
``quantization_util.cc`` (QuantizeMultiplier), gemmlowp's ``fixedpoint.h``
(SaturatingRoundingDoublingHighMul, RoundingDivideByPOT).
"""

import math

import numpy as np
import numpy.typing as npt

from golden.arrays import Scales, Values

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1


def wrap32(x: npt.ArrayLike) -> Values:
    """Return the low 32 bits of ``x`` as a signed number, as an int32 accumulator stores it."""
    return ((np.asarray(x, np.int64) + 2**31) & 0xFFFFFFFF) - 2**31


def quantize_multiplier(scale: float) -> tuple[int, int]:
    """Return ``(m, s)`` such that ``m / 2**s`` is nearest to ``scale``.

    Bit 30 of ``m`` is set, or ``m`` is 0.

    Raises
    ------
    ValueError
        If the scale is negative, not finite, or at least 2**31, which no shift represents.
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


def quantize_multipliers(scales: Scales) -> tuple[Values, Values]:
    """Apply :func:`quantize_multiplier` to each element; return two arrays."""
    pairs = [quantize_multiplier(float(s)) for s in np.atleast_1d(scales)]
    return np.array([m for m, _ in pairs], np.int64), np.array([s for _, s in pairs], np.int64)


def tfl2(a: npt.ArrayLike, m: npt.ArrayLike, s: npt.ArrayLike) -> Values:
    """Requantise with two roundings; see the module's table."""
    a, m, s = _int64(a), _int64(m), _int64(s)
    h = (a * m + 2**30) >> 31
    t = np.maximum(s - 31, 1)
    twice = (h + (np.int64(1) << (t - 1)) - (h < 0)) >> t
    return np.where(s > 31, twice, tfl1(a, m, np.minimum(s, 31)))


def tfl1(a: npt.ArrayLike, m: npt.ArrayLike, s: npt.ArrayLike) -> Values:
    """Requantise with one rounding, halves towards plus infinity; see the module's table."""
    a, m, s = _int64(a), _int64(m), _int64(s)
    half = np.where(s > 0, np.int64(1) << np.maximum(s - 1, 0), 0)
    return (a * m + half) >> s


def away(a: npt.ArrayLike, m: npt.ArrayLike, s: npt.ArrayLike) -> Values:
    """Requantise with one rounding, halves away from zero; see the module's table."""
    a, m, s = _int64(a), _int64(m), _int64(s)
    half = np.where(s > 0, np.int64(1) << np.maximum(s - 1, 0), 0)
    p = a * m
    return np.sign(p) * ((np.abs(p) + half) >> s)


def saturating_rounding_doubling_high_mul(a: npt.ArrayLike, b: npt.ArrayLike) -> Values:
    """Return the high half of ``2 * a * b``, halves towards plus infinity (gemmlowp)."""
    a, b = _int64(a), _int64(b)
    ab = a * b
    nudged = ab + np.where(ab >= 0, 2**30, 1 - 2**30)
    # division in C rounds towards zero, unlike a shift
    high = np.sign(nudged) * (np.abs(nudged) >> 31)
    return np.where((a == b) & (a == INT32_MIN), INT32_MAX, high)


def rounding_divide_by_pot(x: npt.ArrayLike, exponent: npt.ArrayLike) -> Values:
    """Return ``x / 2**exponent``, halves away from zero (gemmlowp)."""
    x, exponent = _int64(x), _int64(exponent)
    mask = (np.int64(1) << exponent) - 1
    threshold = (mask >> 1) + (x < 0)
    return (x >> exponent) + ((x & mask) > threshold)


def multiply_by_quantized_multiplier(
    x: npt.ArrayLike, m: npt.ArrayLike, s: npt.ArrayLike
) -> Values:
    """Requantise as the kernel does: left shift if the scale exceeds 1, high half, right shift.

    The left shift wraps at 32 bits, as the compiled kernel does. With ``s < 31`` and
    ``|x| >= 2**s``, the result therefore differs from the laws of the module's table.
    """
    x, m, s = _int64(x), _int64(m), _int64(s)
    left, right = np.maximum(31 - s, 0), np.maximum(s - 31, 0)
    high = saturating_rounding_doubling_high_mul(wrap32(x << left), m)
    return rounding_divide_by_pot(high, right)


def _int64(value: npt.ArrayLike) -> Values:
    return np.asarray(value, np.int64)


def _round_half_away(x: float) -> int:
    return int(math.floor(abs(x) + 0.5)) * (1 if x >= 0 else -1)
