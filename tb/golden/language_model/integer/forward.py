"""Forward pass of a whole model in integers."""

from collections.abc import Sequence

import numpy as np

from golden.language_model.integer.attention import Cached, attend, quantize
from golden.language_model.integer.fixed import Integers, Multiplier, round_shift, saturate
from golden.language_model.integer.norms import center, normalize_rms
from golden.language_model.integer.parameters import IntegerLayer, IntegerModel, Projection
from golden.language_model.integer.planes import MOST, project
from golden.language_model.integer.tables import gelu_gate, sigmoid

__all__ = ["IntegerCache", "forward_integers", "greedy_integers"]


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
                         np.concatenate([old.largest, new.largest]))
        self._heads[key] = new
        return new


def _scale(x: Integers, factor: Multiplier) -> Integers:
    return saturate(round_shift(x * factor.multiplier, factor.shift))


def _project(projection: Projection, x: Integers, exponent: Integers | int = 0) -> Integers:
    return project(x, projection.weight, projection.factor, bias=projection.bias,
                   before=projection.before, exponent=exponent)


def _norm(model: IntegerModel, x: Integers, gain: Multiplier | None) -> Integers:
    y = normalize_rms(center(x) if model.norm == "layer" else x, model.eps)
    return y if gain is None else saturate(round_shift(y * gain.multiplier, gain.shift), MOST)


def _rotate(model: IntegerModel, x: Integers, positions: Integers) -> Integers:
    """Rotate the pairs of ``(positions, heads, head_size)``."""
    if model.cosines is None or model.sines is None:
        return x
    cos, sin = model.cosines[positions][:, None], model.sines[positions][:, None]
    count = cos.shape[-1]
    first, second = (slice(0, 2 * count, 2), slice(1, 2 * count, 2)) \
        if model.pairs == "neighbours" else (slice(0, count), slice(count, 2 * count))
    a, b, out = x[..., first], x[..., second], x.copy()
    out[..., first] = saturate(round_shift(a * cos - b * sin, 30))
    out[..., second] = saturate(round_shift(a * sin + b * cos, 30))
    return out


def _attention(model: IntegerModel, index: int, layer: IntegerLayer, h: Integers,
               positions: Integers, cache: IntegerCache) -> Integers:
    """Return the outputs of all heads, ``(positions, heads * head_size)``, with 16 bits."""
    count, size = len(h), model.head_size
    q, k, v = (_project(p, h).reshape(count, -1, size) for p in (layer.q, layer.k, layer.v))
    if layer.q_gain is not None and layer.k_gain is not None:
        q = _scale(normalize_rms(q.reshape(-1, size), layer.q_eps), layer.q_gain).reshape(q.shape)
        k = _scale(normalize_rms(k.reshape(-1, size), layer.k_eps), layer.k_gain).reshape(k.shape)
    q, k = _rotate(model, q, positions), _rotate(model, k, positions)
    q = saturate(round_shift(q * layer.query.multiplier[:, None], layer.query.shift[:, None]), MOST)
    out = np.zeros((count, model.heads, size), np.int64)
    group = model.heads // model.kv_heads
    for kv in range(model.kv_heads):
        keys = cache.append(index, kv, "k", quantize(k[:, kv]))
        values = cache.append(index, kv, "v", quantize(v[:, kv]))
        for head in range(kv * group, (kv + 1) * group):
            score, weight = (Multiplier(factor.multiplier[head], factor.shift[head])
                             for factor in (layer.score, layer.weight))
            for row, position in enumerate(positions):
                seen = slice(0, position + 1)
                out[row, head] = attend(
                    q[row, head], Cached(keys.values[seen], keys.largest[seen]),
                    Cached(values.values[seen], values.largest[seen]), score, weight,
                    model.before)
    return out.reshape(count, -1)


def _feed_forward(model: IntegerModel, layer: IntegerLayer, h: Integers) -> Integers:
    """Return the contribution of the feed-forward layer to the residual.

    The product in front of the last projection has 16 bits and an exponent for each position, from
    the position's largest magnitude.
    """
    up = _project(layer.up, h)
    if layer.gate is None:
        product = up * gelu_gate(up, layer.up.fraction)
    else:
        gate = _project(layer.gate, h)
        part = sigmoid if model.activation == "silu" else gelu_gate
        product = round_shift(gate * part(gate, layer.gate.fraction), 15) * up
    largest = np.abs(product).max(axis=1)
    exponent = np.array([max(0, int(x).bit_length() - 15) for x in largest])[:, None]
    return _project(layer.down, saturate(round_shift(product, exponent), MOST), exponent)


def forward_integers(model: IntegerModel, ids: Sequence[int],
                     cache: IntegerCache | None = None) -> Integers:
    """Return the logits at all positions of ``ids``, with ``model.head.fraction`` fraction bits.

    Parameters
    ----------
    model : :class:`IntegerModel`.
    ids : text tokens that follow those in the cache.
    cache : :class:`IntegerCache` of the positions before; the new ones are added.

    Raises
    ------
    ValueError
        If there are no ids, or more positions than the model's context.
    """
    cache = IntegerCache() if cache is None else cache
    if not len(ids):
        raise ValueError("A forward pass needs at least one text token")
    positions = np.arange(cache.length, cache.length + len(ids))
    if positions[-1] >= model.context:
        raise ValueError(f"Position {positions[-1]} is beyond the context of {model.context}")
    rows = np.asarray(ids)
    x = round_shift(model.embedding[rows] * model.embedding_factor.multiplier[rows, None],
                    model.embedding_factor.shift[rows, None])
    if model.positions is not None:
        x = saturate(x + model.positions[positions])
    for index, layer in enumerate(model.layers):
        h = _norm(model, x, layer.attention_gain)
        heads = _attention(model, index, layer, h, positions, cache)
        x = saturate(x + _project(layer.output, heads))
        h = _norm(model, x, layer.feed_forward_gain)
        x = saturate(x + _feed_forward(model, layer, h))
    cache.length += len(ids)
    return _project(model.head, _norm(model, x, model.final_gain))


def greedy_integers(model: IntegerModel, ids: Sequence[int], count: int) -> list[int]:
    """Return ``count`` text tokens after ``ids``, the likeliest one (the first of equals) each."""
    cache = IntegerCache()
    found: list[int] = []
    step: Sequence[int] = ids
    for _ in range(count):
        found.append(int(forward_integers(model, step, cache)[-1].argmax()))
        step = found[-1:]
    return found
