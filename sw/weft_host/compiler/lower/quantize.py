"""Integer multipliers, shifts and bounds from scales, as TensorFlow Lite computes them."""

import dataclasses
import math
from typing import SupportsFloat

import numpy as np

from weft.spec.integers import ceil_div

__all__ = ["IDENTITY", "MeanParameters", "activation_range", "as_doubles", "average_multiplier",
           "check_left_shift", "mean_multiplier", "quantize_multiplier"]

IDENTITY = (1 << 30, 30)
"""Multiplier and shift of a requantisation that changes no value."""


def quantize_multiplier(real: SupportsFloat) -> tuple[int, int]:
    """Return ``(multiplier, shift)`` with ``multiplier / 2^shift`` close to ``real``.

    This is ``QuantizeMultiplier`` of TensorFlow Lite. The multiplier is 0, or its bit 30 is set.
    The shift is 31 minus the exponent that ``frexp`` returns.

    Raises
    ------
    ValueError
        If ``real`` is negative, not finite, or at least 2^31.
    """
    real = float(real)
    if not math.isfinite(real) or real < 0:
        raise ValueError(f"a scale ratio of {real} cannot be represented; it must be finite and "
                         "not negative")
    if real == 0:
        return 0, 31
    fraction, exponent = math.frexp(real)
    # round half away from zero; the product is exact, and so is the sum, which is below 2^52
    multiplier = math.floor(fraction * (1 << 31) + 0.5)
    if multiplier == 1 << 31:
        multiplier //= 2
        exponent += 1
    if exponent < -31:
        return 0, 31
    if exponent > 31:
        raise ValueError(f"a scale ratio of {real} cannot be represented; it must be below 2^31")
    return multiplier, 31 - exponent


def average_multiplier(count: int) -> tuple[int, int]:
    """Return ``(multiplier, shift)`` for mode AWAY that divides a sum of int8 values by ``count``.

    For every ``count`` below 2^22, the result is exactly ``(|sum| + count // 2) // count`` with the
    sign of the sum: the multiplier exceeds ``2^shift / count`` by less than one, which moves no
    quotient across a tie.

    Raises
    ------
    ValueError
        If the count is not from 1 to 2^22 - 1.
    """
    if not 1 <= count < 1 << 22:
        raise ValueError(f"a window of {count} elements is outside 1 to {(1 << 22) - 1}")
    shift = 30 + (count - 1).bit_length()
    return ceil_div(1 << shift, count), shift


@dataclasses.dataclass(frozen=True, kw_only=True)
class MeanParameters:
    """Requantiser parameters that turn the sum of int8 elements into their mean.

    The result is ``sum + bias`` times ``multiplier / 2^shift`` in mode TFL2, plus ``zero_point``,
    clamped to int8. The multiplier is above 2^29; bit 30 need not be set.

    Attributes
    ----------
    multiplier, shift, bias, zero_point : :class:`int`
    """

    multiplier: int
    shift: int
    bias: int
    zero_point: int


def mean_multiplier(scale_in: float, zero_in: int, scale_out: float, zero_out: int,
                    count: int) -> MeanParameters:
    """Return the parameters of a MEAN over ``count`` elements. The results are exact.

    Raises
    ------
    ValueError
        If the count is not from 1 to 2^23 - 1, for which sums fit into int32, or if the left shift
        of the reference kernel would overflow.
    """
    if not 1 <= count < 1 << 23:
        raise ValueError(f"a mean of {count} elements is outside 1 to {(1 << 23) - 1}")
    scale_in, scale_out = as_doubles(scale_in, scale_out)
    multiplier, shift = quantize_multiplier(scale_in / scale_out)
    # the kernel divides the multiplier by the count and rounds down; its shift is at most 62
    extra = min(count.bit_length() - 1, 62 - shift)
    multiplier, shift = (multiplier << extra) // count, shift + extra
    check_left_shift("MEAN", 255 * count, shift)
    return MeanParameters(multiplier=multiplier, shift=shift, bias=-int(zero_in) * count,
                          zero_point=int(zero_out))


def as_doubles(*scales: float) -> tuple[float, ...]:
    """Return scales in double precision, rounded to float32 as they are in a model file."""
    return tuple(float(np.float32(scale)) for scale in scales)


def check_left_shift(op: str, greatest: int, shift: int) -> None:
    """Check that values up to ``greatest`` survive the left shift of the reference kernel.

    The kernel of operator ``op`` shifts left by ``31 - shift`` bits if ``shift`` is below 31.

    Raises
    ------
    ValueError
        If a shifted value overflows int32. The kernel then wraps, and Weft does not.
    """
    if shift < 31 and greatest << (31 - shift) >= 1 << 31:
        raise ValueError(f"{op}: values up to {greatest}, shifted left by {31 - shift}, overflow "
                         "32 bits; the scale of the output is too small")


def activation_range(name: str, scale: float, zero_point: int) -> tuple[int, int]:
    """Return the least and greatest output of an int8 layer with the fused activation ``name``.

    This is ``CalculateActivationRangeQuantized`` of TensorFlow Lite: bounds are divided by the
    scale in float32 and rounded half away from zero.

    Raises
    ------
    ValueError
        If the activation is none of NONE, RELU, RELU6, RELU_N1_TO_1.
    """
    bounds: dict[str, tuple[float | None, float | None]] = {
        "NONE": (None, None), "RELU": (0.0, None), "RELU6": (0.0, 6.0),
        "RELU_N1_TO_1": (-1.0, 1.0)}
    if name not in bounds:
        raise ValueError(f"fused activation {name} is not one of {', '.join(bounds)}")

    def quantized(real: float) -> int:
        ratio = float(np.float32(real) / np.float32(scale))
        return zero_point + int(math.copysign(math.floor(abs(ratio) + 0.5), ratio))

    low, high = bounds[name]
    least = -128 if low is None else max(-128, quantized(low))
    greatest = 127 if high is None else min(127, quantized(high))
    return least, greatest
