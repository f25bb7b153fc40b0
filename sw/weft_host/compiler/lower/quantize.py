"""Scales to integer multipliers, as TensorFlow Lite's ``QuantizeMultiplier`` does it."""

import math

import numpy as np

__all__ = ["IDENTITY", "activation_range", "average_multiplier", "quantize_multiplier"]

IDENTITY = (1 << 30, 30)
"""Multiplier and shift that change nothing."""


def quantize_multiplier(real):
    """``(multiplier, shift)`` with ``real`` about ``multiplier / 2^shift``.

    The multiplier is 0 or has bit 30 set; the shift is 31 minus the exponent of ``frexp``.

    Raises
    ------
    ValueError
        If ``real`` is negative, not finite, or 2^31 and more.
    """
    real = float(real)
    if not math.isfinite(real) or real < 0:
        raise ValueError(f"a scale ratio of {real} cannot be represented")
    if real == 0:
        return 0, 31
    fraction, exponent = math.frexp(real)
    # half away from zero; the product is exact, so is the sum below 2^52
    multiplier = math.floor(fraction * (1 << 31) + 0.5)
    if multiplier == 1 << 31:
        multiplier //= 2
        exponent += 1
    if exponent < -31:
        return 0, 31
    if exponent > 31:
        raise ValueError(f"a scale ratio of {real} is above 2^31")
    return multiplier, 31 - exponent


def average_multiplier(count):
    """``(multiplier, shift)`` for mode AWAY that divides a sum of ``count`` int8 values.

    Exact, for ``count`` below 2^22, to ``(|sum| + count // 2) // count`` with the sum's sign: the
    multiplier exceeds ``2^shift / count`` by less than one, which moves no quotient across a tie.
    """
    if not 1 <= count < 1 << 22:
        raise ValueError(f"a window of {count} elements is outside 1 to {(1 << 22) - 1}")
    shift = 30 + (count - 1).bit_length()
    return -(-(1 << shift) // count), shift


def activation_range(name, scale, zero_point):
    """``(least, greatest)`` output of an int8 layer with fused activation ``name``.

    Follows ``CalculateActivationRangeQuantized``: bounds are divided by the scale in float32 and
    rounded half away from zero.

    Raises
    ------
    ValueError
        If the activation is not one of NONE, RELU, RELU6, RELU_N1_TO_1.
    """
    bounds = {"NONE": (None, None), "RELU": (0.0, None), "RELU6": (0.0, 6.0),
              "RELU_N1_TO_1": (-1.0, 1.0)}
    if name not in bounds:
        raise ValueError(f"fused activation {name} is not one of {', '.join(bounds)}")

    def quantized(real):
        ratio = float(np.float32(real) / np.float32(scale))
        return zero_point + int(math.copysign(math.floor(abs(ratio) + 0.5), ratio))

    low, high = bounds[name]
    least = -128 if low is None else max(-128, quantized(low))
    greatest = 127 if high is None else min(127, quantized(high))
    return least, greatest
