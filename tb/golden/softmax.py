"""SOFTMAX on int8: gemmlowp's fixed point, step by step.

The difference of an element to the largest of its row is scaled into Q5.26. Its exponential is a
polynomial times a table of powers; the reciprocal of the sum takes three Newton steps. The output's
scale is 1/256 and its zero point -128.

Sources: ``tensorflow/lite/kernels/internal/reference/softmax.h``, ``quantization_util.cc``
(PreprocessSoftmaxScaling, CalculateInputRadius), ``common.h`` (GetReciprocal), gemmlowp's
``fixedpoint.h``. Names such as ``x4_over_4`` are those of the sources. Numbers Qi.f are raw int32
values with i integer bits and f = 31 - i bits of fraction.
"""

import numpy as np

from golden.arrays import Bytes, Scale, Values
from golden.requantize import INT32_MAX, INT32_MIN, quantize_multiplier
from golden.requantize import rounding_divide_by_pot as divide_by_pot
from golden.requantize import saturating_rounding_doubling_high_mul as mul

DIFF_INTEGER_BITS = 5
SUM_INTEGER_BITS = 12
LARGEST_SUM = 512

# exp(-2^k) in Q0.31, for k = -2 to 4
_POWERS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)


def softmax(x: Bytes, *, s_in: Scale, beta: float = 1.0) -> Bytes:
    """Compute the softmax over the last axis; return int8, scale 1/256, zero point -128.

    Parameters
    ----------
    x : int8 of any shape.
    s_in : scale of ``x``; its zero point cancels out.
    beta : factor on the exponent.

    Raises
    ------
    ValueError
        If a row's exponentials, the largest of which is 1, add up to 512 or more. The kernel's
        last shift is then out of range, and it aborts the process.
    """
    m, left, diff_min = scaling(s_in, beta)
    diff = x.astype(np.int64)
    diff = diff - diff.max(axis=-1, keepdims=True)
    near = diff >= diff_min
    exps = exp_on_negative_values(mul(np.where(near, diff, 0) << left, m))
    total = np.where(near, divide_by_pot(exps, SUM_INTEGER_BITS), 0).sum(axis=-1, keepdims=True)
    if total.max() >> (31 - SUM_INTEGER_BITS) >= LARGEST_SUM:
        raise ValueError(f"A row's exponentials add up to {LARGEST_SUM} or more")
    reciprocal, bits_over_unit = get_reciprocal(total)
    y = divide_by_pot(mul(reciprocal, exps), bits_over_unit + 31 - 8) - 128
    return np.where(near, np.clip(y, -128, 127), -128).astype(np.int8)


def scaling(s_in: Scale, beta: float) -> tuple[int, int, int]:
    """Return ``(m, left, diff_min)``: the scaling of differences to Q5.26, and their limit.

    A difference is shifted left by ``left`` and multiplied by ``m / 2**31``. Differences below
    ``diff_min`` would not fit Q5.26; their output is -128.
    """
    real = float(np.float32(beta)) * float(np.float32(s_in)) * 2.0 ** (31 - DIFF_INTEGER_BITS)
    m, s = quantize_multiplier(min(real, 2.0**31 - 1))
    left = 31 - s
    radius = (2**DIFF_INTEGER_BITS - 1) * 2 ** (31 - DIFF_INTEGER_BITS) / 2.0**left
    return m, left, -int(radius)


def exp_on_negative_values(a: Values) -> Values:
    """Return exp(a) in Q0.31, for ``a`` up to 0 in Q5.26."""
    fraction_bits = 31 - DIFF_INTEGER_BITS
    quarter = 1 << (fraction_bits - 2)
    in_quarter = (a & (quarter - 1)) - quarter
    result = _exp_between_minus_a_quarter_and_0(_saturating_shl(in_quarter, DIFF_INTEGER_BITS))
    remainder = in_quarter - a
    for k, power in zip(range(-2, DIFF_INTEGER_BITS), _POWERS):
        chosen = remainder & (1 << (fraction_bits + k))
        result = np.where(chosen != 0, mul(result, power), result)
    return np.where(a == 0, INT32_MAX, result)


def get_reciprocal(x: Values) -> tuple[Values, Values]:
    """Return 1 / x for ``x`` in Q12.19: a Q0.31 value, and the right shift to apply to it."""
    headroom = 32 - np.frompyfunc(lambda v: int(v).bit_length(), 1, 1)(x).astype(np.int64)
    return _one_over_one_plus((x << headroom) - 2**31), SUM_INTEGER_BITS - headroom


def _exp_between_minus_a_quarter_and_0(a: Values) -> Values:
    constant_term, one_third = 1895147668, 715827883  # exp(-1/8) and 1/3 in Q0.31
    x = a + 2**28
    x2 = mul(x, x)
    x3 = mul(x2, x)
    x4_over_4 = divide_by_pot(mul(x2, x2), 2)
    x4_over_24_plus_x3_over_6_plus_x2_over_2 = divide_by_pot(mul(x4_over_4 + x3, one_third) + x2, 1)
    return constant_term + mul(constant_term, x + x4_over_24_plus_x3_over_6_plus_x2_over_2)


def _one_over_one_plus(a: Values) -> Values:
    """Return 1 / (1 + a), for ``a`` from 0 to 1 in Q0.31."""
    total = a + INT32_MAX
    half_denominator = np.sign(total) * ((np.abs(total) + 1) >> 1)
    x = 1515870810 + mul(half_denominator, -1010580540)  # 48/17 and -32/17 in Q2.29
    for _ in range(3):
        one_minus_half_denominator_times_x = 2**29 - mul(half_denominator, x)
        x = x + _saturating_shl(mul(x, one_minus_half_denominator_times_x), 2)
    return _saturating_shl(x, 1)


def _saturating_shl(x: Values, bits: int) -> Values:
    return np.clip(x << bits, INT32_MIN, INT32_MAX)
