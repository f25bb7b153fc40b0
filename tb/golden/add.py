"""ADD and SUB on int8, with broadcasting.

Sources: ``tensorflow/lite/kernels/internal/reference/integer_ops/add.h`` (AddElementwise),
``tensorflow/lite/kernels/add.cc`` and ``sub.cc`` (Prepare).
"""

import numpy as np

from golden.activation import activation_range
from golden.arrays import Bytes, Scale, Values
from golden.requantize import multiply_by_quantized_multiplier, quantize_multiplier

LEFT_SHIFT = 20


def add(
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
    subtract: bool = False,
) -> Bytes:
    """Add ``x2`` to ``x1``, or subtract it; return int8 of the broadcast shape.

    Parameters
    ----------
    x1, x2 : int8.
    s1, z1, s2, z2, s_out, z_out : scales and zero points of both operands and the output.
    activation : name of the fused activation.
    subtract : True for SUB.
    """
    s1, s2, s_out = (float(np.float32(s)) for s in (s1, s2, s_out))
    twice_max = 2 * max(s1, s2)
    a = _operand(x1, z1, s1 / twice_max)
    b = _operand(x2, z2, s2 / twice_max)
    raw = a - b if subtract else a + b
    m, s = quantize_multiplier(twice_max / (2**LEFT_SHIFT * s_out))
    low, high = activation_range(activation, s_out, z_out)
    return np.clip(multiply_by_quantized_multiplier(raw, m, s) + z_out, low, high).astype(np.int8)


def _operand(x: Bytes, zero_point: int, scale: float) -> Values:
    m, s = quantize_multiplier(scale)
    shifted = (x.astype(np.int64) - zero_point) << LEFT_SHIFT
    return multiply_by_quantized_multiplier(shifted, m, s)
