"""Language model as a file holds it: architecture, weights by role, vocabulary."""

import dataclasses
from collections.abc import Iterator

from .architecture import Architecture
from .vocabulary import Vocabulary
from .weight_tensor import WeightTensor

__all__ = ["LanguageModelFile", "Layer", "Norm", "Projection", "Weights"]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Projection:
    """Linear layer ``weight @ x + bias``.

    Attributes
    ----------
    weight : :class:`WeightTensor`, shape ``(outputs, inputs)``
    bias : :class:`WeightTensor`, shape ``(outputs,)``, or :class:`None`
    """

    weight: WeightTensor
    bias: WeightTensor | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Norm:
    """Gains of a norm, and its offsets if it is a LayerNorm.

    Attributes
    ----------
    weight : :class:`WeightTensor`, shape ``(size,)``
    bias : :class:`WeightTensor`, shape ``(size,)``, or :class:`None`
    """

    weight: WeightTensor
    bias: WeightTensor | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """Weights of one layer.

    Attributes
    ----------
    attention_norm, feed_forward_norm : :class:`Norm`, of size ``dim``
    q : :class:`Projection`, ``dim`` to ``heads * head_size``
    k, v : :class:`Projection`, ``dim`` to ``kv_heads * head_size``
    output : :class:`Projection`, ``heads * head_size`` to ``dim``
    q_norm, k_norm : :class:`Norm`, of size ``head_size``, or :class:`None`
    gate : :class:`Projection`, ``dim`` to ``feed_forward``, or :class:`None`
    up : :class:`Projection`, ``dim`` to ``feed_forward``
    down : :class:`Projection`, ``feed_forward`` to ``dim``
    """

    attention_norm: Norm
    q: Projection
    k: Projection
    v: Projection
    output: Projection
    feed_forward_norm: Norm
    up: Projection
    down: Projection
    gate: Projection | None = None
    q_norm: Norm | None = None
    k_norm: Norm | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Weights:
    """Weights of a model.

    Attributes
    ----------
    embedding : :class:`WeightTensor`, shape ``(vocabulary, dim)``
    positions : :class:`WeightTensor`, shape ``(context, dim)``, or :class:`None`
        Learned positions.
    layers : tuple of :class:`Layer`
    final_norm : :class:`Norm`, of size ``dim``
    head : :class:`Projection`, ``dim`` to ``vocabulary``
        Its weight is :attr:`embedding` itself if the head is tied.
    """

    embedding: WeightTensor
    layers: tuple[Layer, ...]
    final_norm: Norm
    head: Projection
    positions: WeightTensor | None = None


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class LanguageModelFile:
    """Language model that was read from a file or folder.

    Attributes
    ----------
    source : :class:`str`
        Path of the file or folder.
    name : :class:`str`
        Name of the model in the file, which may be empty.
    architecture : :class:`Architecture`
    weights : :class:`Weights`
    vocabulary : :class:`Vocabulary` or :class:`None`
        ``None`` if the file has none.
    """

    source: str
    name: str
    architecture: Architecture
    weights: Weights
    vocabulary: Vocabulary | None

    def tensors(self) -> Iterator[WeightTensor]:
        """Yield every weight tensor once, in the order in which a text token uses them."""
        weights = self.weights
        parts: list[Projection | Norm | None] = []
        for layer in weights.layers:
            parts += [layer.attention_norm, layer.q, layer.k, layer.v, layer.q_norm, layer.k_norm,
                      layer.output, layer.feed_forward_norm, layer.gate, layer.up, layer.down]
        parts += [weights.final_norm, weights.head]
        yield weights.embedding
        if weights.positions is not None:
            yield weights.positions
        for part in parts:
            if part is not None:
                if part.weight is not weights.embedding:
                    yield part.weight
                if part.bias is not None:
                    yield part.bias
