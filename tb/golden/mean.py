"""MEAN on int8, over any axes.

The division by the number of elements goes into the multiplier and is rounded down there; neither
scale nor zero point need to be those of the input.

Source: ``tensorflow/lite/kernels/internal/reference/reduce.h`` (QuantizedMeanOrSum).
"""

import numpy as np

from golden.requantize import multiply_by_quantized_multiplier, quantize_multiplier, wrap32


def mean(x, axes, *, s_in, z_in, s_out, z_out, keep_dims=False):
    """The mean along ``axes``, which may be negative or named twice; int8."""
    axes = tuple(sorted({int(a) % x.ndim for a in np.atleast_1d(axes)})) if x.ndim else ()
    count = int(np.prod([x.shape[a] for a in axes], dtype=np.int64))
    m, s = quantize_multiplier(float(np.float32(s_in)) / float(np.float32(s_out)))
    m, s = divided(m, s, count)
    # sums are int32, and so is the zero point's share of them
    total = wrap32(x.astype(np.int64).sum(axis=axes, keepdims=keep_dims) - z_in * count)
    y = multiply_by_quantized_multiplier(total, m, s) + z_out
    return np.clip(y, -128, 127).astype(np.int8)


def divided(m, s, count):
    """Multiplier and shift over ``count``: shifted left as far as 32 bits and the shift allow."""
    left = min(count.bit_length() - 1, 32, 62 - s)
    return (m << left) // count, s + left
