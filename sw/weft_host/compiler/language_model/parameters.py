"""Integer parameters of a language model, one layer at a time."""

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from ..frontend.llm.architecture import Architecture
from ..frontend.llm.model_file import LanguageModelFile, Layer
from .factors import (
    ACTIVATION_LIMIT,
    Factors,
    Integers,
    factors_of,
    fraction_bits,
    round_half_up,
)
from .heads import HeadNorm, queries_and_keys, values
from .quantize import (
    Matrix,
    Quantized,
    behind_norm,
    gains_of,
    matrix_of,
    quantized,
    values_of,
)

__all__ = ["Attention", "Embedding", "FeedForward", "Head", "RESIDUAL_FRACTION", "attention_of",
           "embedding_of", "feed_forward_of", "head_of", "norm_eps", "rotation_tables",
           "sum_shift"]

RESIDUAL_FRACTION = 12
"""Fraction bits of the residual."""

_FUNCTION_FRACTION = 15
_MOST_FRACTION = 24         # of gates and of what they multiply
_LOGIT_FRACTION = 16        # at most
_ROTATION_FRACTION = 30
_ACTIVATION_SHIFT = 15      # from values in int32 to 16 bits


@dataclasses.dataclass(frozen=True, eq=False)
class Attention:
    """Parameters of the attention of a layer; ``gains`` is ``None`` if the weights have them."""

    gains: Integers | None
    q: Matrix
    k: Matrix
    v: Matrix
    output: Matrix
    q_norm: HeadNorm | None
    k_norm: HeadNorm | None
    score_shifts: Integers


@dataclasses.dataclass(frozen=True, eq=False)
class FeedForward:
    """Parameters of the feed-forward part of a layer.

    ``gate_fraction`` are the fraction bits of the activation function's argument, and
    ``product_fraction`` those of the product in front of ``down``.
    """

    gains: Integers | None
    up: Matrix
    gate: Matrix | None
    down: Matrix
    gate_fraction: int
    product_fraction: int


@dataclasses.dataclass(frozen=True, eq=False)
class Embedding:
    """int8 rows with a factor each; learned positions in units of the residual."""

    rows: npt.NDArray[np.int8]
    factors: Factors
    positions: Integers | None


@dataclasses.dataclass(frozen=True, eq=False)
class Head:
    """Parameters of the projection to logits."""

    gains: Integers | None
    matrix: Matrix
    fraction: int


def norm_eps(model: Architecture) -> int:
    """Return eps of the norms of the residual, in units of the squares."""
    return round(model.eps * model.dim * 4.0**RESIDUAL_FRACTION)


def sum_shift(context: int) -> int:
    """Return the shift of sums over positions that keeps them in int32."""
    return max(0, math.ceil(math.log2(127 * ACTIVATION_LIMIT * context)) - 31)


def rotation_tables(model: Architecture, context: int) -> tuple[Integers, Integers]:
    """Return cosines and sines, ``(context, pairs)``, with 30 fraction bits."""
    assert model.rope is not None
    angles = np.arange(context)[:, None] * model.rope.frequencies()
    cosines, sines = (round_half_up(f(angles) * 2.0**_ROTATION_FRACTION)
                      for f in (np.cos, np.sin))
    return cosines, sines


def embedding_of(model: LanguageModelFile, context: int) -> Embedding:
    """Return the embedding of text tokens and of positions."""
    real = values_of(model.weights.embedding)
    scale = np.abs(real).max(axis=1) / 127
    rows = round_half_up(real / np.where(scale > 0, scale, 1)[:, None]).astype(np.int8)
    positions = None
    if model.weights.positions is not None:
        positions = round_half_up(values_of(model.weights.positions)[:context]
                                  * 2.0**RESIDUAL_FRACTION)
    return Embedding(rows, factors_of(scale * 2.0**RESIDUAL_FRACTION), positions)


def _to_residual(part: Quantized) -> Matrix:
    return matrix_of(part, 2.0**-RESIDUAL_FRACTION,
                     ACTIVATION_LIMIT * math.sqrt(part.weight.shape[1]))


def _bounded(part: Quantized, most: int) -> tuple[Matrix, int]:
    fraction = min(most, fraction_bits(float(part.bound.max())))
    return matrix_of(part, 2.0**-fraction, ACTIVATION_LIMIT), fraction


def attention_of(model: Architecture, layer: Layer) -> Attention:
    """Return the parameters of a layer's attention."""
    gains = gains_of(layer.attention_norm, layer.q, layer.k, layer.v)
    q, k, v = (behind_norm(part, layer.attention_norm, gains)
               for part in (layer.q, layer.k, layer.v))
    queries, keys, shifts = queries_and_keys(model, q, k, layer.q_norm, layer.k_norm)
    heads = values(model, v, common=layer.output.weight.has_codes)
    units = np.repeat(2.0 ** (_ACTIVATION_SHIFT - heads.fractions), model.heads // model.kv_heads)
    return Attention(
        gains, matrix_of(q, queries.units, ACTIVATION_LIMIT),
        matrix_of(k, keys.units, ACTIVATION_LIMIT), matrix_of(v, heads.units, ACTIVATION_LIMIT),
        _to_residual(quantized(layer.output, np.repeat(units, model.head_size))),
        queries.norm, keys.norm, shifts)


def feed_forward_of(layer: Layer) -> FeedForward:
    """Return the parameters of a layer's feed-forward part."""
    gains = gains_of(layer.feed_forward_norm, layer.gate, layer.up)
    up, up_fraction = _bounded(behind_norm(layer.up, layer.feed_forward_norm, gains),
                               _MOST_FRACTION)
    gate, gate_fraction, product_fraction = None, up_fraction, up_fraction + _FUNCTION_FRACTION
    if layer.gate is not None:
        gate, gate_fraction = _bounded(behind_norm(layer.gate, layer.feed_forward_norm, gains),
                                       _MOST_FRACTION)
        product_fraction = gate_fraction + up_fraction
    return FeedForward(gains, up, gate, _to_residual(quantized(layer.down, 1.0)), gate_fraction,
                       product_fraction)


def head_of(model: LanguageModelFile) -> Head:
    """Return the parameters of the head."""
    norm = model.weights.final_norm
    gains = gains_of(norm, model.weights.head)
    matrix, fraction = _bounded(behind_norm(model.weights.head, norm, gains), _LOGIT_FRACTION)
    return Head(gains, matrix, fraction)
