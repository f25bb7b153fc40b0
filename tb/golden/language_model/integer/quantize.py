"""Integer parameters from float parameters, without calibration data.

The bounds of projections behind norms fix all scales of queries, keys, values and feed-forward
layers. The residual stream has a fixed scale and saturates.
"""

import math

import numpy as np

from golden.language_model.integer.attention import ACTIVATION_SHIFT, CACHE_LIMIT, MOST_POSITIONS
from golden.language_model.integer.expansion import LARGEST_WEIGHT
from golden.language_model.integer.fixed import multiplier_of, round_half_up, stored
from golden.language_model.integer.heads import heads_of, queries_and_keys
from golden.language_model.integer.parameters import (
    ROTATION_FRACTION,
    IntegerAttention,
    IntegerFeedForward,
    IntegerLayer,
    IntegerModel,
    Projection,
)
from golden.language_model.integer.planes import ACTIVATION_LIMIT
from golden.language_model.integer.projections import (
    Quantized,
    fraction_of,
    gains_of,
    projection,
    quantize_behind_norm,
    quantize_weight,
)
from golden.language_model.integer.tables import FRACTION
from golden.language_model.parameters import LayerParameters, Model

__all__ = ["RESIDUAL_FRACTION", "integer_model"]

RESIDUAL_FRACTION = 12      # fraction bits of the residual stream
TABLE_FRACTION = 24         # fraction bits of gates and of what they multiply, at most
LOGIT_FRACTION = 16         # fraction bits of logits, at most


def _behind_norm(quantized: Quantized, most: int) -> tuple[Projection, int]:
    """Return a projection behind a norm, and its fraction bits, of which there are at most so many.
    """
    fraction = min(most, fraction_of(float(quantized.bound.max())))
    return projection(quantized, 2.0**-fraction, ACTIVATION_LIMIT), fraction


def _unbounded(quantized: Quantized) -> Projection:
    """Return a projection into the residual, whose inputs are only limited to 16 bits each."""
    return projection(quantized, 2.0**-RESIDUAL_FRACTION,
                      ACTIVATION_LIMIT * math.sqrt(quantized.weight.shape[1]))


def _attention(model: Model, layer: LayerParameters) -> IntegerAttention:
    size = model.head_size
    gains = gains_of(layer.attention_norm, layer.q, layer.k, layer.v)
    q, k, v = (quantize_behind_norm(linear, layer.attention_norm, gains)
               for linear in (layer.q, layer.k, layer.v))
    queries, keys, shifts = queries_and_keys(model, q, k, layer.q_norm, layer.k_norm)
    coded = layer.output.codes is not None      # codes cannot be multiplied by the heads' units
    bounds = v.bound.reshape(-1, size)
    values = heads_of(bounds, np.ones(bounds.shape), group=model.kv_heads if coded else 1)
    units = np.repeat(2.0 ** (ACTIVATION_SHIFT - values.fractions), model.heads // model.kv_heads)
    if coded:
        output = quantize_weight(layer.output, float(units[0]))
    else:
        output = quantize_weight(layer.output, 1.0, np.repeat(units, size))
    return IntegerAttention(
        gains=gains, q=projection(q, queries.units, ACTIVATION_LIMIT),
        k=projection(k, keys.units, ACTIVATION_LIMIT),
        v=projection(v, values.units, ACTIVATION_LIMIT), output=_unbounded(output),
        q_norm=queries.norm, k_norm=keys.norm, score_shifts=shifts)


def _feed_forward(layer: LayerParameters) -> IntegerFeedForward:
    gains = gains_of(layer.feed_forward_norm, layer.gate, layer.up)
    up, up_fraction = _behind_norm(
        quantize_behind_norm(layer.up, layer.feed_forward_norm, gains), TABLE_FRACTION)
    gate, gate_fraction, product_fraction = None, up_fraction, up_fraction + FRACTION
    if layer.gate is not None:
        gate, gate_fraction = _behind_norm(
            quantize_behind_norm(layer.gate, layer.feed_forward_norm, gains), TABLE_FRACTION)
        product_fraction = gate_fraction + up_fraction
    return IntegerFeedForward(
        gains=gains, up=up, gate=gate, down=_unbounded(quantize_weight(layer.down, 1.0)),
        gate_fraction=gate_fraction, product_fraction=product_fraction)


def integer_model(model: Model, context: int) -> IntegerModel:
    """Return the integer parameters of a model for at most ``context`` positions.

    Raises
    ------
    ValueError
        If the model or the context is beyond the widths of the law.
    """
    most = MOST_POSITIONS
    if model.positions is not None:
        most = min(most, len(model.positions))
    if not 1 <= context <= most:
        raise ValueError(f"The context must be from 1 to {most} positions, not {context}")
    embedding = np.asarray(model.embedding, np.float64)
    scale = np.abs(embedding).max(axis=1) / LARGEST_WEIGHT
    final_gains = gains_of(model.final_norm, model.head)
    head, logit_fraction = _behind_norm(
        quantize_behind_norm(model.head, model.final_norm, final_gains), LOGIT_FRACTION)
    positions = cosines = sines = None
    if model.positions is not None:
        positions = round_half_up(
            np.asarray(model.positions[:context], np.float64) * 2.0**RESIDUAL_FRACTION)
    if model.rotation is not None:
        angles = np.arange(context)[:, None] * model.rotation.frequencies
        cosines, sines = (round_half_up(f(angles) * 2.0**ROTATION_FRACTION)
                          for f in (np.cos, np.sin))
    return IntegerModel(
        heads=model.heads, kv_heads=model.kv_heads, head_size=model.head_size, norm=model.norm,
        activation=model.activation, pairs=model.rotation.pairs if model.rotation else "",
        context=context,
        sum_shift=max(0, math.ceil(math.log2(CACHE_LIMIT * ACTIVATION_LIMIT * context)) - 31),
        eps=round(model.eps * embedding.shape[1] * 4.0**RESIDUAL_FRACTION),
        embedding=round_half_up(embedding / np.where(scale > 0, scale, 1)[:, None]).astype(np.int8),
        embedding_factor=stored(multiplier_of(scale * 2.0**RESIDUAL_FRACTION)),
        positions=positions, cosines=cosines, sines=sines,
        layers=tuple(IntegerLayer(attention=_attention(model, layer),
                                  feed_forward=_feed_forward(layer)) for layer in model.layers),
        final_gains=final_gains, head=head, logit_fraction=logit_fraction)
