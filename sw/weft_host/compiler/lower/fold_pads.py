"""Folding of PAD operators into the padding of the convolutions that read them."""

import dataclasses

import numpy as np

from ..frontend.graph import Graph, Operator

__all__ = ["fold_pads"]

_READERS = ("CONV_2D", "DEPTHWISE_CONV_2D")
_Amount = tuple[tuple[int, int], tuple[int, int]]


def fold_pads(graph: Graph) -> tuple[Graph, set[int]]:
    """Return a graph in which convolutions include the PADs that they read.

    A PAD is folded if it pads only height and width, with the zero point of its input, if its
    output is not an output of the model, and if only convolutions without padding of their own
    read its output.
    Such a convolution reads the input of the PAD and has the additional option ``pads``.

    Returns
    -------
    graph : :class:`Graph`
        The changed graph, which still contains the folded PADs.
    folded : set of :class:`int`
        Indices of the folded PADs.
    """
    readers: dict[int, list[Operator]] = {}
    for op in graph.operators:
        for index in op.inputs:
            readers.setdefault(index, []).append(op)
    folded: set[int] = set()
    pads: dict[int, tuple[int, _Amount]] = {}
    for op in graph.operators:
        if op.name != "PAD" or len(op.inputs) != 2 or len(op.outputs) != 1:
            continue
        target, amount = op.outputs[0], _amount(graph, op)
        users = readers.get(target, [])
        if amount is None or target in graph.outputs or not users:
            continue
        if all(user.name in _READERS and user.inputs[0] == target
               and target not in user.inputs[1:]
               and user.options.get("padding") == "VALID" for user in users):
            folded.add(op.index)
            pads[target] = op.inputs[0], amount
    operators = []
    for op in graph.operators:
        if op.inputs and op.inputs[0] in pads:
            source, amount = pads[op.inputs[0]]
            op = dataclasses.replace(op, inputs=(source, *op.inputs[1:]),
                                     options={**op.options, "pads": amount})
        operators.append(op)
    return dataclasses.replace(graph, operators=tuple(operators)), folded


def _amount(graph: Graph, op: Operator) -> _Amount | None:
    """Return (before, after) along height and width, or ``None`` if a PAD cannot be folded."""
    source, target = graph.operand(op.inputs[0]), graph.operand(op.outputs[0])
    paddings = graph.operand(op.inputs[1])
    if source is None or target is None or paddings is None or paddings.value is None:
        return None
    if len(source.shape) != 4 or paddings.value.size != 8 or source.value is not None:
        return None
    if (source.dtype, source.scale, source.zero_point) != (
            target.dtype, target.scale, target.zero_point):
        return None
    values = np.asarray(paddings.value, np.int64).reshape(4, 2)
    if (values < 0).any() or values[[0, 3]].any() or target.shape != tuple(
            size + before + after for size, (before, after) in zip(source.shape, values.tolist())):
        return None
    (top, bottom), (left, right) = values[1:3].tolist()
    return (top, bottom), (left, right)
