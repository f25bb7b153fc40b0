"""MAX_POOL_2D and AVERAGE_POOL_2D on int8; input and output share scale and zero point.

Source: ``tensorflow/lite/kernels/internal/reference/integer_ops/pooling.h`` (MaxPool,
AveragePool). Padding takes no part: neither in the maximum nor in the count.
"""

import numpy as np

from golden.activation import activation_range
from golden.windows import windows


def max_pool2d(x, *, kernel, stride, padding="VALID", scale=1.0, zero_point=0, activation="NONE"):
    """The largest element of each window; int8 ``[n, out_h, out_w, channels]``.

    Parameters
    ----------
    x : int8 ``[n, h, w, channels]``.
    kernel, stride : pairs (vertical, horizontal).
    scale, zero_point : of input and output; only a fused activation needs them.
    """
    seen = windows(x, kernel, stride, (1, 1), padding, -128)
    low, high = activation_range(activation, scale, zero_point)
    return np.clip(seen.max(axis=(3, 4)), low, high).astype(np.int8)


def average_pool2d(
    x, *, kernel, stride, padding="VALID", scale=1.0, zero_point=0, activation="NONE"
):
    """The mean of each window's elements that lie inside of the image, halves away from zero.

    Parameters are those of :func:`max_pool2d`.
    """
    total = _sum(x.astype(np.int64), kernel, stride, padding)
    count = _sum(np.ones_like(x, np.int64), kernel, stride, padding)
    # division in C drops the fraction, so the half is added on the sign's side
    mean = np.sign(total) * ((np.abs(total) + count // 2) // count)
    low, high = activation_range(activation, scale, zero_point)
    return np.clip(mean, low, high).astype(np.int8)


def _sum(x, kernel, stride, padding):
    return windows(x, kernel, stride, (1, 1), padding, 0).sum(axis=(3, 4))
