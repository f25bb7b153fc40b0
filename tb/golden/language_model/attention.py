"""Causal attention with grouped queries.

Sources: Vaswani et al. (arXiv:1706.03762), equation 1; Ainslie et al., "GQA" (arXiv:2305.13245):
query heads are divided into ``kv_heads`` groups of neighbours that share keys and values.
"""

import numpy as np

from golden.language_model.parameters import Array

__all__ = ["attend", "softmax"]


def softmax(x: Array) -> Array:
    """Return the softmax over the last axis."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    result: Array = e / e.sum(axis=-1, keepdims=True)
    return result


def attend(q: Array, k: Array, v: Array) -> Array:
    """Return the attention output of the last positions.

    Parameters
    ----------
    q : ``(new positions, heads, head_size)``, of the last positions.
    k, v : ``(all positions, kv_heads, head_size)``.

    Returns
    -------
    ``(new positions, heads * head_size)``
    """
    new, heads, size = q.shape
    total, kv_heads, _ = k.shape
    grouped = q.reshape(new, kv_heads, heads // kv_heads, size)
    scores = np.einsum("nhgs,mhs->hgnm", grouped, k) / q.dtype.type(size**0.5)
    future = np.arange(total)[None, :] > np.arange(total - new, total)[:, None]
    scores[:, :, future] = -np.inf
    return np.einsum("hgnm,mhs->nhgs", softmax(scores), v).reshape(new, heads * size)
