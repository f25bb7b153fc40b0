"""Forward pass of a whole model, over a sequence at once or step by step with a cache.

The residual stream passes a norm in front of every sublayer and one in front of the head, as in
GPT-2 and LLaMA. Qwen3 also normalises each head of queries and keys before its rotation.
"""

from collections.abc import Sequence

import numpy as np

from golden.language_model.attention import attend
from golden.language_model.feed_forward import feed_forward
from golden.language_model.greedy import continue_greedily
from golden.language_model.norms import norm, rms_norm
from golden.language_model.parameters import Array, LayerParameters, Model
from golden.language_model.rotation import rotate

__all__ = ["Cache", "forward", "greedy"]


class Cache:
    """Keys, after their rotation, and values of the positions that were evaluated.

    Attributes
    ----------
    length : :class:`int`
        Number of positions.
    """

    def __init__(self) -> None:
        self.length = 0
        self._layers: dict[int, tuple[Array, Array]] = {}

    def append(self, layer: int, k: Array, v: Array) -> tuple[Array, Array]:
        """Add positions to a layer, and return all of it, ``(positions, kv_heads, head_size)``."""
        if layer in self._layers:
            old_k, old_v = self._layers[layer]
            k, v = np.concatenate([old_k, k]), np.concatenate([old_v, v])
        self._layers[layer] = k, v
        return k, v


def forward(model: Model, ids: Sequence[int], cache: Cache | None = None) -> Array:
    """Return the logits at all positions of ``ids``, in the type of the model's arrays.

    Parameters
    ----------
    model : :class:`Model`.
    ids : text tokens that follow those in the cache.
    cache : :class:`Cache` of the positions before; the new ones are added.

    Returns
    -------
    ``(len(ids), vocabulary)``

    Raises
    ------
    ValueError
        If there are no ids, or if learned positions do not reach that far.
    """
    if not len(ids):
        raise ValueError("A forward pass needs at least one text token")
    cache = Cache() if cache is None else cache
    positions = np.arange(cache.length, cache.length + len(ids))
    x = model.embedding[np.asarray(ids)]
    if model.positions is not None:
        if positions[-1] >= len(model.positions):
            raise ValueError(f"Position {positions[-1]} is beyond the {len(model.positions)} "
                             "learned positions")
        x = x + model.positions[positions]
    for index, layer in enumerate(model.layers):
        h = norm(model.norm, x, layer.attention_norm, model.eps)
        q, k, v = _queries_keys_values(model, layer, h)
        if model.rotation is not None:
            q, k = rotate(q, positions, model.rotation), rotate(k, positions, model.rotation)
        x = x + layer.output(attend(q, *cache.append(index, k, v)))
        h = norm(model.norm, x, layer.feed_forward_norm, model.eps)
        x = x + feed_forward(h, layer, model.activation)
    cache.length += len(ids)
    return model.head(norm(model.norm, x, model.final_norm, model.eps))


def _queries_keys_values(model: Model, layer: LayerParameters,
                         h: Array) -> tuple[Array, Array, Array]:
    """Return queries, keys and values by head, before their rotation."""
    q, k, v = (project(h).reshape(len(h), -1, model.head_size)
               for project in (layer.q, layer.k, layer.v))
    if layer.q_norm is not None and layer.k_norm is not None:
        q, k = rms_norm(q, layer.q_norm, model.eps), rms_norm(k, layer.k_norm, model.eps)
    return q, k, v


def greedy(model: Model, ids: Sequence[int], count: int) -> list[int]:
    """Return ``count`` text tokens after ``ids``, the likeliest one (the first of equals) each."""
    cache = Cache()
    return continue_greedily(lambda step: forward(model, step, cache), ids, count)
