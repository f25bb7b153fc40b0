"""Operators that move elements without arithmetic: pads, slices, transpositions and the like.

They accept arrays of any type; scales and zero points do not change.

Sources: ``tensorflow/lite/kernels/pad.cc``, ``concatenation.cc``, ``slice.cc``,
``strided_slice.cc`` (BuildStridedSliceParams) with ``kernels/internal/strided_slice_logic.h``,
``transpose.cc``, and ``kernels/internal/reference/resize_nearest_neighbor.h``.
"""

import math
from collections.abc import Sequence

import numpy as np

from golden.arrays import AnyArray, Integers


def pad(x: AnyArray, paddings: AnyArray | Sequence[Sequence[int]], value: int) -> AnyArray:
    """Pad with ``value``: ``paddings[i]`` elements before and after along axis ``i``."""
    pairs = [(int(before), int(after)) for before, after in paddings]
    return np.pad(x, pairs, constant_values=value)


def concatenate(parts: Sequence[AnyArray], axis: int) -> AnyArray:
    """Concatenate along ``axis``, which may be negative."""
    return np.concatenate(parts, axis=axis)


def transpose(x: AnyArray, order: Integers) -> AnyArray:
    """Transpose: axis ``i`` of the result is axis ``order[i]`` of ``x``, which may be negative."""
    return np.ascontiguousarray(x.transpose([int(axis) for axis in order]))


def slice_(x: AnyArray, begin: Integers, size: Integers) -> AnyArray:
    """Return ``size[i]`` elements from ``begin[i]`` on along axis ``i``; a size of -1 means all."""
    ends = [n if s == -1 else b + s for n, b, s in zip(x.shape, begin, size)]
    return x[tuple(slice(int(b), int(e)) for b, e in zip(begin, ends))]


def strided_slice(
    x: AnyArray,
    begin: Integers,
    end: Integers,
    strides: Integers,
    *,
    begin_mask: int = 0,
    end_mask: int = 0,
    ellipsis_mask: int = 0,
    new_axis_mask: int = 0,
    shrink_axis_mask: int = 0,
    offset: int = False,
) -> AnyArray:
    """Return the elements of ``x`` from ``begin`` to before ``end`` along each axis.

    Parameters
    ----------
    x : array of any type.
    begin, end, strides : one number for each item of the specification, strides not 0.
    begin_mask, end_mask : bit ``i`` set: ``begin[i]``, or ``end[i]``, is replaced by the first, or
        last, edge of the array in the direction of the stride.
    ellipsis_mask : bit of the item that covers all axes without an item of their own, at least
        one. Where none is left, the kernel ignores the last item instead.
    new_axis_mask : bits of items that insert an axis of one element.
    shrink_axis_mask : bits of items that select one index and drop the axis.
    offset : ``end`` is relative to ``begin``. The kernel then requires indices inside the array.
    """
    added = (new_axis_mask & ~ellipsis_mask & (1 << len(begin)) - 1).bit_count()
    axis, y = 0, x
    shape: list[int] = []
    for i in range(len(begin)):
        if axis == x.ndim and not new_axis_mask >> i & 1:
            break
        if ellipsis_mask >> i & 1:
            named = len(begin) - added - 1
            for _ in range(max(1, x.ndim - named)):
                shape.append(x.shape[axis])
                axis += 1
        elif new_axis_mask >> i & 1:
            shape.append(1)
        else:
            shrink = bool(shrink_axis_mask >> i & 1)
            indices = _indices(
                x.shape[axis],
                int(begin[i]),
                int(end[i]),
                int(strides[i]),
                starts_at_end=bool(begin_mask >> i & 1),
                stops_at_end=bool(end_mask >> i & 1),
                shrink=shrink,
                offset=offset,
            )
            y = np.take(y, np.array(indices, np.int64), axis=axis)
            if not shrink:
                shape.append(len(indices))
            axis += 1
    return y.reshape((*shape, *x.shape[axis:]))


def resize_nearest_neighbor(
    x: AnyArray,
    height: int,
    width: int,
    *,
    align_corners: bool = False,
    half_pixel_centers: bool = False,
) -> AnyArray:
    """Resize images ``[n, h, w, channels]``; each element is a copy of the nearest one."""
    rows = _nearest(x.shape[1], int(height), align_corners, half_pixel_centers)
    cols = _nearest(x.shape[2], int(width), align_corners, half_pixel_centers)
    return x[:, rows][:, :, cols]


def _indices(
    size: int,
    begin: int,
    end: int,
    stride: int,
    *,
    starts_at_end: bool,
    stops_at_end: bool,
    shrink: bool,
    offset: int,
) -> range:
    low, high = (0, size) if stride > 0 else (-1, size - 1)
    start = min(max(begin + size if begin < 0 else begin, low), high)
    if starts_at_end:
        start = 0 if stride > 0 else size - 1
    if shrink:
        return range(start, start + 1)
    stop = end + start if offset else end
    stop = min(max(stop + size if stop < 0 else stop, low), high)
    if stops_at_end:
        stop = size if stride > 0 else -1
    return range(start, stop, stride)


def _nearest(size: int, wanted: int, align_corners: bool, half_pixel_centers: bool) -> list[int]:
    """Return the source index of each of ``wanted`` elements; every step is in float32."""
    scale = np.float32(size) / np.float32(wanted)
    if align_corners and wanted > 1:
        scale = np.float32(size - 1) / np.float32(wanted - 1)
    shift = np.float32(0.5 if half_pixel_centers else 0)
    found = []
    for i in range(wanted):
        position = float((np.float32(i) + shift) * scale)
        index = math.floor(position + 0.5) if align_corners else math.floor(position)
        found.append(max(0, min(index, size - 1)))
    return found
