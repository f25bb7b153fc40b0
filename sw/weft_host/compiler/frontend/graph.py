"""What a model file says, without the file format: tensors and operators in execution order."""

import dataclasses

import numpy as np

__all__ = ["Graph", "GraphTensor", "Operator"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class GraphTensor:
    """One tensor of the model.

    Attributes
    ----------
    index : :class:`int`
        Index in the model file.
    name : :class:`str`
        Name in the model file; not necessarily unique.
    shape : :class:`tuple` of :class:`int`
        Elements in each dimension.
    dtype : :class:`str`
        Name of a numpy type, or what the file calls it if numpy has none.
    scale, zero_point : :class:`tuple`
        Quantisation; one entry for the whole tensor, one a channel, or none.
    axis : :class:`int`
        The dimension that several scales belong to.
    value : :class:`numpy.ndarray` or :class:`None`
        The constant it holds.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: tuple[float, ...] = ()
    zero_point: tuple[int, ...] = ()
    axis: int = 0
    value: np.ndarray | None = None

    @property
    def size(self):
        """Elements in all."""
        return int(np.prod(self.shape, dtype=np.int64))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Operator:
    """One operator: the schema's name of it, tensor indices (-1 is absent), options by name."""

    index: int
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Graph:
    """A model: tensors by index, operators in order, the indices of its inputs and outputs."""

    tensors: tuple[GraphTensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    source: str = "model"

    def tensor(self, index):
        """Tensor ``index``, or ``None`` for an operand that is absent."""
        return None if index < 0 else self.tensors[index]
