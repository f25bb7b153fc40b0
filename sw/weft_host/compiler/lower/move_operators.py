"""Operators that only move bytes: to boxes."""

import numpy as np

from .array_operators import Refused, quantization, require_int8
from .move import Box, Move, boxes_along, row_major

__all__ = ["MOVES"]


def _ends(graph, op, inputs=1):
    """Input tensors and output of an operator; int8 alike, with one quantisation."""
    if len(op.inputs) < inputs or not op.outputs:
        raise Refused("it lacks an input or an output")
    sources = [graph.tensor(index) for index in op.inputs[:inputs]]
    target = graph.tensor(op.outputs[0])
    if None in sources:
        raise Refused("it lacks an input")
    require_int8(*sources, target)
    for source in sources:
        if quantization(source) != quantization(target):
            raise Refused(f"tensors {source.name!r} and {target.name!r} differ in scale or zero "
                          f"point: {quantization(source)} and {quantization(target)}")
    return sources, target


def _integers(graph, op, number, what, count=None):
    """The constant operand ``number`` as a list of integers."""
    tensor = graph.tensor(op.inputs[number]) if len(op.inputs) > number else None
    if tensor is None or tensor.value is None or tensor.dtype not in ("int32", "int64"):
        raise Refused(f"its {what} must be a constant of int32 or int64")
    values = [int(value) for value in tensor.value.reshape(-1)]
    if count is not None and len(values) != count:
        raise Refused(f"its {what} has {len(values)} elements instead of {count}")
    return values


def _move(op, sources, target, boxes, **rest):
    return [Move(name=f"{op.index} {op.name}", index=op.index,
                 sources=tuple(source.index for source in sources), target=target.index,
                 size=target.size, boxes=tuple(boxes), **rest)]


def _same(shape, target):
    if tuple(shape) != target.shape:
        raise Refused(f"its output has shape {target.shape} instead of {tuple(shape)}")


def _pad(graph, op):
    (source,), target = _ends(graph, op)
    pads = np.reshape(_integers(graph, op, 1, "padding", 2 * len(source.shape)), (-1, 2))
    if (pads < 0).any():
        raise Refused("its padding is negative")
    _same([size + before + after for size, (before, after) in zip(source.shape, pads)], target)
    value = quantization(target)[1]
    if op.name == "PADV2":
        constant = graph.tensor(op.inputs[2]) if len(op.inputs) > 2 else None
        if constant is None or constant.value is None or constant.size != 1:
            raise Refused("its padding value must be a constant of one element")
        require_int8(constant)
        value = int(constant.value.reshape(-1)[0])
    pitches = row_major(target.shape)
    first = sum(int(before) * pitch for (before, _), pitch in zip(pads, pitches))
    box = Box(0, 0, first, source.shape, row_major(source.shape), pitches)
    return _move(op, [source], target, [box], fill=value if pads.any() else None)


def _concatenation(graph, op):
    if op.options.get("activation", "NONE") != "NONE":
        raise Refused(f"its fused activation is {op.options['activation']}, supported is NONE")
    sources, target = _ends(graph, op, max(1, len(op.inputs)))
    axis = op.options.get("axis", 0)
    if not -len(target.shape) <= axis < len(target.shape):
        raise Refused(f"axis {axis} is outside shape {target.shape}")
    axis %= len(target.shape)
    boxes: list[Box] = []
    kept: list = []
    constant, at = b"", 0
    pitches = row_major(target.shape)
    for source in sources:
        expected = list(target.shape)
        expected[axis] = source.shape[axis] if len(source.shape) > axis else 0
        if source.shape != tuple(expected):
            raise Refused(f"shape {source.shape} does not fit {target.shape} along axis {axis}")
        slot, first = (len(kept), 0) if source.value is None else (-1, len(constant))
        if source.value is None:
            kept.append(source)
        else:
            constant += source.value.astype(np.int8).tobytes()
        boxes.append(Box(slot, first, at * pitches[axis], source.shape, row_major(source.shape),
                         pitches))
        at += source.shape[axis]
    if at != target.shape[axis]:
        raise Refused(f"its inputs have {at} elements along axis {axis}, its output has "
                      f"{target.shape[axis]}")
    if not kept:
        raise Refused("all of its inputs are constants")
    boxes = [Box(len(kept) if box.slot < 0 else box.slot, box.first, box.to, box.counts,
                 box.steps, box.pitches) for box in boxes]
    return _move(op, kept, target, boxes, constant=constant)


def _strided_slice(graph, op):
    (source,), target = _ends(graph, op)
    begin, end, strides = (_integers(graph, op, number, what)
                           for number, what in ((1, "begin"), (2, "end"), (3, "strides")))
    options = op.options
    if options.get("ellipsis_mask", 0):
        raise Refused("it has an ellipsis")
    picks: list = []
    shape: list[int] = []
    dims = iter(range(len(source.shape)))
    for number in range(len(begin)):
        if options.get("new_axis_mask", 0) >> number & 1:
            continue
        axis = next(dims, None)
        if axis is None or strides[number] == 0:
            raise Refused(f"its slice {begin}, {end}, {strides} does not fit {source.shape}")
        size = source.shape[axis]
        if options.get("shrink_axis_mask", 0) >> number & 1:
            at = begin[number] + size * (begin[number] < 0)
            if not 0 <= at < size:
                raise Refused(f"index {begin[number]} is outside a dimension of {size}")
            picks.append(range(at, at + 1))
            continue
        low = None if options.get("begin_mask", 0) >> number & 1 else begin[number]
        high = None if options.get("end_mask", 0) >> number & 1 else end[number]
        if options.get("offset") and high is not None and low is not None:
            high += low
        picks.append(range(size)[slice(low, high, strides[number])])
        shape.append(len(picks[-1]))
    for axis in dims:
        picks.append(range(source.shape[axis]))
        shape.append(len(picks[-1]))
    counts = tuple(map(len, picks))
    if 0 in counts or np.prod(counts) != target.size:
        raise Refused(f"its slice has shape {counts}, its output {target.shape}")
    steps = row_major(source.shape)
    box = Box(0, sum(pick[0] * step for pick, step in zip(picks, steps)), 0, counts,
              tuple(pick.step * step for pick, step in zip(picks, steps)), row_major(counts))
    return _move(op, [source], target, [box])


def _slice(graph, op):
    (source,), target = _ends(graph, op)
    begin, size = (_integers(graph, op, number, what, len(source.shape))
                   for number, what in ((1, "begin"), (2, "size")))
    counts = tuple(whole - first if count == -1 else count
                   for first, count, whole in zip(begin, size, source.shape))
    if any(first < 0 or count < 1 or first + count > whole
           for first, count, whole in zip(begin, counts, source.shape)):
        raise Refused(f"its slice {begin}, {size} does not fit {source.shape}")
    _same(counts, target)
    steps = row_major(source.shape)
    box = Box(0, sum(first * step for first, step in zip(begin, steps)), 0, counts, steps,
              row_major(counts))
    return _move(op, [source], target, [box])


def _transpose(graph, op):
    (source,), target = _ends(graph, op)
    order = _integers(graph, op, 1, "permutation", len(source.shape))
    order = [axis + len(order) * (axis < 0) for axis in order]
    if sorted(order) != list(range(len(order))):
        raise Refused(f"its permutation {order} is none")
    counts = tuple(source.shape[axis] for axis in order)
    _same(counts, target)
    steps = row_major(source.shape)
    box = Box(0, 0, 0, counts, tuple(steps[axis] for axis in order), row_major(counts))
    return _move(op, [source], target, [box])


def _resize(graph, op):
    (source,), target = _ends(graph, op)
    if len(source.shape) != 4 or len(target.shape) != 4:
        raise Refused(f"shapes {source.shape} and {target.shape} must have four dimensions")
    height, width = _integers(graph, op, 1, "size", 2)
    _same((source.shape[0], height, width, source.shape[3]), target)
    align, half = op.options.get("align_corners", 0), op.options.get("half_pixel_centers", 0)
    picks = [_nearest(whole, size, align, half)
             for whole, size in zip(source.shape[1:3], (height, width))]
    boxes = []
    # columns of each picked row; rows that are alike repeat the same boxes
    row = boxes_along((source.shape[2], source.shape[3]), (width, source.shape[3]), 0, picks[1])
    in_row, out_row = source.shape[2] * source.shape[3], width * source.shape[3]
    images = [(image * source.shape[1], image * height) for image in range(source.shape[0])]
    for first, to in images:
        for at, pick in enumerate(picks[0]):
            boxes += [Box(0, box.first + (first + int(pick)) * in_row,
                          box.to + (to + at) * out_row, box.counts, box.steps, box.pitches)
                      for box in row]
    return _move(op, [source], target, boxes)


def _nearest(whole, size, align, half):
    """For each output the input that RESIZE_NEAREST_NEIGHBOR takes; it computes in float32."""
    scale = np.float32(whole - 1) / np.float32(size - 1) if align and size > 1 \
        else np.float32(whole) / np.float32(size)
    at = np.arange(size, dtype=np.float32)
    position = (at + np.float32(0.5 if half else 0)) * scale
    if align:       # half away from zero
        chosen = np.floor(position + np.float32(0.5))
    else:
        chosen = np.floor(position)
    return np.clip(chosen, 0, whole - 1).astype(np.int64)


MOVES = {"PAD": _pad, "PADV2": _pad, "CONCATENATION": _concatenation,
         "STRIDED_SLICE": _strided_slice, "SLICE": _slice, "TRANSPOSE": _transpose,
         "RESIZE_NEAREST_NEIGHBOR": _resize}
"""By operator: from a graph and an operator to a list of one :class:`Move`."""
