"""Activations of 16 bits as two planes of int8, and products of them with int8 weights."""

import typing

import numpy as np
import numpy.typing as npt

from golden.language_model.integer.fixed import (
    Integers,
    Multiplier,
    round_shift,
    saturate,
)

__all__ = ["ACTIVATION_LIMIT", "MOST_INPUTS", "multiply", "project", "split"]

ACTIVATION_LIMIT = 32639
"""Largest magnitude of an activation: 127 * 256 + 127, so that it and its negative have planes."""

MOST_INPUTS = 1 << 17


def split(x: Integers) -> tuple[Integers, Integers]:
    """Return the planes ``hi`` and ``lo`` of int8 with ``x = 256 * hi + lo``."""
    lo = (x + 128) % 256 - 128
    return (x - lo) >> 8, lo


def multiply(x: Integers, weight: npt.NDArray[np.integer[typing.Any]]) -> Integers:
    """Return ``x @ weight.T`` as the array computes it: one product for each plane.

    The sums of a plane fit into int32 below :data:`MOST_INPUTS` inputs; 256 times the first plus
    the second has at most 39 bits and a sign.

    Parameters
    ----------
    x : ``(positions, inputs)``, at most :data:`ACTIVATION_LIMIT` in magnitude.
    weight : ``(outputs, inputs)``, int8.
    """
    # float64 holds these sums exactly and is fast
    hi, lo = (plane.astype(np.float64) @ weight.T.astype(np.float64) for plane in split(x))
    result: Integers = 256 * hi.astype(np.int64) + lo.astype(np.int64)
    return result


def project(x: Integers, weight: npt.NDArray[np.integer[typing.Any]], factor: Multiplier, *,
            bias: Integers | int = 0, pre_shift: int = 0,
            exponent: Integers | int = 0) -> Integers:
    """Return outputs of a projection in int32.

    The sum is shifted right by ``pre_shift``, saturated to int32 and multiplied by ``factor``, and
    the bias is added, each with saturation.

    Parameters
    ----------
    x, weight : see :func:`multiply`.
    factor : factor of each output.
    bias : in units of the output.
    pre_shift : static shift that keeps the sum below 2^31.
    exponent : exponent of each position, ``(positions, 1)``: ``x`` stands for ``x * 2^exponent``.
        A shift that would be negative is 0.
    """
    total = saturate(round_shift(multiply(x, weight), pre_shift))
    shift = np.maximum(factor.shift - pre_shift - exponent, 0)
    scaled = round_shift(total * factor.multiplier, shift)
    return saturate(saturate(scaled) + bias)
