"""Lowering of operators that only move bytes."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt

from ..frontend.graph import Graph, GraphTensor, Operator
from ..verdict import Refused
from .move import Move, StridedCopy, copies_along, row_major_strides
from .operands import operation_name, quantization, require_int8

__all__ = ["MOVES"]


def _operands(graph: Graph, op: Operator,
              inputs: int = 1) -> tuple[list[GraphTensor], GraphTensor]:
    """Return the first ``inputs`` inputs and the output, all int8 with the same quantisation."""
    if len(op.inputs) < inputs or not op.outputs:
        raise Refused("it lacks an input or an output")
    sources = [source for source in map(graph.operand, op.inputs[:inputs]) if source is not None]
    target = graph.tensor(op.outputs[0])
    if len(sources) < inputs:
        raise Refused("it lacks an input")
    require_int8(*sources, target)
    for source in sources:
        if quantization(source) != quantization(target):
            raise Refused(f"tensors {source.name!r} and {target.name!r} differ in scale or zero "
                          f"point: {quantization(source)} and {quantization(target)}")
    return sources, target


def _integers(graph: Graph, op: Operator, number: int, name: str,
              count: int | None = None) -> list[int]:
    """Return the constant operand ``number`` as a list of integers.

    ``name`` denotes the operand in error messages, and ``count`` is its number of elements.
    """
    tensor = graph.operand(op.inputs[number]) if len(op.inputs) > number else None
    if tensor is None or tensor.value is None or tensor.dtype not in ("int32", "int64"):
        raise Refused(f"its {name} must be a constant of type int32 or int64")
    values = [int(value) for value in tensor.value.reshape(-1)]
    if count is not None and len(values) != count:
        raise Refused(f"its {name} has {len(values)} elements instead of {count}")
    return values


def _move(op: Operator, sources: Sequence[GraphTensor], target: GraphTensor,
          copies: Iterable[StridedCopy], *, fill: int | None = None,
          constant: bytes = b"") -> Move:
    return Move(name=operation_name(op), index=op.index,
                sources=tuple(source.index for source in sources), target=target.index,
                size=target.size, copies=tuple(copies), fill=fill, constant=constant)


def _check_shape(shape: Iterable[int], target: GraphTensor) -> None:
    if tuple(shape) != target.shape:
        raise Refused(f"its output has shape {target.shape} instead of {tuple(shape)}")


def _pad(graph: Graph, op: Operator) -> Move:
    (source,), target = _operands(graph, op)
    pads = np.reshape(_integers(graph, op, 1, "padding", 2 * len(source.shape)), (-1, 2))
    if (pads < 0).any():
        raise Refused("its padding is negative")
    _check_shape((size + int(before) + int(after)
                  for size, (before, after) in zip(source.shape, pads)), target)
    value = quantization(target)[1]
    if op.name == "PADV2":
        constant = graph.operand(op.inputs[2]) if len(op.inputs) > 2 else None
        if constant is None or constant.value is None or constant.size != 1:
            raise Refused("its padding value must be a constant of one element")
        require_int8(constant)
        value = int(constant.value.reshape(-1)[0])
    strides = row_major_strides(target.shape)
    first = sum(int(before) * stride for (before, _), stride in zip(pads, strides))
    copy = StridedCopy(operand=0, source_offset=0, target_offset=first, counts=source.shape,
                       source_strides=row_major_strides(source.shape), target_strides=strides)
    return _move(op, [source], target, [copy], fill=value if pads.any() else None)


def _concatenation(graph: Graph, op: Operator) -> Move:
    if op.options.get("activation", "NONE") != "NONE":
        raise Refused(f"its fused activation is {op.options['activation']}; only NONE is supported")
    sources, target = _operands(graph, op, max(1, len(op.inputs)))
    axis = op.options.get("axis", 0)
    if not -len(target.shape) <= axis < len(target.shape):
        raise Refused(f"axis {axis} does not exist in shape {target.shape}")
    axis %= len(target.shape)
    variables = [source for source in sources if source.value is None]
    copies: list[StridedCopy] = []
    constant, number, first = b"", 0, 0
    strides = row_major_strides(target.shape)
    for source in sources:
        expected = list(target.shape)
        expected[axis] = source.shape[axis] if len(source.shape) > axis else 0
        if source.shape != tuple(expected):
            raise Refused(f"shape {source.shape} of an input does not match {target.shape} along "
                          f"axis {axis}")
        if source.value is None:
            operand, source_offset = number, 0
            number += 1
        else:       # all constants together are the last operand
            operand, source_offset = len(variables), len(constant)
            constant += source.value.astype(np.int8).tobytes()
        copies.append(StridedCopy(
            operand=operand, source_offset=source_offset, target_offset=first * strides[axis],
            counts=source.shape, source_strides=row_major_strides(source.shape),
            target_strides=strides))
        first += source.shape[axis]
    if first != target.shape[axis]:
        raise Refused(f"its inputs have {first} elements along axis {axis}, but its output has "
                      f"{target.shape[axis]}")
    if not variables:
        raise Refused("all of its inputs are constants")
    return _move(op, variables, target, copies, constant=constant)


def _strided_slice(graph: Graph, op: Operator) -> Move:
    (source,), target = _operands(graph, op)
    begin, end, strides = (_integers(graph, op, number, name)
                           for number, name in ((1, "begin"), (2, "end"), (3, "strides")))
    masks = {name: op.options.get(f"{name}_mask", 0)
             for name in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")}
    if masks["ellipsis"]:
        raise Refused("its ellipsis mask is set, which is not supported")
    picks: list[range] = []
    axes = iter(range(len(source.shape)))
    for number in range(len(begin)):
        if masks["new_axis"] >> number & 1:
            continue
        axis = next(axes, None)
        if axis is None or strides[number] == 0:
            raise Refused(f"its slice {begin}, {end}, {strides} is invalid for shape "
                          f"{source.shape}")
        size = source.shape[axis]
        if masks["shrink_axis"] >> number & 1:
            index = begin[number] + size * (begin[number] < 0)
            if not 0 <= index < size:
                raise Refused(f"index {begin[number]} is outside a dimension of {size}")
            picks.append(range(index, index + 1))
            continue
        low = None if masks["begin"] >> number & 1 else begin[number]
        high = None if masks["end"] >> number & 1 else end[number]
        if op.options.get("offset") and high is not None and low is not None:
            high += low
        picks.append(range(size)[slice(low, high, strides[number])])
    picks += [range(source.shape[axis]) for axis in axes]
    counts = tuple(map(len, picks))
    if 0 in counts or np.prod(counts) != target.size:
        raise Refused(f"its slice has shape {counts}, but its output {target.shape}")
    source_strides = row_major_strides(source.shape)
    copy = StridedCopy(
        operand=0, target_offset=0, counts=counts, target_strides=row_major_strides(counts),
        source_offset=sum(pick[0] * stride for pick, stride in zip(picks, source_strides)),
        source_strides=tuple(pick.step * stride for pick, stride in zip(picks, source_strides)))
    return _move(op, [source], target, [copy])


def _slice(graph: Graph, op: Operator) -> Move:
    (source,), target = _operands(graph, op)
    begin, size = (_integers(graph, op, number, name, len(source.shape))
                   for number, name in ((1, "begin"), (2, "size")))
    counts = tuple(full - first if count == -1 else count
                   for first, count, full in zip(begin, size, source.shape))
    if any(first < 0 or count < 1 or first + count > full
           for first, count, full in zip(begin, counts, source.shape)):
        raise Refused(f"its slice {begin}, {size} is invalid for shape {source.shape}")
    _check_shape(counts, target)
    strides = row_major_strides(source.shape)
    copy = StridedCopy(
        operand=0, source_offset=sum(first * stride for first, stride in zip(begin, strides)),
        target_offset=0, counts=counts, source_strides=strides,
        target_strides=row_major_strides(counts))
    return _move(op, [source], target, [copy])


def _transpose(graph: Graph, op: Operator) -> Move:
    (source,), target = _operands(graph, op)
    order = _integers(graph, op, 1, "permutation", len(source.shape))
    order = [axis + len(order) * (axis < 0) for axis in order]
    if sorted(order) != list(range(len(order))):
        raise Refused(f"its permutation {order} is invalid")
    counts = tuple(source.shape[axis] for axis in order)
    _check_shape(counts, target)
    strides = row_major_strides(source.shape)
    copy = StridedCopy(operand=0, source_offset=0, target_offset=0, counts=counts,
                       source_strides=tuple(strides[axis] for axis in order),
                       target_strides=row_major_strides(counts))
    return _move(op, [source], target, [copy])


def _resize(graph: Graph, op: Operator) -> Move:
    (source,), target = _operands(graph, op)
    if len(source.shape) != 4 or len(target.shape) != 4:
        raise Refused(f"shapes {source.shape} and {target.shape} must have four dimensions")
    height, width = _integers(graph, op, 1, "size", 2)
    batch, in_h, in_w, channels = source.shape
    _check_shape((batch, height, width, channels), target)
    align_corners = op.options.get("align_corners", 0)
    half_pixel_centers = op.options.get("half_pixel_centers", 0)
    picked_rows, picked_columns = (
        _nearest(full, size, align_corners, half_pixel_centers)
        for full, size in ((in_h, height), (in_w, width)))
    # the copies for one row; every output row repeats them with the offsets of its rows
    row_copies = copies_along((in_w, channels), (width, channels), 0, picked_columns)
    in_row, out_row = in_w * channels, width * channels
    copies = []
    for image in range(batch):
        for row, pick in enumerate(picked_rows):
            copies += [dataclasses.replace(
                copy,
                source_offset=copy.source_offset + (image * in_h + int(pick)) * in_row,
                target_offset=copy.target_offset + (image * height + row) * out_row)
                for copy in row_copies]
    return _move(op, [source], target, copies)


def _nearest(full: int, size: int, align_corners: int,
             half_pixel_centers: int) -> npt.NDArray[np.int64]:
    """Return the input index of each output of RESIZE_NEAREST_NEIGHBOR along one dimension.

    The arithmetic is in float32, as in the reference kernel. ``full`` and ``size`` are the numbers
    of inputs and outputs.
    """
    scale = np.float32(full - 1) / np.float32(size - 1) if align_corners and size > 1 \
        else np.float32(full) / np.float32(size)
    centers = np.arange(size, dtype=np.float32) + np.float32(0.5 if half_pixel_centers else 0)
    positions = centers * scale
    if align_corners:       # round half away from zero
        positions = positions + np.float32(0.5)
    nearest: npt.NDArray[np.int64] = np.clip(np.floor(positions), 0, full - 1).astype(np.int64)
    return nearest


MOVES: dict[str, Callable[[Graph, Operator], Move]] = {
    "PAD": _pad, "PADV2": _pad, "CONCATENATION": _concatenation, "STRIDED_SLICE": _strided_slice,
    "SLICE": _slice, "TRANSPOSE": _transpose, "RESIZE_NEAREST_NEIGHBOR": _resize}
"""Lowering function of each operator."""
