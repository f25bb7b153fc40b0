"""Sliding windows: their positions on an image, and the elements in each.

Source: ``tensorflow/lite/kernels/padding.h`` (ComputeOutSize, ComputePaddingWithOffset).
"""

import numpy as np
import numpy.typing as npt

from golden.arrays import AnyArray, Pair, Values


def output_size(size: int, kernel: int, stride: int, dilation: int, padding: str) -> int:
    """Return the number of positions of a kernel along one axis.

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


def leading_pad(size: int, kernel: int, stride: int, dilation: int, padding: str) -> int:
    """Return the padding before the first element; an odd element of padding is at the end."""
    count = output_size(size, kernel, stride, dilation, padding)
    return max((count - 1) * stride + _reach(kernel, dilation) - size, 0) // 2


def windows(
    x: AnyArray, kernel: Pair, stride: Pair, dilation: Pair, padding: str, fill: int
) -> AnyArray:
    """Return the elements of each window, ``[n, out_h, out_w, kernel_h, kernel_w, channels]``.

    Parameters
    ----------
    x : ``[n, h, w, channels]``.
    kernel, stride, dilation : pairs (vertical, horizontal).
    padding : ``"SAME"`` or ``"VALID"``.
    fill : value outside of the image.
    """
    (rows, inside_h), (cols, inside_w) = (
        _indices(x.shape[axis + 1], kernel[axis], stride[axis], dilation[axis], padding)
        for axis in (0, 1)
    )
    patches = x[:, rows[:, None, :, None], cols[None, :, None, :], :]
    inside = inside_h[:, None, :, None] & inside_w[None, :, None, :]
    return np.where(inside[None, ..., None], patches, np.asarray(fill, x.dtype))


def _reach(kernel: int, dilation: int) -> int:
    return (kernel - 1) * dilation + 1


def _indices(
    size: int, kernel: int, stride: int, dilation: int, padding: str
) -> tuple[Values, npt.NDArray[np.bool_]]:
    """Return the index of each (position, tap), clipped to the image, and which lie inside."""
    count = output_size(size, kernel, stride, dilation, padding)
    first = np.arange(count) * stride - leading_pad(size, kernel, stride, dilation, padding)
    index = first[:, None] + np.arange(kernel)[None, :] * dilation
    return np.clip(index, 0, size - 1), (index >= 0) & (index < size)
