"""Architecture of a language model: sizes and laws, independent of the file format."""

import dataclasses
import typing

import numpy as np
import numpy.typing as npt

__all__ = ["Architecture", "FAMILIES", "Rope"]

FAMILIES = ("llama", "qwen2", "qwen3", "gpt2")
"""Supported families, by their names in GGUF files and in ``config.json``."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rope:
    """Rotary position embedding of queries and keys.

    Attributes
    ----------
    pairs : :class:`str`
        Elements of a head that are rotated together: ``"neighbours"``, elements 2i and 2i + 1, or
        ``"halves"``, elements i and i + ``dimensions`` / 2.
    base : :class:`float`
        Base of the frequencies.
    dimensions : :class:`int`
        Number of rotated elements at the front of a head; even.
    scale : :class:`float`
        Linear scaling: positions are divided by it.
    factors : tuple of :class:`float`
        Divisor of each pair's frequency, ``dimensions / 2`` of them, or none.
    """

    pairs: typing.Literal["neighbours", "halves"]
    base: float
    dimensions: int
    scale: float = 1.0
    factors: tuple[float, ...] = ()

    def frequencies(self) -> npt.NDArray[np.float64]:
        """Return the angle of each pair at position 1: radians, shape ``(dimensions / 2,)``."""
        exponents = np.arange(0, self.dimensions, 2, dtype=np.float64) / self.dimensions
        return self.base ** -exponents / self.scale / np.array(self.factors or 1.0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Architecture:
    """Sizes and laws of a decoder-only transformer. Sizes are numbers of elements.

    Attributes
    ----------
    family : :class:`str`
        ``"llama"``, ``"qwen2"``, ``"qwen3"`` or ``"gpt2"``.
    dim : :class:`int`
        Size of the residual stream.
    layers, heads, kv_heads : :class:`int`
        Number of layers, query heads, and heads of keys and values; ``heads`` is a multiple of
        ``kv_heads``.
    head_size : :class:`int`
        Size of a head. ``heads * head_size`` need not be ``dim``.
    feed_forward : :class:`int`
        Size between the projections of the feed-forward layer.
    vocabulary : :class:`int`
        Number of rows of the embedding.
    context : :class:`int`
        Largest number of positions.
    norm : :class:`str`
        ``"rms"`` for RMSNorm or ``"layer"`` for LayerNorm.
    eps : :class:`float`
        Number that a norm adds to the mean square or variance.
    activation : :class:`str`
        ``"silu"``, or ``"gelu_tanh"`` for GELU in its approximation with tanh.
    gated : :class:`bool`
        Whether the feed-forward layer multiplies by a second projection: down(act(gate) * up)
        instead of down(act(up)).
    rope : :class:`Rope` or :class:`None`
        Rotation of queries and keys; ``None`` with learned positions.
    learned_positions : :class:`bool`
        Whether an embedding of the position is added to that of the text token.
    normalised_qk : :class:`bool`
        Whether each head of queries and keys passes an RMSNorm before its rotation.
    tied_head : :class:`bool`
        Whether the embedding is also the matrix of the head.
    biases : tuple of :class:`str`
        Names of the projections of a layer that have a bias, such as ``("q", "k", "v")``.
    """

    family: str
    dim: int
    layers: int
    heads: int
    kv_heads: int
    head_size: int
    feed_forward: int
    vocabulary: int
    context: int
    norm: typing.Literal["rms", "layer"]
    eps: float
    activation: typing.Literal["silu", "gelu_tanh"]
    gated: bool
    rope: Rope | None
    learned_positions: bool = False
    normalised_qk: bool = False
    tied_head: bool = False
    biases: tuple[str, ...] = ()
