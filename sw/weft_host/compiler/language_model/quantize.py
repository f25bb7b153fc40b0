"""int8 weights and integer factors of projections."""

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from ..frontend.llm.model_file import Norm, Projection
from ..frontend.llm.weight_tensor import WeightTensor
from ..verdict import ModelError
from .factors import (
    ACTIVATION_LIMIT,
    Factors,
    Integers,
    Reals,
    factors_of,
    round_half_up,
)

__all__ = ["Expansion", "Matrix", "Quantized", "behind_norm", "gains_of", "largest_gain",
           "matrix_of", "merged", "quantized", "values_of"]

_LARGEST_WEIGHT = 127
_HIGHEST_CODE = 15
_MOST_INPUTS = 1 << 17
_SMALLEST_PRODUCT = 32      # smaller bounds of a sum of products count as this one
_GAIN_BITS = 30


@dataclasses.dataclass(frozen=True, eq=False)
class Expansion:
    """4-bit codes ``(outputs, blocks, 32)``, and slopes and offsets ``(outputs, blocks)``."""

    codes: npt.NDArray[np.uint8]
    slopes: Integers
    offsets: Integers

    def outputs(self, chosen: Integers | slice) -> "Expansion":
        """Return the part of some outputs, or all of them in another order."""
        return Expansion(self.codes[chosen], self.slopes[chosen], self.offsets[chosen])

    def weights(self) -> npt.NDArray[np.int8]:
        """Return the int8 weights ``(outputs, inputs)``."""
        weight = self.codes * self.slopes[..., None] + 8 * self.offsets[..., None] + 64 >> 7
        return np.clip(weight, -128, 127).reshape(len(weight), -1).astype(np.int8)


@dataclasses.dataclass(frozen=True, eq=False)
class Quantized:
    """int8 weights ``(outputs, inputs)`` with real scales, biases and bounds of the outputs.

    ``unit`` is the value of an input of 1. ``expansion`` are the 4-bit codes of the weights, if
    there are any.
    """

    weight: npt.NDArray[np.int8]
    scale: Reals
    bias: Reals
    bound: Reals
    unit: float
    expansion: Expansion | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class Matrix:
    """Integer parameters of a projection, with the 4-bit codes of the weights if there are any."""

    weight: npt.NDArray[np.int8]
    factors: Factors
    bias: Integers
    pre_shift: int
    expansion: Expansion | None = None

    def reordered(self, outputs: Integers) -> "Matrix":
        """Return the matrix with its outputs in another order."""
        return Matrix(self.weight[outputs], Factors(
            self.factors.multiplier[outputs], self.factors.shift[outputs]), self.bias[outputs],
            self.pre_shift, self.expansion and self.expansion.outputs(outputs))


def values_of(tensor: WeightTensor) -> Reals:
    """Return the elements of a tensor as float64."""
    return tensor.values().astype(np.float64)


def largest_gain(norm: Norm) -> float:
    """Return the largest magnitude of a norm's gains, or 1 if all are 0."""
    return float(np.abs(values_of(norm.weight)).max()) or 1.0


def gains_of(norm: Norm, *projections: Projection | None) -> Integers | None:
    """Return the gains by which a norm multiplies, with 30 fraction bits.

    ``None`` if no projection behind it has 4-bit codes; gains are then a part of the weights.
    """
    if not any(part is not None and part.weight.has_codes for part in projections):
        return None
    return round_half_up(values_of(norm.weight) / largest_gain(norm) * 2.0**_GAIN_BITS)


def _rounded(weight: Reals) -> tuple[npt.NDArray[np.int8], Reals]:
    scale = np.abs(weight).max(axis=1) / _LARGEST_WEIGHT
    integers = round_half_up(weight / np.where(scale > 0, scale, 1)[:, None])
    return np.clip(integers, -_LARGEST_WEIGHT, _LARGEST_WEIGHT).astype(np.int8), scale


def _expanded(tensor: WeightTensor) -> tuple[Expansion, Reals]:
    """Return the expansion of 4-bit codes to int8, and the scales of the outputs."""
    codes = tensor.codes()
    d, m = codes.d.astype(np.float64), codes.m.astype(np.float64)
    q = codes.q.astype(np.int64)
    negative = d < 0
    q = np.where(negative[..., None], _HIGHEST_CODE - q, q)
    m = np.where(negative, m + _HIGHEST_CODE * d, m)
    d = np.abs(d)
    lowest = q.min(axis=2)
    q = q - lowest[..., None]
    m = m + d * lowest
    highest = q.max(axis=2)
    spread = _HIGHEST_CODE // np.maximum(highest, 1)
    q = q * spread[..., None]
    d = np.where(highest > 0, d / spread, 0)
    scale = np.abs(d[..., None] * q + m[..., None]).max(axis=(1, 2)) / _LARGEST_WEIGHT
    unit = np.where(scale > 0, scale, 1)[:, None]
    slope, offset = round_half_up(d / unit * 128), round_half_up(m / unit * 16)
    return Expansion(q.astype(np.uint8), slope, offset), scale


def _check_inputs(tensor: WeightTensor) -> None:
    if tensor.shape[1] >= _MOST_INPUTS:
        raise ModelError(f"tensor {tensor.name!r} has {tensor.shape[1]} inputs; the accumulators "
                         f"hold sums of fewer than {_MOST_INPUTS}")


def _bias(projection: Projection) -> Reals:
    if projection.bias is None:
        return np.zeros(projection.weight.shape[0])
    return values_of(projection.bias)


def quantized(projection: Projection, columns: Reals | float) -> Quantized:
    """Quantise a projection that is not behind a norm.

    ``columns`` are the units of the inputs; one number for all of them if there are 4-bit codes.
    """
    _check_inputs(projection.weight)
    expansion = None
    if projection.weight.has_codes:
        expansion, scale = _expanded(projection.weight)
        weight, unit = expansion.weights(), float(np.max(columns))
    else:
        weight, scale = _rounded(values_of(projection.weight) * columns)
        unit = 1.0
    return Quantized(weight, scale, _bias(projection), np.zeros(len(scale)), unit, expansion)


def behind_norm(projection: Projection, norm: Norm, gains: Integers | None) -> Quantized:
    """Quantise a projection behind a norm; ``gains`` is the result of :func:`gains_of`."""
    _check_inputs(projection.weight)
    bias, gain = _bias(projection), values_of(norm.weight)
    real = None if gains is not None and norm.bias is None else values_of(projection.weight)
    if norm.bias is not None:
        assert real is not None
        bias = bias + real @ values_of(norm.bias)
    root = math.sqrt(projection.weight.shape[1])
    expansion = None
    if gains is None:
        assert real is not None
        weight, scale = _rounded(real * gain)
        effective, unit = weight.astype(np.float64), root / ACTIVATION_LIMIT
    else:
        if projection.weight.has_codes:
            expansion, scale = _expanded(projection.weight)
            weight = expansion.weights()
        else:
            weight, scale = _rounded(values_of(projection.weight))
        effective, unit = weight * gain, root * largest_gain(norm) / ACTIVATION_LIMIT
    bound = root * scale * np.sqrt((effective**2).sum(1)) + np.abs(bias)
    return Quantized(weight, scale, bias, np.maximum(bound, _SMALLEST_PRODUCT * scale * unit), unit,
                     expansion)


def matrix_of(part: Quantized, unit: Reals | float, largest_norm: float) -> Matrix:
    """Return the integer parameters of a projection.

    Parameters
    ----------
    part : weights.
    unit : value of an output of 1, for each output or for all of them.
    largest_norm : bound of the Euclidean norm of the inputs.

    Raises
    ------
    ModelError
        If a factor is too large.
    """
    largest_sum = 128 * math.sqrt(part.weight.shape[1]) * largest_norm
    pre_shift = max(0, math.ceil(math.log2(largest_sum)) - 31)
    factors = factors_of(part.scale * part.unit / unit, pre_shift)
    return Matrix(part.weight, factors, round_half_up(part.bias / unit), pre_shift, part.expansion)


def merged(*matrices: Matrix) -> list[Matrix]:
    """Return projections of the same inputs, in which some neighbours are one.

    These have equal shifts, and both or neither have 4-bit codes.
    """
    result: list[Matrix] = []
    for matrix in matrices:
        if result and result[-1].pre_shift == matrix.pre_shift \
                and (result[-1].expansion is None) == (matrix.expansion is None):
            matrix = _joined(result.pop(), matrix)
        result.append(matrix)
    return result


def _joined(before: Matrix, matrix: Matrix) -> Matrix:
    expansion = None
    if before.expansion is not None and matrix.expansion is not None:
        expansion = Expansion(*(
            np.concatenate([getattr(part, field.name)
                            for part in (before.expansion, matrix.expansion)])
            for field in dataclasses.fields(Expansion)))
    return Matrix(
        np.concatenate([before.weight, matrix.weight]),
        Factors(np.concatenate([before.factors.multiplier, matrix.factors.multiplier]),
                np.concatenate([before.factors.shift, matrix.factors.shift])),
        np.concatenate([before.bias, matrix.bias]), matrix.pre_shift, expansion)
