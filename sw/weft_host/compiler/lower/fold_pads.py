"""PADs that become the padding of the convolutions behind them."""

import dataclasses

import numpy as np

__all__ = ["fold_pads"]

_READERS = ("CONV_2D", "DEPTHWISE_CONV_2D")


def fold_pads(graph):
    """``(graph, folded)``: convolutions read what their PAD reads; ``folded`` has those PADs.

    A PAD is folded if it adds its zero point around height and width only, and nothing but
    convolutions without padding of their own reads its output, which is none of the model's.
    """
    readers: dict[int, list] = {}
    for op in graph.operators:
        for index in op.inputs:
            readers.setdefault(index, []).append(op)
    folded, pads = set(), {}
    for op in graph.operators:
        if op.name != "PAD" or len(op.inputs) != 2 or len(op.outputs) != 1:
            continue
        target, amount = op.outputs[0], _amount(graph, op)
        behind = readers.get(target, [])
        if amount is None or target in graph.outputs or not behind:
            continue
        if all(reader.name in _READERS and reader.inputs[0] == target
               and target not in reader.inputs[1:]
               and reader.options.get("padding") == "VALID" for reader in behind):
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


def _amount(graph, op):
    """(before, after) along height and width, or ``None`` if the PAD is of another kind."""
    source, target, paddings = (graph.tensor(index) for index in (*op.inputs[:1], *op.outputs,
                                                                  *op.inputs[1:2]))
    if source is None or paddings is None or paddings.value is None:
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
    return tuple(map(tuple, values[1:3].tolist()))
