"""RMSNorm and LayerNorm of int32 numbers, with outputs of 16 bits.

The norm of x / rms(x) is at most the root of its size, so that an output in units of
``sqrt(size) / ACTIVATION_LIMIT`` needs no more than 16 bits, whatever the input.
"""

import math

import numpy as np

from golden.language_model.integer.fixed import (
    MANTISSA_BITS,
    Integers,
    clamp,
    round_shift,
    saturate,
)
from golden.language_model.integer.planes import ACTIVATION_LIMIT

__all__ = ["center", "normalize_rms", "reciprocal_root"]

RECIPROCAL_BITS = 46        # ACTIVATION_LIMIT * 2^46 over a root of 31 bits has 31 bits


def center(x: Integers) -> Integers:
    """Subtract the mean of the last axis, rounded to the nearest integer; saturate to int32."""
    size = x.shape[-1]
    mean = (2 * x.sum(axis=-1, keepdims=True) + size) // (2 * size)
    return saturate(x - mean)


def reciprocal_root(square: int) -> tuple[int, int]:
    """Return a factor of 31 bits and a shift, for ``ACTIVATION_LIMIT / sqrt(square)``.

    ``square`` is shifted by an even number of bits to 61 or 62 bits; bits below are cut off. Its
    integer root has 31 bits, and the factor is the integer quotient of ``ACTIVATION_LIMIT * 2^46``
    and the root. A square of 0 has the factor 0.
    """
    if not square:
        return 0, 0
    left = 2 * ((2 * MANTISSA_BITS - square.bit_length()) // 2)
    root = math.isqrt(square << left if left >= 0 else square >> -left)
    return (ACTIVATION_LIMIT << RECIPROCAL_BITS) // root, RECIPROCAL_BITS - left // 2


def _sum_of_squares(x: Integers) -> list[int]:
    """Return exact sums of squares of the last axis.

    They can exceed 64 bits, so the squares of the halves of each number are summed on their own.
    """
    high, low = x >> 16, x & 0xFFFF
    return [(int(a) << 32) + (int(b) << 17) + int(c) for a, b, c in zip(
        (high * high).sum(-1), (high * low).sum(-1), (low * low).sum(-1), strict=True)]


def normalize_rms(x: Integers, eps: int) -> Integers:
    """Return ``x * ACTIVATION_LIMIT / sqrt(sum of squares + eps)``, rounded and saturated.

    Parameters
    ----------
    x : ``(rows, size)``, int32.
    eps : the model's eps times the size, in units of the squares.
    """
    factors = [reciprocal_root(square + eps) for square in _sum_of_squares(x)]
    factor, shift = np.array(factors, np.int64).reshape(-1, 2).T[:, :, None]
    return clamp(round_shift(x * factor, shift), ACTIVATION_LIMIT)
