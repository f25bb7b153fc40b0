"""Model graph: tensors and operators in execution order, independent of the file format."""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from ..verdict import AbsentTensorError

__all__ = ["Graph", "GraphTensor", "Operator"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class GraphTensor:
    """Tensor of a model.

    Attributes
    ----------
    index : :class:`int`
        Index in the model file.
    name : :class:`str`
        Name in the model file. It need not be unique.
    shape : tuple of :class:`int`
        Number of elements in each dimension.
    dtype : :class:`str`
        Name of a numpy type, or the name in the file if numpy has no such type.
    scale, zero_point : tuple
        Quantisation: one entry for the whole tensor, one entry per channel, or none.
    axis : :class:`int`
        Dimension of the channels if there is one scale per channel.
    value : array or :class:`None`
        Elements of a constant tensor.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: tuple[float, ...] = ()
    zero_point: tuple[int, ...] = ()
    axis: int = 0
    value: npt.NDArray[Any] | None = None

    @property
    def size(self) -> int:
        """Total number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Operator:
    """Operator of a model.

    Attributes
    ----------
    index : :class:`int`
        Index in the execution order.
    name : :class:`str`
        Name in the TensorFlow Lite schema.
    inputs, outputs : tuple of :class:`int`
        Tensor indices. An operand that is absent has the index -1.
    options : dict
        Options of the operator by name.
    """

    index: int
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Graph:
    """Model with all its tensors and operators.

    Attributes
    ----------
    tensors : tuple of :class:`GraphTensor`
        All tensors, by index.
    operators : tuple of :class:`Operator`
        All operators, in execution order.
    inputs, outputs : tuple of :class:`int`
        Tensor indices of the model's inputs and outputs.
    source : :class:`str`
        Path of the file, or another description of the model, for error messages.
    """

    tensors: tuple[GraphTensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    source: str = "model"

    def tensor(self, index: int) -> GraphTensor:
        """Return tensor ``index``.

        Raises
        ------
        AbsentTensorError
            If the index is negative, which denotes an absent operand.
        """
        if index < 0:
            raise AbsentTensorError(f"{self.source}: an operator lacks a tensor that it requires")
        return self.tensors[index]

    def operand(self, index: int) -> GraphTensor | None:
        """Return tensor ``index``, or ``None`` if the index denotes an absent operand."""
        return None if index < 0 else self.tensors[index]
