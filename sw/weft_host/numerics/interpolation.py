"""Exponential, logistic function and GELU's factor as tables with linear interpolation."""

import math
from collections.abc import Callable

import numpy as np

from .rounding_shift import Integers

__all__ = ["FRACTION", "exponential", "gelu_gate", "sigmoid"]

FRACTION = 15           # fraction bits of results
_RANGE = 4              # bits of the integer part of the arguments of a table
_STEP = 4               # bits of the fraction that select an entry
_REST = 16              # most bits below them that interpolate
_ONE = 1 << FRACTION


def _table(function: Callable[[float], float]) -> Integers:
    return np.array([math.floor(function(entry / (1 << _STEP)) * _ONE + 0.5)
                     for entry in range((1 << _RANGE + _STEP) + 1)], np.int64)


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))


_EXPONENTIAL = _table(lambda x: math.exp(-x))
_SIGMOID = _table(_logistic)
_GELU = _table(lambda x: _logistic(2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def _interpolate(table: Integers, x: Integers, fraction: int) -> Integers:
    """Return the function at ``x`` >= 0 with ``fraction`` bits, at least 4."""
    bits = fraction - _STEP
    width = min(bits, _REST)
    entry = x >> bits
    inside = np.minimum(entry, len(table) - 2)
    part = (x & (1 << bits) - 1) >> bits - width
    slope = table[inside + 1] - table[inside]
    result = table[inside] + (slope * part + ((1 << width) >> 1) >> width)
    return np.where(entry > inside, table[-1], result)


def exponential(x: Integers, fraction: int) -> Integers:
    """Return exp(-x) for ``x`` >= 0; 0 from 16 on."""
    return np.where(x >> fraction + _RANGE, 0, _interpolate(_EXPONENTIAL, x, fraction))


def _symmetric(table: Integers, x: Integers, fraction: int) -> Integers:
    value = _interpolate(table, np.abs(x), fraction)
    return np.where(x < 0, _ONE - value, value)


def sigmoid(x: Integers, fraction: int) -> Integers:
    """Return the logistic function."""
    return _symmetric(_SIGMOID, x, fraction)


def gelu_gate(x: Integers, fraction: int) -> Integers:
    """Return the factor of GELU, in its approximation with tanh."""
    return _symmetric(_GELU, x, fraction)
