"""MEAN on int8, over any axes.

The multiplier includes the division by the number of elements, rounded down. Scale and zero point
of the output may differ from those of the input.

Source: ``tensorflow/lite/kernels/internal/reference/reduce.h`` (QuantizedMeanOrSum).
"""

import numpy as np

from golden.arrays import Bytes, Integers, Scale
from golden.requantize import multiply_by_quantized_multiplier, quantize_multiplier, wrap32


def mean(
    x: Bytes,
    axes: int | Integers,
    *,
    s_in: Scale,
    z_in: int,
    s_out: Scale,
    z_out: int,
    keep_dims: bool = False,
) -> Bytes:
    """Return the mean along ``axes``, which may be negative or repeated; int8."""
    dims = tuple(sorted({int(a) % x.ndim for a in np.atleast_1d(axes)})) if x.ndim else ()
    count = int(np.prod([x.shape[a] for a in dims], dtype=np.int64))
    m, s = quantize_multiplier(float(np.float32(s_in)) / float(np.float32(s_out)))
    m, s = divide_multiplier(m, s, count)
    # the sum and the zero point's part of it are int32
    total = wrap32(x.astype(np.int64).sum(axis=dims, keepdims=keep_dims) - z_in * count)
    y = multiply_by_quantized_multiplier(total, m, s) + z_out
    return np.clip(y, -128, 127).astype(np.int8)


def divide_multiplier(m: int, s: int, count: int) -> tuple[int, int]:
    """Return the multiplier and the shift of ``m / 2**s / count``.

    For precision, ``m`` is shifted left before the division. The distance is limited by ``count``,
    by 32, and by the largest shift, 62.
    """
    left = min(count.bit_length() - 1, 32, 62 - s)
    return (m << left) // count, s + left
