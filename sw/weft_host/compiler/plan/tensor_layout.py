"""Layout of the tensors of a model in host memory."""

import dataclasses
from collections.abc import Container, Mapping

from ...program.tensor import Tensor
from ..frontend.graph import Graph
from ..lower.lowered import Lowered
from .allocators import HostMemoryAllocator

__all__ = ["TensorLayout", "lay_out_tensors", "unique_names"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class TensorLayout:
    """Tensors of a program, with offsets relative to the section of tensors in host memory.

    Attributes
    ----------
    size : :class:`int`
        Size of the section in bytes.
    offsets : mapping of int to int
        Offset of each tensor that is in host memory, by tensor index.
    inputs, outputs, tensors : tuple of :class:`Tensor`
        Inputs and outputs of the program, and the intermediate tensors that can be read.
    complete : :class:`bool`
        True if ``tensors`` has every tensor that is computed.
    """

    size: int
    offsets: Mapping[int, int]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    tensors: tuple[Tensor, ...] = ()
    complete: bool = False

    def relocated(self, base: int) -> "TensorLayout":
        """Return the layout with the offsets of all program tensors increased by ``base``."""
        def moved(tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            return tuple(
                tensor if tensor.offset is None
                else dataclasses.replace(tensor, offset=base + tensor.offset)
                for tensor in tensors)

        return dataclasses.replace(self, inputs=moved(self.inputs), outputs=moved(self.outputs),
                                   tensors=moved(self.tensors))


def lay_out_tensors(graph: Graph, lowered: Lowered, resident: Container[int], *,
                    keep_tensors: bool) -> TensorLayout:
    """Assign host memory to the tensors of a model.

    Parameters
    ----------
    graph, lowered : :class:`Graph`, :class:`Lowered`
        Model and its lowered form.
    resident : container of :class:`int`
        Tensors that stay on chip. They are in host memory only if the host accesses them.
    keep_tensors : :class:`bool`
        Store all tensors in host memory.
    """
    memory = HostMemoryAllocator()
    offsets: dict[int, int] = {}
    computed = list(dict.fromkeys(op.outputs[0] for op in graph.operators
                                  if op.outputs and op.outputs[0] not in lowered.elided))
    read_by_host = {int(name) for step in lowered.host_steps for name in step.inputs}
    used_by_host = {lowered.root(index)
                    for index in (*graph.inputs, *graph.outputs, *read_by_host)}
    for index in (*graph.inputs, *computed):
        root = lowered.root(index)
        if root not in offsets and root not in lowered.host_tensors and (
                keep_tensors or root in used_by_host or root not in resident):
            offsets[root] = memory.allocate(graph.tensor(root).size)
    offsets.update((alias, offsets[root]) for alias, root in lowered.aliases.items()
                   if root in offsets)
    offsets.update((index, memory.allocate(size)) for index, size in lowered.intermediates.items()
                   if index not in resident)
    names = unique_names(graph)

    def tensor(index: int) -> Tensor:
        source = graph.tensor(index)
        root = lowered.root(index)
        return Tensor(
            name=names[index], shape=source.shape, dtype=source.dtype, tensor_id=index,
            offset=None if root in lowered.host_tensors else offsets[root],
            scale=source.scale[0] if source.scale else 1.0,
            zero_point=source.zero_point[0] if source.zero_point else 0)

    external = {*graph.inputs, *graph.outputs}
    readable = [index for index in computed
                if index in offsets or index in lowered.host_tensors]
    return TensorLayout(
        size=memory.size, offsets=offsets, inputs=tuple(map(tensor, graph.inputs)),
        outputs=tuple(map(tensor, graph.outputs)),
        tensors=tuple(tensor(index) for index in readable if index not in external),
        complete=len(readable) == len(computed))


def unique_names(graph: Graph) -> list[str]:
    """Return a name for each tensor: its own, followed by ``#index`` if it is empty or ambiguous.
    """
    names = [tensor.name for tensor in graph.tensors]
    return [name if name and names.count(name) == 1 else f"{name}#{index}"
            for index, name in enumerate(names)]
