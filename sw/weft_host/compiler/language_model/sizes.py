"""Sizes of a language model that determine the memory and the least traffic of a step."""

import dataclasses
from collections.abc import Iterator

from ..frontend.llm.model_file import LanguageModelFile, Projection, Weights

__all__ = ["ModelSizes"]

_CODED_BLOCK = 32       # weights
_CODED_BYTES = 19       # of a block: 4 bits for each weight, and 24 bits for slope and offset
LARGEST = 1 << 48       # of any size, so that no product is out of proportion


def _projections(weights: Weights) -> Iterator[Projection]:
    for layer in weights.layers:
        for part in (layer.q, layer.k, layer.v, layer.output, layer.gate, layer.up, layer.down):
            if part is not None:
                yield part
    yield weights.head


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelSizes:
    """Sizes of a language model; those up to ``context`` are as in :class:`Architecture`.

    Attributes
    ----------
    dim, layers, heads, kv_heads, head_size, feed_forward, vocabulary, context : :class:`int`
    weights : :class:`int`
        Weights of all projections, the head among them.
    coded_weights : :class:`int`
        Those of them whose 4-bit codes are in the file.
    """

    dim: int
    layers: int
    heads: int
    kv_heads: int
    head_size: int
    feed_forward: int
    vocabulary: int
    context: int
    weights: int
    coded_weights: int

    @classmethod
    def of(cls, model: LanguageModelFile) -> "ModelSizes":
        """Return the sizes of a model."""
        shape = model.architecture
        counts = [(part.weight.shape[0] * part.weight.shape[1], part.weight.has_codes)
                  for part in _projections(model.weights)]
        named = {field.name: getattr(shape, field.name) for field in dataclasses.fields(cls)
                 if hasattr(shape, field.name)}
        return cls(**named, weights=sum(count for count, _ in counts),
                   coded_weights=sum(count for count, coded in counts if coded))

    @property
    def head_weights(self) -> int:
        """Weights of the head."""
        return self.vocabulary * self.dim

    @property
    def layer_weights(self) -> int:
        """Weights of the projections of a layer."""
        return (self.weights - self.head_weights) // self.layers

    def weight_bytes(self, *, codes: bool = False) -> int:
        """Return the bytes of the weights of a step, without parameters and padding.

        They are int8. With ``codes``, weights whose codes are in the file take 4 bits each, and 24
        bits for every 32 of them.
        """
        if not codes:
            return self.weights
        return (self.weights - self.coded_weights
                + self.coded_weights // _CODED_BLOCK * _CODED_BYTES)

    def cache_bytes(self, positions: int) -> int:
        """Return the bytes of the int8 keys and values of so many positions, without scales."""
        return 2 * positions * self.layers * self.kv_heads * self.head_size

    def ideal_bytes(self, positions: int, *, codes: bool = False) -> int:
        """Return the least bytes that a step reads whose context has so many positions.

        Parameters, instructions and padding do not count.
        """
        return self.weight_bytes(codes=codes) + self.cache_bytes(positions)

    def macs(self, positions: int) -> int:
        """Return the multiplications of the array in such a step, for activations of one plane."""
        return self.weights + 2 * positions * self.layers * self.heads * self.head_size

    def least_memory(self, positions: int) -> int:
        """Return a lower bound of the host memory that a program for so many positions needs."""
        embedding = self.vocabulary * self.dim
        return self.weight_bytes(codes=True) + embedding + self.cache_bytes(positions)
