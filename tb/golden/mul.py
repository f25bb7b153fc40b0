"""MUL on int8, with broadcasting.

Sources: ``tensorflow/lite/kernels/internal/reference/integer_ops/mul.h`` (MulElementwise) and
``tensorflow/lite/kernels/mul.cc`` (Prepare), which takes the ratio of scales in float32.
"""

import numpy as np

from golden.activation import activation_range
from golden.requantize import multiply_by_quantized_multiplier, quantize_multiplier


def mul(x1, x2, *, s1, z1, s2, z2, s_out, z_out, activation="NONE"):
    """Multiply; int8 of the broadcast shape. Parameters are those of :func:`golden.add.add`."""
    m, s = quantize_multiplier(float(ratio(s1, s2, s_out)))
    low, high = activation_range(activation, s_out, z_out)
    raw = (x1.astype(np.int64) - z1) * (x2.astype(np.int64) - z2)
    return np.clip(multiply_by_quantized_multiplier(raw, m, s) + z_out, low, high).astype(np.int8)


def ratio(s1, s2, s_out):
    """What one unit of the product is worth in units of the output."""
    return np.float32(s1) * np.float32(s2) / np.float32(s_out)
