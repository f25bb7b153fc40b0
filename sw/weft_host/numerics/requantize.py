"""Rounding laws of the requantiser in numpy, bit-exact; ``docs/numerics.md`` derives them.

A product of an int32 and a multiplier below 2^31 has at most 62 bits and a sign, and every
rounding constant is at most 2^62, so int64 cannot overflow.
"""

import numpy as np
import numpy.typing as npt

from weft.spec.isa import Mode

__all__ = ["requantize", "to_int8", "wrap32"]


def wrap32(values: npt.ArrayLike) -> npt.NDArray[np.int32]:
    """Return int64 values modulo 2^32, as int32."""
    return np.asarray(values, np.int64).astype(np.uint32).view(np.int32)


def _round_up(product: npt.NDArray[np.int64],
              shift: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return ``(product + 2^(shift-1)) >> shift``, or ``product`` where the shift is 0."""
    half = np.where(shift > 0, np.int64(1) << np.maximum(shift - 1, 0), 0)
    return (product + half) >> shift


def requantize(acc: npt.ArrayLike, multiplier: npt.ArrayLike, shift: npt.ArrayLike,
               mode: Mode) -> npt.NDArray[np.int64]:
    """Return ``acc * multiplier / 2^shift``, rounded according to ``mode``.

    Parameters
    ----------
    acc : int32 array
        Accumulator plus bias.
    multiplier, shift : arrays that broadcast to ``acc``
        0 to 2^31 - 1, and 0 to 63.
    mode : :class:`weft.spec.isa.Mode`
        ``TFL2``, ``TFL1`` or ``AWAY``. Below a shift of 31, ``TFL2`` rounds once, like TensorFlow
        Lite, whose left shift comes before the multiplication.

    Raises
    ------
    ValueError
        If ``mode`` is another one.
    """
    product = np.asarray(acc, np.int64) * np.asarray(multiplier, np.int64)
    shifts = np.broadcast_to(np.asarray(shift, np.int64), product.shape)
    if mode == Mode.TFL1:
        return _round_up(product, shifts)
    if mode == Mode.AWAY:
        return np.sign(product) * _round_up(np.abs(product), shifts)
    if mode != Mode.TFL2:
        raise ValueError(f"mode must be TFL2, TFL1 or AWAY, not {mode!r}")
    high = _round_up(product, np.minimum(shifts, 31))
    rest = np.maximum(shifts - 31, 0)
    half = np.where(rest > 0, (np.int64(1) << np.maximum(rest - 1, 0)) - (high < 0), 0)
    return (high + half) >> rest


def to_int8(values: npt.ArrayLike, zero_point: int, low: int, high: int) -> npt.NDArray[np.int8]:
    """Return ``values + zero_point``, clamped to the range from ``low`` to ``high``, as int8."""
    return np.clip(np.asarray(values, np.int64) + zero_point, low, high).astype(np.int8)
