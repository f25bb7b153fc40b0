"""Fixed-point numbers: rounding shift, saturation, and multipliers for scales.

A number in int32 with ``f`` fraction bits stands for its value times 2^-f.
"""

import math
import typing

import numpy as np
import numpy.typing as npt

__all__ = ["INT32", "Integers", "Multiplier", "multiplier_of", "normalize", "round_shift",
           "saturate"]

Integers: typing.TypeAlias = npt.NDArray[np.int64]

INT32 = (1 << 31) - 1
MULTIPLIER_BITS = 26        # of a multiplier of a projection, as stored beside its shift


def round_shift(x: Integers, shift: Integers | int) -> Integers:
    """Return ``floor(x / 2^shift + 1/2)``; a negative shift multiplies."""
    shift = np.asarray(shift, np.int64)
    right = np.maximum(shift, 0)
    half = np.where(right > 0, np.int64(1) << np.maximum(right - 1, 0), 0)
    result: Integers = (x << np.maximum(-shift, 0)) + half >> right
    return result


def saturate(x: Integers, limit: int = INT32) -> Integers:
    """Limit numbers to ``-limit - 1`` to ``limit`` of int32, or to ``-limit`` to ``limit``."""
    result: Integers = np.clip(x, -limit - (limit == INT32), limit)
    return result


def normalize(x: Integers, bits: int) -> tuple[Integers, Integers]:
    """Return ``x`` shifted to ``bits`` bits, and the shift to the left; 0 remains 0."""
    length = np.array([int(v).bit_length() for v in x.reshape(-1)], np.int64).reshape(x.shape)
    left = np.where(x == 0, 0, bits - length)
    return (x << np.maximum(left, 0)) >> np.maximum(-left, 0), left


class Multiplier(typing.NamedTuple):
    """The factor ``multiplier / 2^shift``, one for each channel."""

    multiplier: Integers
    shift: Integers


def multiplier_of(factors: npt.NDArray[np.float64], bits: int = MULTIPLIER_BITS) -> Multiplier:
    """Return real factors as multipliers of ``bits`` bits and a sign; a factor of 0 is exact."""
    pairs = []
    for factor in factors.reshape(-1):
        mantissa, exponent = math.frexp(factor)
        number = round(mantissa * (1 << bits))
        if abs(number) == 1 << bits:
            number, exponent = number // 2, exponent + 1
        pairs.append((number, bits - exponent if number else 0))
    multiplier, shift = np.array(pairs, np.int64).T
    return Multiplier(multiplier.reshape(factors.shape), shift.reshape(factors.shape))
