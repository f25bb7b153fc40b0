"""Fixed-point numbers: rounding shift, saturation, and multipliers for scales.

A number in int32 with ``f`` fraction bits stands for its value times 2^-f.
"""

import math
import typing

import numpy as np
import numpy.typing as npt

__all__ = ["INT32", "MANTISSA_BITS", "Integers", "Multiplier", "clamp", "multiplier_of",
           "normalize", "round_half_up", "round_shift", "saturate", "stored"]

Integers: typing.TypeAlias = npt.NDArray[np.int64]

INT32 = (1 << 31) - 1
LARGEST_SHIFT = 62
MULTIPLIER_BITS = 26
MANTISSA_BITS = 31          # of normalised numbers, and of the factors of attention


def round_shift(x: Integers, shift: Integers | int) -> Integers:
    """Return ``floor(x / 2^shift + 1/2)``.

    A shift above 62 yields 0. A negative shift multiplies and saturates to 62 bits and a sign.

    Parameters
    ----------
    x : at most 2^62 in magnitude.
    """
    shift = np.asarray(shift, np.int64)
    right, left = np.clip(shift, 0, LARGEST_SHIFT), np.clip(-shift, 0, LARGEST_SHIFT)
    half = np.where(right > 0, np.int64(1) << np.maximum(right - 1, 0), 0)
    limit = np.int64(1) << LARGEST_SHIFT - left
    shifted = (np.clip(x, -limit, limit) << left) + half >> right
    return np.where(shift > LARGEST_SHIFT, 0, shifted)


def saturate(x: Integers) -> Integers:
    """Limit numbers to int32."""
    result: Integers = np.clip(x, -INT32 - 1, INT32)
    return result


def clamp(x: Integers, largest: int) -> Integers:
    """Limit numbers to ``-largest`` to ``largest``."""
    result: Integers = np.clip(x, -largest, largest)
    return result


def round_half_up(x: npt.NDArray[np.float64]) -> Integers:
    """Return the nearest integers, with halves rounded up, limited to int32."""
    return np.clip(np.floor(x + 0.5), -INT32 - 1, INT32).astype(np.int64)


def normalize(x: Integers) -> tuple[Integers, Integers]:
    """Return ``x`` >= 0 shifted to 31 bits, and the shift to the left; 0 remains 0."""
    length = np.array([int(v).bit_length() for v in x.reshape(-1)], np.int64).reshape(x.shape)
    left = np.where(x == 0, 0, MANTISSA_BITS - length)
    return (x << np.maximum(left, 0)) >> np.maximum(-left, 0), left


class Multiplier(typing.NamedTuple):
    """The factor ``multiplier / 2^shift``, one for each channel."""

    multiplier: Integers
    shift: Integers


def multiplier_of(factors: npt.NDArray[np.float64], bits: int = MULTIPLIER_BITS) -> Multiplier:
    """Return real factors as multipliers of ``bits`` bits and a sign.

    Halves are rounded to even numbers. A factor of 0 has the multiplier 0 and the shift 0.
    """
    pairs = []
    for factor in factors.reshape(-1):
        mantissa, exponent = math.frexp(factor)
        number = round(mantissa * (1 << bits))
        if abs(number) == 1 << bits:
            number, exponent = number // 2, exponent + 1
        pairs.append((number, bits - exponent if number else 0))
    multiplier, shift = np.array(pairs, np.int64).T
    return Multiplier(multiplier.reshape(factors.shape), shift.reshape(factors.shape))


def stored(factor: Multiplier, least: int = 0) -> Multiplier:
    """Return a factor whose shift has 6 bits, from ``least`` to 62.

    Beyond 62, the multiplier loses bits.

    Raises
    ------
    ValueError
        If a factor is 2^(26 - least) or more.
    """
    if factor.shift.min() < least:
        raise ValueError(f"A factor of the model is 2^{MULTIPLIER_BITS - least} or more; its "
                         "weights are too large")
    excess = np.maximum(factor.shift - LARGEST_SHIFT, 0)
    return Multiplier(round_shift(factor.multiplier, excess), factor.shift - excess)
