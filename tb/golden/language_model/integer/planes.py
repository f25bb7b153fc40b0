"""Activations of 16 bits as two planes of int8, and products of them with int8 weights."""

import numpy as np

from golden.language_model.integer.fixed import (
    Integers,
    Multiplier,
    round_shift,
    saturate,
)

__all__ = ["MOST", "multiply", "project", "split"]

MOST = 32639
"""Largest magnitude of an activation: 127 * 256 + 127, so that it and its negative have planes."""


def split(x: Integers) -> tuple[Integers, Integers]:
    """Return the planes ``hi`` and ``lo`` of int8 with ``x = 256 * hi + lo``."""
    lo = (x + 128) % 256 - 128
    return (x - lo) >> 8, lo


def multiply(x: Integers, weight: Integers) -> Integers:
    """Return ``x @ weight.T`` as the array computes it: one product for each plane.

    Both products are sums in int32 that cannot overflow below 2^17 inputs; 256 times the first plus
    the second has at most 42 bits.

    Parameters
    ----------
    x : ``(positions, inputs)``, at most :data:`MOST` in magnitude.
    weight : ``(outputs, inputs)``, int8.
    """
    # float64 holds these sums exactly and is fast
    hi, lo = (plane.astype(np.float64) @ weight.T.astype(np.float64) for plane in split(x))
    result: Integers = 256 * hi.astype(np.int64) + lo.astype(np.int64)
    return result


def project(x: Integers, weight: Integers, factor: Multiplier, *, bias: Integers | int = 0,
            before: int = 0, exponent: Integers | int = 0) -> Integers:
    """Return outputs of a projection in int32.

    The sum is shifted right by ``before``, saturated to int32 and multiplied by ``factor``, and the
    bias is added, each with saturation.

    Parameters
    ----------
    x, weight : see :func:`multiply`.
    factor : factor of each output.
    bias : in units of the output.
    before : static shift that keeps the sum below 2^31.
    exponent : exponent of each position, ``(positions, 1)``: ``x`` stands for ``x * 2^exponent``.
    """
    total = saturate(round_shift(multiply(x, weight), before))
    scaled = round_shift(total * factor.multiplier, factor.shift - before - exponent)
    return saturate(saturate(scaled) + bias)
