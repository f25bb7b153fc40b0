"""MAX_POOL_2D and AVERAGE_POOL_2D on int8. Input and output share scale and zero point.

Source: ``tensorflow/lite/kernels/internal/reference/integer_ops/pooling.h`` (MaxPool,
AveragePool). Padding counts neither in the maximum nor in the average.
"""

import numpy as np

from golden.activation import activation_range
from golden.arrays import Bytes, Pair, Scale, Values
from golden.windows import windows


def max_pool2d(
    x: Bytes,
    *,
    kernel: Pair,
    stride: Pair,
    padding: str = "VALID",
    scale: Scale = 1.0,
    zero_point: int = 0,
    activation: str = "NONE",
) -> Bytes:
    """Return the largest element of each window; int8 ``[n, out_h, out_w, channels]``.

    Parameters
    ----------
    x : int8 ``[n, h, w, channels]``.
    kernel, stride : pairs (vertical, horizontal).
    padding : ``"SAME"`` or ``"VALID"``.
    scale, zero_point : of input and output; only a fused activation needs them.
    activation : name of the fused activation.
    """
    patches = windows(x, kernel, stride, (1, 1), padding, -128)
    low, high = activation_range(activation, scale, zero_point)
    return np.clip(patches.max(axis=(3, 4)), low, high).astype(np.int8)


def average_pool2d(
    x: Bytes,
    *,
    kernel: Pair,
    stride: Pair,
    padding: str = "VALID",
    scale: Scale = 1.0,
    zero_point: int = 0,
    activation: str = "NONE",
) -> Bytes:
    """Return the mean of each window's elements inside of the image, halves away from zero.

    The parameters are those of :func:`max_pool2d`.
    """
    total = _sum(x.astype(np.int64), kernel, stride, padding)
    count = _sum(np.ones_like(x, np.int64), kernel, stride, padding)
    # division in C truncates, so half the count is added with the sign of the sum
    mean = np.sign(total) * ((np.abs(total) + count // 2) // count)
    low, high = activation_range(activation, scale, zero_point)
    return np.clip(mean, low, high).astype(np.int8)


def _sum(x: Values, kernel: Pair, stride: Pair, padding: str) -> Values:
    return np.asarray(windows(x, kernel, stride, (1, 1), padding, 0).sum(axis=(3, 4)))
