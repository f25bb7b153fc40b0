"""Roots and quotients of the instruction SOLVE, on Python's integers."""

import math

__all__ = ["Factor", "exponent", "mean", "reciprocal_root", "scale", "sum_quotient"]

Factor = tuple[int, int]
"""Multiplier and shift."""

_LARGEST = 32639        # of 16-bit activations
_MANTISSA = 31          # bits


def reciprocal_root(square: int) -> Factor:
    """Return a factor for ``32639 / sqrt(square)``, or 0 for a square of 0."""
    if square <= 0:
        return 0, 0
    left = (2 * _MANTISSA - square.bit_length()) // 2 * 2
    root = math.isqrt(square << left if left >= 0 else square >> -left)
    return (_LARGEST << 46) // root, 46 - left // 2


def scale(largest: int) -> tuple[int, Factor]:
    """Return the 16-bit scale of a vector with this largest magnitude, and the factor to 127."""
    largest = max(largest, 0)
    number = min((largest + (1 << 15) - 1) >> 15, (1 << 16) - 1)
    return number, ((127 << 24) // number if number else 0, 39)


def sum_quotient(total: int) -> Factor:
    """Return a factor for ``2^15 / (127 * total)``, or 0 for a total of 0."""
    if total <= 0:
        return 0, 0
    left = _MANTISSA - total.bit_length()
    mantissa = total << left if left >= 0 else total >> -left
    return (1 << 67) // (127 * mantissa), 52 - left


def mean(total: int, count: int) -> int:
    """Return ``total / count`` to the nearest integer, halves up."""
    return (2 * total + count) // (2 * count)


def exponent(largest: int) -> int:
    """Return the shift that limits a largest magnitude to 32639."""
    largest = max(largest, 0)
    bits = max(0, largest.bit_length() - 15)
    half = 1 << bits >> 1
    return bits + int(largest + half >> bits > _LARGEST)
