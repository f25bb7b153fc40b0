"""Sliding windows: where a kernel's window lies on an image, and what it sees.

Source: ``tensorflow/lite/kernels/padding.h`` (ComputeOutSize, ComputePaddingWithOffset).
"""

import numpy as np


def output_size(size, kernel, stride, dilation, padding):
    """Positions of a kernel along one axis.

    Raises
    ------
    ValueError
        If the padding is neither SAME nor VALID.
    """
    if padding == "SAME":
        return (size + stride - 1) // stride
    if padding == "VALID":
        return (size - _reach(kernel, dilation) + stride) // stride
    raise ValueError(f"Padding '{padding}' is neither SAME nor VALID")


def leading_pad(size, kernel, stride, dilation, padding):
    """Elements that the first window hangs over the edge; the odd one is at the end."""
    count = output_size(size, kernel, stride, dilation, padding)
    return max((count - 1) * stride + _reach(kernel, dilation) - size, 0) // 2


def windows(x, kernel, stride, dilation, padding, fill):
    """What each window sees: ``[n, out_h, out_w, kernel_h, kernel_w, channels]``.

    Parameters
    ----------
    x : ``[n, h, w, channels]``.
    kernel, stride, dilation : pairs (vertical, horizontal).
    fill : what lies outside of the image.
    """
    (rows, inside_h), (cols, inside_w) = (
        _indices(x.shape[axis + 1], kernel[axis], stride[axis], dilation[axis], padding)
        for axis in (0, 1)
    )
    seen = x[:, rows[:, None, :, None], cols[None, :, None, :], :]
    inside = inside_h[:, None, :, None] & inside_w[None, :, None, :]
    return np.where(inside[None, ..., None], seen, np.asarray(fill, x.dtype))


def _reach(kernel, dilation):
    return (kernel - 1) * dilation + 1


def _indices(size, kernel, stride, dilation, padding):
    """Index of each (position, tap), clipped to the image, and whether it needed no clipping."""
    count = output_size(size, kernel, stride, dilation, padding)
    first = np.arange(count) * stride - leading_pad(size, kernel, stride, dilation, padding)
    index = first[:, None] + np.arange(kernel)[None, :] * dilation
    return np.clip(index, 0, size - 1), (index >= 0) & (index < size)
