"""Functions as tables with linear interpolation.

A table has one entry for each 1/16 of the argument from 0 to 16; entries have 15 fraction bits.
"""

from collections.abc import Callable

import numpy as np

from golden.language_model.integer.fixed import Integers

__all__ = ["FRACTION", "ONE", "exponential", "gelu_gate", "interpolate", "sigmoid"]

FRACTION = 15                       # bits of an entry
ONE = 1 << FRACTION
STEP_BITS, RANGE_BITS = 4, 4        # 16 entries for 1, and a range of 16


def _table(function: Callable[[np.ndarray], np.ndarray]) -> Integers:
    arguments = np.arange((1 << STEP_BITS + RANGE_BITS) + 1) / (1 << STEP_BITS)
    return np.floor(function(arguments) * ONE + 0.5).astype(np.int64)


EXPONENTIAL = _table(lambda d: np.exp(-d))
SIGMOID = _table(lambda d: 1 / (1 + np.exp(-d)))
GELU_GATE = _table(lambda d: 1 / (1 + np.exp(-2 * np.sqrt(2 / np.pi) * (d + 0.044715 * d**3))))


def interpolate(table: Integers, x: Integers, fraction: int) -> Integers:
    """Return the function at ``x`` >= 0; beyond the table it is the last entry.

    The 16 highest bits below the step select a point between two entries; further bits are cut off.

    Parameters
    ----------
    table : 257 entries.
    x : fixed-point numbers with ``fraction`` bits, at least 4.
    """
    below = fraction - STEP_BITS
    step = x >> below
    rest = x & (1 << below) - 1
    cut = max(0, below - 16)
    index = np.minimum(step, len(table) - 2)
    slope = table[index + 1] - table[index]
    between = table[index] + ((slope * (rest >> cut) + (1 << below - cut >> 1)) >> below - cut)
    result: Integers = np.where(step > index, table[-1], between)
    return result


def exponential(d: Integers, fraction: int) -> Integers:
    """Return exp(-d) for ``d`` >= 0 with 15 fraction bits; 0 from 16 on."""
    return np.where(d >> fraction + RANGE_BITS, 0, interpolate(EXPONENTIAL, d, fraction))


def sigmoid(x: Integers, fraction: int) -> Integers:
    """Return the logistic function of ``x`` with 15 fraction bits."""
    positive = interpolate(SIGMOID, np.abs(x), fraction)
    result: Integers = np.where(x < 0, ONE - positive, positive)
    return result


def gelu_gate(x: Integers, fraction: int) -> Integers:
    """Return GELU's factor of ``x``, in its approximation with tanh, with 15 fraction bits."""
    positive = interpolate(GELU_GATE, np.abs(x), fraction)
    result: Integers = np.where(x < 0, ONE - positive, positive)
    return result
