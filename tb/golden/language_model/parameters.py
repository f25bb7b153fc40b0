"""Parameters of a language model: plain arrays, independent of any file format."""

import dataclasses
import typing

import numpy as np
import numpy.typing as npt

__all__ = ["Array", "Codes", "LayerParameters", "Linear", "Model", "NormParameters", "Rotation"]

Array: typing.TypeAlias = npt.NDArray[np.floating[typing.Any]]
"""Array of floating-point numbers; all arrays of a model have the same type."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Codes:
    """4-bit codes ``q``, ``(outputs, blocks, 32)``: a weight is ``d * q + m`` of its block.

    ``d`` and ``m`` have the shape ``(outputs, blocks)``.
    """

    q: npt.NDArray[np.integer[typing.Any]]
    d: Array
    m: Array


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Linear:
    """Weight ``(outputs, inputs)`` and bias ``(outputs,)`` of a linear layer.

    ``codes`` are the weight's own 4-bit codes, if its file has them.
    """

    weight: Array
    bias: Array | None = None
    codes: Codes | None = None

    def __call__(self, x: Array) -> Array:
        """Return ``x @ weight.T + bias`` for ``x`` of shape ``(positions, inputs)``."""
        y: Array = x @ self.weight.T
        return y if self.bias is None else y + self.bias


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class NormParameters:
    """Gains ``(size,)``, and offsets ``(size,)`` of a LayerNorm."""

    gain: Array
    offset: Array | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Rotation:
    """Pairs of elements that are rotated together, and the angle of each pair at position 1.

    ``pairs`` is ``"neighbours"`` (elements 2i and 2i + 1) or ``"halves"`` (i and i + n / 2 of the
    n rotated elements); ``frequencies`` has the shape ``(n / 2,)`` and is float64.
    """

    pairs: str
    frequencies: npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class LayerParameters:
    """Parameters of one layer; ``gate`` and the norms of queries and keys may be absent."""

    attention_norm: NormParameters
    q: Linear
    k: Linear
    v: Linear
    output: Linear
    feed_forward_norm: NormParameters
    up: Linear
    down: Linear
    gate: Linear | None = None
    q_norm: NormParameters | None = None
    k_norm: NormParameters | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """Parameters of a whole model.

    Attributes
    ----------
    heads, kv_heads, head_size : :class:`int`
    norm : ``"rms"`` or ``"layer"``.
    eps : :class:`float`
    activation : ``"silu"`` or ``"gelu_tanh"``.
    rotation : :class:`Rotation`, or ``None`` with learned positions.
    embedding : ``(vocabulary, dim)``.
    positions : ``(context, dim)``, or ``None``.
    layers : tuple of :class:`LayerParameters`.
    final_norm : :class:`NormParameters` of size ``dim``.
    head : :class:`Linear`, ``dim`` to ``vocabulary``.
    """

    heads: int
    kv_heads: int
    head_size: int
    norm: str
    eps: float
    activation: str
    rotation: Rotation | None
    embedding: Array
    positions: Array | None
    layers: tuple[LayerParameters, ...]
    final_norm: NormParameters
    head: Linear
