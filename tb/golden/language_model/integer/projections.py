"""Integer parameters of a projection, with the norm in front of it.

The inputs of a projection behind a norm have at most the Euclidean norm ``sqrt(size)``. By Cauchy
and Schwarz, its output channel c is at most ``sqrt(size)`` times the norm of its quantised weights,
with the norm's gains, plus its bias.
"""

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from golden.language_model.integer.expansion import LARGEST_WEIGHT, expand, expansion_of
from golden.language_model.integer.fixed import multiplier_of, round_half_up, stored
from golden.language_model.integer.parameters import Gains, Projection
from golden.language_model.integer.planes import ACTIVATION_LIMIT, MOST_INPUTS
from golden.language_model.parameters import Codes, Linear, NormParameters

__all__ = ["Quantized", "Reals", "fraction_of", "gains_of", "largest_gain", "projection",
           "quantize_behind_norm", "quantize_weight"]

MIN_FRACTION = 4            # of int32 numbers between projections; tables need 4 bits
SMALLEST_BOUND = 2.0**-20   # smaller bounds, also 0, count as this one
SMALLEST_PRODUCT = 32       # smaller bounds of a sum of products count as this one
GAIN_FRACTION = 30

Reals = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True, eq=False)
class Quantized:
    """int8 weights ``(outputs, inputs)`` with the scale and the bias of each output.

    ``unit`` is the value of an input of 1. ``bound`` is the largest output of each channel; it is
    0 for projections that are not behind a norm.
    """

    weight: npt.NDArray[np.int8]
    scale: Reals
    bias: Reals
    unit: float
    bound: Reals


def fraction_of(bound: float) -> int:
    """Return the most fraction bits with which int32 holds twice ``bound``, from 4 to 50."""
    return max(MIN_FRACTION, 30 - math.ceil(math.log2(max(bound, SMALLEST_BOUND))))


def gains_of(norm: NormParameters, *linears: Linear | None) -> Gains | None:
    """Return the gains by which a norm multiplies, if a projection behind it has codes."""
    if not any(linear is not None and linear.codes is not None for linear in linears):
        return None
    gain = np.asarray(norm.gain, np.float64)
    return Gains(round_half_up(gain / largest_gain(norm) * 2.0**GAIN_FRACTION), GAIN_FRACTION)


def largest_gain(norm: NormParameters) -> float:
    """Return the largest magnitude of a norm's gains, or 1 if all are 0."""
    return float(np.abs(np.asarray(norm.gain, np.float64)).max()) or 1.0


def _codes_and_scale(weight: Reals, codes: Codes | None) -> tuple[npt.NDArray[np.int8], Reals]:
    """Return int8 weights and the scale of each output."""
    if weight.shape[1] >= MOST_INPUTS:
        raise ValueError(f"A projection has {weight.shape[1]} inputs; the sums of a plane hold "
                         f"fewer than {MOST_INPUTS}")
    if codes is not None:
        expansion, scale = expansion_of(codes)
        return expand(expansion).astype(np.int8), scale
    scale = np.abs(weight).max(axis=1) / LARGEST_WEIGHT
    integers = round_half_up(weight / np.where(scale > 0, scale, 1)[:, None])
    return np.clip(integers, -LARGEST_WEIGHT, LARGEST_WEIGHT).astype(np.int8), scale


def _bias(linear: Linear) -> Reals:
    if linear.bias is None:
        return np.zeros(len(linear.weight))
    return np.asarray(linear.bias, np.float64)


def quantize_weight(linear: Linear, unit: float, columns: Reals | float = 1.0) -> Quantized:
    """Quantise a projection that is not behind a norm.

    ``columns`` are factors of the inputs, which become part of weights without codes.
    """
    weight = np.asarray(linear.weight, np.float64) * columns
    integers, scale = _codes_and_scale(weight, linear.codes)
    return Quantized(integers, scale, _bias(linear), unit, np.zeros(len(weight)))


def quantize_behind_norm(linear: Linear, norm: NormParameters, gains: Gains | None) -> Quantized:
    """Quantise a projection behind a norm; ``gains`` is the result of :func:`gains_of`.

    The gains become part of the weights if the norm does not multiply by them.
    """
    weight, gain = np.asarray(linear.weight, np.float64), np.asarray(norm.gain, np.float64)
    bias = _bias(linear)
    if norm.offset is not None:
        bias = bias + weight @ np.asarray(norm.offset, np.float64)
    root = math.sqrt(weight.shape[1])
    if gains is None:
        integers, scale = _codes_and_scale(weight * gain, None)
        effective, unit = integers.astype(np.float64), root / ACTIVATION_LIMIT
    else:
        integers, scale = _codes_and_scale(weight, linear.codes)
        effective, unit = integers * gain, root * largest_gain(norm) / ACTIVATION_LIMIT
    bound = root * scale * np.sqrt((effective**2).sum(1)) + np.abs(bias)
    bound = np.maximum(bound, SMALLEST_PRODUCT * scale * unit)
    return Quantized(integers, scale, bias, unit, bound)


def projection(quantized: Quantized, unit: Reals | float, largest_norm: float) -> Projection:
    """Return the integer parameters of a projection.

    Parameters
    ----------
    quantized : weights.
    unit : value of an output of 1, for each output or for all of them.
    largest_norm : bound of the Euclidean norm of the inputs.
    """
    largest_sum = 128 * math.sqrt(quantized.weight.shape[1]) * largest_norm
    pre_shift = max(0, math.ceil(math.log2(largest_sum)) - 31)
    factor = multiplier_of(quantized.scale * quantized.unit / unit)
    return Projection(weight=quantized.weight, factor=stored(factor, pre_shift),
                      bias=round_half_up(quantized.bias / unit), pre_shift=pre_shift)
