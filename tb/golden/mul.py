"""MUL on int8, with broadcasting.

Sources: ``tensorflow/lite/kernels/internal/reference/integer_ops/mul.h`` (MulElementwise) and
``tensorflow/lite/kernels/mul.cc`` (Prepare), which computes the ratio of scales in float32.
"""

import numpy as np

from golden.activation import activation_range
from golden.arrays import Bytes, Scale
from golden.requantize import multiply_by_quantized_multiplier, quantize_multiplier


def mul(
    x1: Bytes,
    x2: Bytes,
    *,
    s1: Scale,
    z1: int,
    s2: Scale,
    z2: int,
    s_out: Scale,
    z_out: int,
    activation: str = "NONE",
) -> Bytes:
    """Multiply; return int8 of the broadcast shape.

    The parameters are those of :func:`golden.add.add`.
    """
    m, s = quantize_multiplier(float(ratio(s1, s2, s_out)))
    low, high = activation_range(activation, s_out, z_out)
    raw = (x1.astype(np.int64) - z1) * (x2.astype(np.int64) - z2)
    return np.clip(multiply_by_quantized_multiplier(raw, m, s) + z_out, low, high).astype(np.int8)


def ratio(s1: Scale, s2: Scale, s_out: Scale) -> np.float32:
    """Return the value of one unit of the product, in units of the output."""
    return np.float32(s1) * np.float32(s2) / np.float32(s_out)
