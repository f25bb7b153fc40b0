"""Integer constants from real numbers; ``docs/language_model_numerics.md`` states the laws."""

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from ..verdict import ModelError

__all__ = ["ACTIVATION_LIMIT", "Factors", "Integers", "Reals", "factors_of", "fraction_bits",
           "round_half_up"]

Integers = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]

ACTIVATION_LIMIT = 32639
"""Largest magnitude of a 16-bit activation."""

_BITS = 26
_MOST_SHIFT = 62
_INT32 = (1 << 31) - 1
_SMALLEST_BOUND = 2.0**-20
_LEAST_FRACTION = 4


@dataclasses.dataclass(frozen=True, eq=False)
class Factors:
    """Multipliers of 26 bits, and shifts from 0 to 62, with one pair for each channel."""

    multiplier: Integers
    shift: Integers


def factors_of(real: Reals, least_shift: int = 0) -> Factors:
    """Return real numbers >= 0 as factors.

    Raises
    ------
    ModelError
        If a number is 2^(26 - least_shift) or more.
    """
    significand, power = np.frexp(real)
    multiplier = np.rint(significand * 2.0**_BITS).astype(np.int64)
    full = multiplier == 1 << _BITS
    multiplier = np.where(full, multiplier >> 1, multiplier)
    shift = np.where(multiplier > 0, _BITS - power.astype(np.int64) - full, 0)
    # a multiplier of 0 has any shift
    if (shift[multiplier > 0] < least_shift).any():
        raise ModelError(f"a factor of the model is 2^{_BITS - least_shift} or more; its weights "
                         "are too large")
    shift = np.where(multiplier > 0, shift, least_shift)
    excess = np.maximum(shift - _MOST_SHIFT, 0)
    half = np.where(excess > 0, np.int64(1) << np.clip(excess - 1, 0, _MOST_SHIFT), 0)
    rounded = np.where(excess > _MOST_SHIFT, 0,
                       (multiplier + half) >> np.minimum(excess, _MOST_SHIFT))
    return Factors(rounded, shift - excess)


def round_half_up(x: Reals) -> Integers:
    """Return the nearest integers, halves up, limited to int32."""
    return np.clip(np.floor(x + 0.5), -_INT32 - 1, _INT32).astype(np.int64)


def fraction_bits(bound: float) -> int:
    """Return the most fraction bits with which int32 holds twice ``bound``, from 4 to 50."""
    return max(_LEAST_FRACTION, 30 - math.ceil(math.log2(max(bound, _SMALLEST_BOUND))))
