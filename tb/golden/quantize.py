"""QUANTIZE and DEQUANTIZE: float32 to int8 and back, and int8 to int8.

Sources: ``tensorflow/lite/kernels/internal/reference/quantize.h`` (AffineQuantize),
``dequantize.h`` (Dequantize), ``requantize.h`` (Requantize) and ``quantize.cc`` (Prepare).
"""

import numpy as np
import numpy.typing as npt

from golden.arrays import Bytes, Scale
from golden.requantize import multiply_by_quantized_multiplier, quantize_multiplier


def quantize(x: npt.NDArray[np.float32], *, scale: Scale, zero_point: int) -> Bytes:
    """Quantise float32 to int8: a float32 quotient, halves away from zero.

    A quotient that is NaN or outside of int32 becomes -2^31 before the zero point is added, as the
    conversion on x86 does; that sum wraps.
    """
    with np.errstate(over="ignore"):
        quotient = (x / np.float32(scale)).astype(np.float64)
    rounded = np.sign(quotient) * np.floor(np.abs(quotient) + 0.5)
    fits = (rounded >= -(2.0**31)) & (rounded < 2.0**31)
    whole = np.where(fits, rounded, -(2.0**31)).astype(np.int64) + zero_point
    whole = (whole + 2**31) % 2**32 - 2**31
    return np.clip(whole, -128, 127).astype(np.int8)


def dequantize(x: Bytes, *, scale: Scale, zero_point: int) -> npt.NDArray[np.float32]:
    """Return float32 values of int8."""
    return np.float32(scale) * (x.astype(np.int32) - zero_point).astype(np.float32)


def requantize(x: Bytes, *, s_in: Scale, z_in: int, s_out: Scale, z_out: int) -> Bytes:
    """Convert int8 to another scale and zero point; the ratio of the scales is a double."""
    m, s = quantize_multiplier(float(np.float32(s_in)) / float(np.float32(s_out)))
    y = multiply_by_quantized_multiplier(x.astype(np.int64) - z_in, m, s) + z_out
    return np.clip(y, -128, 127).astype(np.int8)
