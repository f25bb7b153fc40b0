"""The rounding laws in numpy, exact to the last bit; the numerics page derives them.

Products of an int32 and a multiplier below 2^31 have at most 62 bits beside the sign, and every
rounding constant is at most 2^62, so int64 never overflows here.
"""

import numpy as np

from weft.spec.isa import Mode

__all__ = ["wrap32", "requantize", "to_int8"]


def wrap32(values):
    """int64 values modulo 2^32, as int32."""
    return np.asarray(values, np.int64).astype(np.uint32).view(np.int32)


def _round_up(product, shift):
    """``(product + 2^(shift-1)) >> shift``; shift 0 changes nothing."""
    half = np.where(shift > 0, np.int64(1) << np.maximum(shift - 1, 0), 0)
    return (product + half) >> shift


def requantize(acc, multiplier, shift, mode):
    """``acc * multiplier / 2^shift``, rounded as ``mode`` says, as int64.

    Parameters
    ----------
    acc : int32 array
        Accumulator plus bias.
    multiplier, shift : arrays that broadcast to ``acc``
        0 to 2^31 - 1, and 0 to 63.
    mode : :class:`weft.spec.isa.Mode`
        ``TFL2``, ``TFL1`` or ``AWAY``. Below shift 31, ``TFL2`` rounds once, as TensorFlow Lite
        does: its left shift comes before the multiplication.
    """
    product = np.asarray(acc, np.int64) * np.asarray(multiplier, np.int64)
    shift = np.broadcast_to(np.asarray(shift, np.int64), product.shape)
    if mode == Mode.TFL1:
        return _round_up(product, shift)
    if mode == Mode.AWAY:
        return np.sign(product) * _round_up(np.abs(product), shift)
    if mode != Mode.TFL2:
        raise ValueError(f"mode must be TFL2, TFL1 or AWAY, not {mode!r}")
    high = _round_up(product, np.minimum(shift, 31))
    rest = np.maximum(shift - 31, 0)
    half = np.where(rest > 0, (np.int64(1) << np.maximum(rest - 1, 0)) - (high < 0), 0)
    return (high + half) >> rest


def to_int8(values, zero_point, low, high):
    """``values + zero_point`` clamped to ``low`` to ``high``, as int8."""
    return np.clip(np.asarray(values, np.int64) + zero_point, low, high).astype(np.int8)
