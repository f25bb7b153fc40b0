"""Operators that move bytes and compute nothing: pads, slices, transpositions, and the like.

Each takes and gives arrays of any type; scales and zero points do not change.

Sources: ``tensorflow/lite/kernels/pad.cc``, ``concatenation.cc``, ``slice.cc``,
``strided_slice.cc`` (BuildStridedSliceParams) with ``kernels/internal/strided_slice_logic.h``,
``transpose.cc``, and ``kernels/internal/reference/resize_nearest_neighbor.h``.
"""

import math

import numpy as np


def pad(x, paddings, value):
    """``paddings[i]`` is what comes before and after along axis ``i``; ``value`` is a byte."""
    return np.pad(x, [tuple(int(n) for n in pair) for pair in paddings], constant_values=value)


def concatenate(parts, axis):
    """Join along ``axis``, which may be negative."""
    return np.concatenate(parts, axis=axis)


def transpose(x, order):
    """Axis ``i`` of the result is axis ``order[i]`` of ``x``; negative ones count from the end."""
    return np.ascontiguousarray(x.transpose([int(axis) for axis in order]))


def slice_(x, begin, size):
    """``size[i]`` elements from ``begin[i]`` on, or, with a size of -1, all of them."""
    ends = [n if s == -1 else b + s for n, b, s in zip(x.shape, begin, size)]
    return x[tuple(slice(int(b), int(e)) for b, e in zip(begin, ends))]


def strided_slice(
    x,
    begin,
    end,
    strides,
    *,
    begin_mask=0,
    end_mask=0,
    ellipsis_mask=0,
    new_axis_mask=0,
    shrink_axis_mask=0,
    offset=False,
):
    """Elements of ``x`` from ``begin`` to before ``end`` along each axis.

    Parameters
    ----------
    begin, end, strides : one number for each item of the specification, strides not 0.
    begin_mask, end_mask : bit ``i`` set: item ``i`` starts, or stops, at the array's end.
    ellipsis_mask : bit of the item that stands for all axes that no other item names, and for one
        at least: where none is left, the kernel ignores the last item instead.
    new_axis_mask : bits of items that insert an axis of one element.
    shrink_axis_mask : bits of items that choose one index and drop the axis.
    offset : ``end`` counts from ``begin``; the kernel then expects to stay inside of the array.
    """
    added = (new_axis_mask & ~ellipsis_mask & (1 << len(begin)) - 1).bit_count()
    axis, y, shape = 0, x, []
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


def resize_nearest_neighbor(x, height, width, *, align_corners=False, half_pixel_centers=False):
    """Images ``[n, h, w, channels]`` of another size, each element a copy of the nearest one."""
    rows = _nearest(x.shape[1], int(height), align_corners, half_pixel_centers)
    cols = _nearest(x.shape[2], int(width), align_corners, half_pixel_centers)
    return x[:, rows][:, :, cols]


def _indices(size, begin, end, stride, *, starts_at_end, stops_at_end, shrink, offset):
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


def _nearest(size, wanted, align_corners, half_pixel_centers):
    """Where each of ``wanted`` elements comes from; every step is a float32 one."""
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
