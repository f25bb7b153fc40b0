"""Rounding shift and limits of the fixed-point instructions, in numpy.

``docs/language_model_numerics.md`` defines the laws.
"""

import numpy as np
import numpy.typing as npt

__all__ = ["Integers", "limit", "round_shift", "saturate"]

Integers = npt.NDArray[np.int64]

_MOST_SHIFT = 62
_INT32 = (1 << 31) - 1


def round_shift(x: Integers, shift: Integers | int) -> Integers:
    """Return ``x / 2^shift`` to the nearest integer, halves up.

    A shift above 62 yields 0, and one below 0 counts as 0.

    Parameters
    ----------
    x : at most 2^62 in magnitude.
    """
    result: Integers
    if isinstance(shift, int):
        if shift > _MOST_SHIFT:
            return np.zeros_like(x)
        result = x if shift < 1 else (x + (1 << shift - 1)) >> shift
        return result
    amount: Integers = np.minimum(np.maximum(shift, 0), _MOST_SHIFT).astype(np.int64, copy=False)
    result = (x + ((np.int64(1) << amount) >> 1)) >> amount
    if (shift > _MOST_SHIFT).any():
        result = np.where(shift > _MOST_SHIFT, 0, result)
    return result


def saturate(x: Integers) -> Integers:
    """Limit numbers to int32."""
    # faster than numpy's clip
    result: Integers = np.minimum(np.maximum(x, -_INT32 - 1), _INT32)
    return result


def limit(x: Integers, largest: int) -> Integers:
    """Limit the magnitude of numbers to ``largest``."""
    result: Integers = np.minimum(np.maximum(x, -largest), largest)
    return result
