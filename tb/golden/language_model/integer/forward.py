"""Forward pass of a whole model in integers."""

from collections.abc import Sequence

import numpy as np

from golden.language_model.greedy import continue_greedily
from golden.language_model.integer.attention import (
    Cached,
    attend,
    quantize,
    query_activations,
)
from golden.language_model.integer.fixed import Integers, clamp, round_shift, saturate
from golden.language_model.integer.norms import center, normalize_rms
from golden.language_model.integer.parameters import (
    ROTATION_FRACTION,
    Gains,
    HeadNorm,
    IntegerAttention,
    IntegerFeedForward,
    IntegerModel,
    Projection,
)
from golden.language_model.integer.planes import ACTIVATION_LIMIT, project
from golden.language_model.integer.tables import FRACTION, gelu_gate, sigmoid

__all__ = ["IntegerCache", "forward_integers", "greedy_integers",
           "rotate"]


_GATES = {"silu": sigmoid, "gelu_tanh": gelu_gate}


class IntegerCache:
    """Keys and values of the positions that were evaluated, by layer and head.

    Attributes
    ----------
    length : :class:`int`
        Number of positions.
    """

    def __init__(self) -> None:
        self.length = 0
        self._heads: dict[tuple[int, int, str], Cached] = {}

    def append(self, layer: int, head: int, kind: str, new: Cached) -> Cached:
        """Add positions to the keys or values of a head, and return all of them."""
        key = layer, head, kind
        if key in self._heads:
            old = self._heads[key]
            new = Cached(np.concatenate([old.values, new.values]),
                         np.concatenate([old.scales, new.scales]))
        self._heads[key] = new
        return new


def _project(projection: Projection, x: Integers, exponent: Integers | int = 0) -> Integers:
    return project(x, projection.weight, projection.factor, bias=projection.bias,
                   pre_shift=projection.pre_shift, exponent=exponent)


def _norm(model: IntegerModel, x: Integers, gains: Gains | None) -> Integers:
    y = normalize_rms(center(x) if model.norm == "layer" else x, model.eps)
    if gains is None:
        return y
    return clamp(round_shift(y * gains.gains, gains.shift), ACTIVATION_LIMIT)


def _head_norm(x: Integers, norm: HeadNorm | None) -> Integers:
    """Apply a norm to the vectors of heads, ``(positions, heads, head_size)``."""
    if norm is None:
        return x
    y = normalize_rms(x.reshape(-1, x.shape[-1]), norm.eps).reshape(x.shape)
    return saturate(round_shift(y * norm.gains.gains, norm.gains.shift))


def rotate(model: IntegerModel, x: Integers, positions: Integers) -> Integers:
    """Rotate the pairs of ``(positions, heads, head_size)``."""
    if model.cosines is None or model.sines is None:
        return x
    cos, sin = model.cosines[positions][:, None], model.sines[positions][:, None]
    count = cos.shape[-1]
    first, second = (slice(0, 2 * count, 2), slice(1, 2 * count, 2)) \
        if model.pairs == "neighbours" else (slice(0, count), slice(count, 2 * count))
    a, b, out = x[..., first], x[..., second], x.copy()
    out[..., first] = saturate(round_shift(a * cos - b * sin, ROTATION_FRACTION))
    out[..., second] = saturate(round_shift(a * sin + b * cos, ROTATION_FRACTION))
    return out


def _attention(model: IntegerModel, index: int, layer: IntegerAttention, h: Integers,
               positions: Integers, cache: IntegerCache) -> Integers:
    """Return the outputs of all heads, ``(positions, heads * head_size)``, with 16 bits."""
    count, size = len(h), model.head_size
    q, k, v = (_project(p, h).reshape(count, -1, size) for p in (layer.q, layer.k, layer.v))
    q = query_activations(rotate(model, _head_norm(q, layer.q_norm), positions))
    k = rotate(model, _head_norm(k, layer.k_norm), positions)
    out = np.zeros((count, model.heads, size), np.int64)
    group = model.heads // model.kv_heads
    for kv in range(model.kv_heads):
        keys = cache.append(index, kv, "k", quantize(k[:, kv]))
        values = cache.append(index, kv, "v", quantize(v[:, kv]))
        for head in range(kv * group, (kv + 1) * group):
            for row, position in enumerate(positions):
                seen = slice(0, position + 1)
                out[row, head] = attend(
                    q[row, head], Cached(keys.values[seen], keys.scales[seen]),
                    Cached(values.values[seen], values.scales[seen]),
                    int(layer.score_shifts[kv]), model.sum_shift)
    return out.reshape(count, -1)


def _feed_forward(model: IntegerModel, layer: IntegerFeedForward, h: Integers) -> Integers:
    """Return the contribution of the feed-forward layer to the residual.

    The product in front of the last projection has 16 bits and an exponent for each position, from
    the position's largest magnitude.
    """
    up = _project(layer.up, h)
    function = _GATES[model.activation]
    if layer.gate is None:
        product = up * function(up, layer.gate_fraction)
    else:
        gate = _project(layer.gate, h)
        product = round_shift(gate * function(gate, layer.gate_fraction), FRACTION) * up
    largest = np.abs(product).max(axis=1, keepdims=True)
    shift = np.array([[max(0, int(x).bit_length() - 15)] for x in largest[:, 0]])
    shift += round_shift(largest, shift) > ACTIVATION_LIMIT
    return _project(layer.down, round_shift(product, shift), shift - layer.product_fraction)


def forward_integers(model: IntegerModel, ids: Sequence[int],
                     cache: IntegerCache | None = None) -> Integers:
    """Return the logits at all positions of ``ids``, with ``model.logit_fraction`` fraction bits.

    Parameters
    ----------
    model : :class:`IntegerModel`.
    ids : text tokens that follow those in the cache.
    cache : :class:`IntegerCache` of the positions before; the new ones are added.

    Raises
    ------
    ValueError
        If there are no ids, an id beyond the vocabulary, or more positions than the model's
        context.
    """
    cache = IntegerCache() if cache is None else cache
    if not len(ids):
        raise ValueError("A forward pass needs at least one text token")
    positions = np.arange(cache.length, cache.length + len(ids))
    if positions[-1] >= model.context:
        raise ValueError(f"Position {positions[-1]} is beyond the context of {model.context}")
    rows = np.asarray(ids)
    if rows.min() < 0 or rows.max() >= len(model.embedding):
        raise ValueError(f"Text tokens must be from 0 to {len(model.embedding) - 1}")
    multiplier, shift = (part[rows, None] for part in model.embedding_factor)
    x = saturate(round_shift(model.embedding[rows] * multiplier, shift))
    if model.positions is not None:
        x = saturate(x + model.positions[positions])
    for index, layer in enumerate(model.layers):
        h = _norm(model, x, layer.attention.gains)
        heads = _attention(model, index, layer.attention, h, positions, cache)
        x = saturate(x + _project(layer.attention.output, heads))
        h = _norm(model, x, layer.feed_forward.gains)
        x = saturate(x + _feed_forward(model, layer.feed_forward, h))
    cache.length += len(ids)
    return _project(model.head, _norm(model, x, model.final_gains))


def greedy_integers(model: IntegerModel, ids: Sequence[int], count: int) -> list[int]:
    """Return ``count`` text tokens after ``ids``, the likeliest one (the first of equals) each."""
    cache = IntegerCache()
    return continue_greedily(lambda step: forward_integers(model, step, cache), ids, count)
