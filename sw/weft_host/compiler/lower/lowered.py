"""Result of lowering a model: operations of the device, steps of the host, and verdicts."""

import dataclasses

from ...program.tensor import HostStep
from ..verdict import Verdict
from .elementwise import Elementwise, RowSoftmax
from .layer import Layer
from .move import Move

__all__ = ["Lowered", "Operation"]

Operation = Layer | Elementwise | RowSoftmax | Move
"""Operation that the device executes."""


@dataclasses.dataclass
class Lowered:
    """Lowered form of a graph.

    Attributes
    ----------
    operations : list of :data:`Operation`
        Operations of the device, in execution order.
    aliases : dict of int to int
        For each tensor that shares the bytes of another tensor, the index of that tensor.
    intermediates : dict of int to int
        Size in bytes of each tensor that the lowering added to those of the graph, by index.
    host_steps : list of :class:`HostStep`
        Operators that the host executes before or after the device, in order. Their tensor names
        are the decimal tensor indices.
    verdicts : list of :class:`Verdict`
        One verdict per operator.
    host_tensors : set of int
        Tensors that only host steps read or write.
    elided : set of int
        Tensors that are not computed, because no operation reads them.
    """

    operations: list[Operation] = dataclasses.field(default_factory=list)
    aliases: dict[int, int] = dataclasses.field(default_factory=dict)
    intermediates: dict[int, int] = dataclasses.field(default_factory=dict)
    host_steps: list[HostStep] = dataclasses.field(default_factory=list)
    verdicts: list[Verdict] = dataclasses.field(default_factory=list)
    host_tensors: set[int] = dataclasses.field(default_factory=set)
    elided: set[int] = dataclasses.field(default_factory=set)

    @property
    def unsupported(self) -> list[Verdict]:
        """Verdicts on the unsupported operators."""
        return [verdict for verdict in self.verdicts if verdict.where == "unsupported"]

    def root(self, index: int) -> int:
        """Return the index of the tensor whose bytes tensor ``index`` shares, or ``index``."""
        return self.aliases.get(index, index)
