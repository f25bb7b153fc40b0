"""Integer parameters from float parameters, without calibration data.

The inputs of a projection behind a norm have at most the Euclidean norm ``sqrt(dim)``. Its output
channel c is at most ``sqrt(dim)`` times the norm of its weights, with the norm's gains, plus its
bias (Cauchy and Schwarz). These bounds fix all scales of queries, keys, values and feed-forward
layers; the residual stream has a fixed scale and saturates.
"""

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from golden.language_model.integer.expansion import expand, expansion_of
from golden.language_model.integer.fixed import Integers, Multiplier, multiplier_of
from golden.language_model.integer.parameters import IntegerLayer, IntegerModel, Projection
from golden.language_model.integer.planes import MOST
from golden.language_model.parameters import (
    Codes,
    LayerParameters,
    Linear,
    Model,
    NormParameters,
)

__all__ = ["RESIDUAL_BITS", "integer_model"]

RESIDUAL_BITS = 12      # fraction bits of the residual stream
LOGIT_BITS = 16         # fraction bits of logits, at most
ROTATION_BITS = 30
FACTOR_BITS = 31        # of the factors of attention
LEAST_BITS, MOST_BITS = 4, 24       # fraction bits of intermediate numbers

_Reals = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True, eq=False)
class _Folded:
    """A projection with the norm in front of it.

    ``weight`` contains the norm's gains, or ``codes`` are the file's and the norm multiplies;
    ``unit`` is the value of an input of 1, and ``bound`` the largest output of each channel.
    """

    weight: _Reals
    codes: Codes | None
    bias: _Reals
    bound: _Reals
    unit: float


def _gain(norm: NormParameters, *linears: Linear | None) -> Multiplier | None:
    """Return the factors with which a norm multiplies, if a projection behind it has codes."""
    if not any(linear is not None and linear.codes is not None for linear in linears):
        return None
    gain = np.asarray(norm.gain, np.float64)
    return multiplier_of(gain / _largest(gain))


def _largest(gain: _Reals) -> float:
    return float(np.abs(gain).max()) or 1.0


def _fold(linear: Linear, norm: NormParameters, gain: Multiplier | None) -> _Folded:
    """Return a projection; the norm multiplies by its gains if ``gain`` is given."""
    weight, gains = np.asarray(linear.weight, np.float64), np.asarray(norm.gain, np.float64)
    bias = _bias(linear)
    if norm.offset is not None:
        bias = bias + weight @ np.asarray(norm.offset, np.float64)
    root = math.sqrt(weight.shape[1])
    bound = root * np.sqrt(((weight * gains)**2).sum(1)) + np.abs(bias)
    if gain is None:
        return _Folded(weight * gains, None, bias, bound, root / MOST)
    return _Folded(weight, linear.codes, bias, bound, root * _largest(gains) / MOST)


def _round(x: _Reals) -> Integers:
    return np.floor(x + 0.5).astype(np.int64)


def _fraction(bound: float) -> int:
    """Return the fraction bits with which numbers up to ``bound`` fill int32."""
    return min(MOST_BITS, max(LEAST_BITS, 30 - math.ceil(math.log2(max(bound, 2.0**-20)))))


def _projection(weight: _Reals, codes: Codes | None, bias: _Reals, unit: float, fraction: int,
                largest_sum: float) -> Projection:
    """Quantise each output's weights to int8, or expand their codes.

    ``unit`` is the value of an input of 1; ``largest_sum`` bounds the sum of the magnitudes of the
    inputs, or what the inputs' norm makes of it.
    """
    if codes is None:
        scale = np.abs(weight).max(axis=1) / 127
        integers = _round(weight / np.where(scale > 0, scale, 1)[:, None])
    else:
        expansion, scale = expansion_of(codes)
        integers = expand(expansion)
    before = max(0, math.ceil(math.log2(128 * largest_sum)) - 31)
    return Projection(weight=integers.astype(np.int8),
                      factor=multiplier_of(scale * unit * 2.0**fraction),
                      bias=_round(bias * 2.0**fraction), fraction=fraction, before=before)


def _behind_norm(folded: _Folded, largest: float, most_bits: int = MOST_BITS) -> Projection:
    """Quantise a projection whose input is normalised; ``largest`` bounds what becomes of it."""
    return _projection(folded.weight, folded.codes, folded.bias, folded.unit,
                       min(most_bits, _fraction(largest)),
                       MOST * math.sqrt(folded.weight.shape[1]))


def _pair_bound(model: Model, bound: _Reals) -> float:
    """Return a bound of rotated elements, of which each pair keeps its norm."""
    return float(bound.max()) * (1 if model.rotation is None else math.sqrt(2))


def _layer(model: Model, layer: LayerParameters) -> IntegerLayer:
    size = model.head_size
    attention_gain = _gain(layer.attention_norm, layer.q, layer.k, layer.v)
    q, k, v = (_fold(linear, layer.attention_norm, attention_gain)
               for linear in (layer.q, layer.k, layer.v))
    q_bound, k_bound = (bound.reshape(-1, size).max(axis=1) for bound in (q.bound, k.bound))
    v_bound = v.bound.reshape(-1, size).max(axis=1)
    if layer.output.codes is not None:      # codes cannot contain the scale of their input
        v_bound[:] = v_bound.max()
    q_projection, k_projection = (_behind_norm(x, _pair_bound(model, x.bound)) for x in (q, k))
    v_projection = _behind_norm(v, float(v.bound.max()))
    q_fraction, k_fraction = q_projection.fraction, k_projection.fraction
    q_gain = k_gain = None
    q_eps = k_eps = 0
    if layer.q_norm is not None and layer.k_norm is not None:
        gains = [np.asarray(norm.gain, np.float64) for norm in (layer.q_norm, layer.k_norm)]
        q_eps, k_eps = (round(model.eps * size * 4.0**fraction)
                        for fraction in (q_fraction, k_fraction))
        bounds = [math.sqrt(size) * np.abs(gain).max() for gain in gains]
        q_fraction, k_fraction = (_fraction(bound * math.sqrt(2)) for bound in bounds)
        q_gain, k_gain = (multiplier_of(gain * math.sqrt(size) / MOST * 2.0**fraction)
                          for gain, fraction in zip(gains, (q_fraction, k_fraction), strict=True))
        q_bound = np.full(model.heads, bounds[0])
    if model.rotation is not None:
        q_bound = q_bound * math.sqrt(2)
    group = model.heads // model.kv_heads
    v_of_head = np.repeat(v_bound, group)
    score = q_bound / MOST * 2.0**-k_fraction / 127 / math.sqrt(size) * 2.0**12
    weight = 2.0**-v_projection.fraction / v_of_head * MOST / 2.0**15
    output = np.asarray(layer.output.weight, np.float64)
    output_unit = 1 / MOST
    if layer.output.codes is None:
        output = output * np.repeat(v_of_head, size)
    else:
        output_unit *= v_bound[0]
    forward_gain = _gain(layer.feed_forward_norm, layer.gate, layer.up)
    gate = None if layer.gate is None else _fold(layer.gate, layer.feed_forward_norm, forward_gain)
    up = _fold(layer.up, layer.feed_forward_norm, forward_gain)
    up_projection = _behind_norm(up, float(up.bound.max()))
    gate_projection = None if gate is None else _behind_norm(gate, float(gate.bound.max()))
    product_bits = up_projection.fraction + (
        15 if gate_projection is None else gate_projection.fraction)
    down = np.asarray(layer.down.weight, np.float64)
    return IntegerLayer(
        q=q_projection, k=k_projection, v=v_projection,
        output=_projection(output, layer.output.codes, _bias(layer.output), output_unit,
                           RESIDUAL_BITS, MOST * output.shape[1]),
        up=up_projection, gate=gate_projection,
        down=_projection(down, layer.down.codes, _bias(layer.down), 2.0**-product_bits,
                         RESIDUAL_BITS, MOST * down.shape[1]),
        attention_gain=attention_gain, feed_forward_gain=forward_gain,
        q_gain=q_gain, k_gain=k_gain, q_eps=q_eps, k_eps=k_eps,
        query=multiplier_of(2.0**-q_fraction / q_bound * MOST),
        score=multiplier_of(score, FACTOR_BITS), weight=multiplier_of(weight, FACTOR_BITS))


def _bias(linear: Linear) -> _Reals:
    if linear.bias is None:
        return np.zeros(len(linear.weight))
    return np.asarray(linear.bias, np.float64)


def integer_model(model: Model, context: int) -> IntegerModel:
    """Return the integer parameters of a model for at most ``context`` positions."""
    embedding = np.asarray(model.embedding, np.float64)
    scale = np.abs(embedding).max(axis=1) / 127
    final_gain = _gain(model.final_norm, model.head)
    head = _fold(model.head, model.final_norm, final_gain)
    before = max(0, math.ceil(math.log2(127 * MOST * context)) - 31)
    positions = cosines = sines = None
    if model.positions is not None:
        positions = _round(np.asarray(model.positions[:context], np.float64) * 2.0**RESIDUAL_BITS)
    if model.rotation is not None:
        angles = np.arange(context)[:, None] * model.rotation.frequencies
        cosines, sines = (_round(f(angles) * 2.0**ROTATION_BITS) for f in (np.cos, np.sin))
    return IntegerModel(
        heads=model.heads, kv_heads=model.kv_heads, head_size=model.head_size, norm=model.norm,
        activation=model.activation, pairs=model.rotation.pairs if model.rotation else "",
        context=context, before=before,
        eps=round(model.eps * embedding.shape[1] * 4.0**RESIDUAL_BITS),
        embedding=_round(embedding / np.where(scale > 0, scale, 1)[:, None]).astype(np.int8),
        embedding_factor=multiplier_of(scale * 2.0**RESIDUAL_BITS), positions=positions,
        cosines=cosines, sines=sines,
        layers=tuple(_layer(model, layer) for layer in model.layers),
        final_gain=final_gain, head=_behind_norm(head, float(head.bound.max()), LOGIT_BITS))
