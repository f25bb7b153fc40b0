"""Integer parameters of a language model."""

import dataclasses

import numpy as np

from golden.language_model.integer.fixed import Integers, Multiplier

__all__ = ["IntegerLayer", "IntegerModel", "Projection"]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Projection:
    """int8 weights ``(outputs, inputs)`` with a factor and a bias for each output.

    Outputs are int32 numbers with ``fraction`` fraction bits; ``before`` is the shift of the sums.
    """

    weight: Integers
    factor: Multiplier
    bias: Integers
    fraction: int
    before: int


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class IntegerLayer:
    """Parameters of one layer.

    Attributes
    ----------
    q, k, v, output, up, down, gate : :class:`Projection`; ``gate`` may be absent.
    q_gain, k_gain : factors ``(head_size,)`` behind the norms of queries and keys, or ``None``.
    q_eps, k_eps : eps of these norms in units of the squares.
    attention_gain, feed_forward_gain : factors behind the norms, or ``None`` if the gains are part
        of the weights.
    query : factor of each head, from a rotated query to 16 bits.
    score, weight : factors of each query head, see :func:`.attention.attend`.
    """

    q: Projection
    k: Projection
    v: Projection
    output: Projection
    up: Projection
    down: Projection
    gate: Projection | None
    q_gain: Multiplier | None
    k_gain: Multiplier | None
    q_eps: int
    k_eps: int
    attention_gain: Multiplier | None
    feed_forward_gain: Multiplier | None
    query: Multiplier
    score: Multiplier
    weight: Multiplier


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class IntegerModel:
    """Parameters of a whole model; the other attributes are those of the float model.

    Attributes
    ----------
    embedding : int8 ``(vocabulary, dim)``; ``embedding_factor`` leads to units of the residual.
    positions : int32 ``(context, dim)`` in units of the residual, or ``None``.
    cosines, sines : ``(context, pairs)`` with 30 fraction bits, or ``None``.
    eps : eps of the norms over ``dim`` in units of the squares.
    final_gain : factors behind the last norm, or ``None``.
    context : largest number of positions.
    before : shift of the sums over positions.
    """

    heads: int
    kv_heads: int
    head_size: int
    norm: str
    activation: str
    pairs: str
    context: int
    before: int
    eps: int
    embedding: Integers
    embedding_factor: Multiplier
    positions: Integers | None
    cosines: Integers | None
    sines: Integers | None
    layers: tuple[IntegerLayer, ...]
    final_gain: Multiplier | None
    head: Projection

    @property
    def dim(self) -> int:
        """Size of the residual stream."""
        return int(np.shape(self.embedding)[1])
