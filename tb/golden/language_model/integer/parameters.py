"""Integer parameters of a language model."""

import dataclasses
import typing

import numpy as np
import numpy.typing as npt

from golden.language_model.integer.fixed import Integers, Multiplier

__all__ = ["ROTATION_FRACTION", "Gains", "HeadNorm", "IntegerAttention", "IntegerFeedForward",
           "IntegerLayer", "IntegerModel", "Projection"]

ROTATION_FRACTION = 30      # bits of cosines and sines


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Projection:
    """int8 weights ``(outputs, inputs)`` with a factor and a bias for each output.

    ``pre_shift`` is the shift of the sums in front of the factor.
    """

    weight: npt.NDArray[np.int8]
    factor: Multiplier
    bias: Integers
    pre_shift: int


class Gains(typing.NamedTuple):
    """Factors ``gains / 2^shift`` of the elements of a vector behind a norm."""

    gains: Integers
    shift: int


class HeadNorm(typing.NamedTuple):
    """Norm of the vectors of heads: its gains, and its eps in units of the squares."""

    gains: Gains
    eps: int


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class IntegerAttention:
    """Parameters of the attention of one layer.

    Attributes
    ----------
    gains : gains behind the norm, or ``None`` if they are part of the weights.
    q, k, v, output : :class:`Projection`.
    q_norm, k_norm : norms of queries and keys, or ``None``.
    score_shifts : shift of each key head, see :func:`.attention.attend`.
    """

    gains: Gains | None
    q: Projection
    k: Projection
    v: Projection
    output: Projection
    q_norm: HeadNorm | None
    k_norm: HeadNorm | None
    score_shifts: Integers


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class IntegerFeedForward:
    """Parameters of the feed-forward part of one layer.

    Attributes
    ----------
    gains : gains behind the norm, or ``None`` if they are part of the weights.
    up, gate, down : :class:`Projection`; ``gate`` may be absent.
    gate_fraction : fraction bits of the argument of the activation function, which is the gate, or
        ``up`` without a gate.
    product_fraction : fraction bits of the product in front of ``down``.
    """

    gains: Gains | None
    up: Projection
    gate: Projection | None
    down: Projection
    gate_fraction: int
    product_fraction: int


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class IntegerLayer:
    """Parameters of one layer."""

    attention: IntegerAttention
    feed_forward: IntegerFeedForward


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class IntegerModel:
    """Parameters of a whole model; the other attributes are those of the float model.

    Attributes
    ----------
    embedding : int8 ``(vocabulary, dim)``; ``embedding_factor`` leads to units of the residual.
    positions : int32 ``(context, dim)`` in units of the residual, or ``None``.
    cosines, sines : ``(context, pairs)`` with :data:`ROTATION_FRACTION` bits, or ``None``.
    eps : eps of the norms over ``dim`` in units of the squares.
    final_gains : gains behind the last norm, or ``None``.
    logit_fraction : fraction bits of logits.
    context : largest number of positions.
    sum_shift : shift of the sums over positions.
    """

    heads: int
    kv_heads: int
    head_size: int
    norm: str
    activation: str
    pairs: str
    context: int
    sum_shift: int
    eps: int
    embedding: npt.NDArray[np.int8]
    embedding_factor: Multiplier
    positions: Integers | None
    cosines: Integers | None
    sines: Integers | None
    layers: tuple[IntegerLayer, ...]
    final_gains: Gains | None
    head: Projection
    logit_fraction: int
