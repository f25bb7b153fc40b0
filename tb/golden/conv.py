"""CONV_2D on int8.

Source: ``tensorflow/lite/kernels/internal/reference/integer_ops/conv.h`` (ConvPerChannel);
multipliers from ``kernel_util.cc`` (PopulateConvolutionQuantizationParams).
"""

import numpy as np
import numpy.typing as npt

from golden import requantize
from golden.activation import activation_range
from golden.arrays import Bytes, Int32, Pair, Scale, Scales, Values
from golden.windows import windows


def conv2d(
    x: Bytes,
    weights: Bytes,
    bias: Int32 | None,
    *,
    s_in: Scale,
    z_in: int,
    s_weights: Scales,
    s_out: Scale,
    z_out: int,
    stride: Pair = (1, 1),
    dilation: Pair = (1, 1),
    padding: str = "SAME",
    activation: str = "NONE",
) -> Bytes:
    """Convolve; return int8 ``[n, out_h, out_w, out_channels]``.

    Parameters
    ----------
    x : int8 ``[n, h, w, in_channels]``.
    weights : int8 ``[out_channels, kernel_h, kernel_w, in_channels]``, zero point 0.
    bias : int32 ``[out_channels]``, or None.
    s_in, z_in, s_out, z_out : scales and zero points of input and output.
    s_weights : one scale, or one per output channel.
    stride, dilation : pairs (vertical, horizontal).
    padding : ``"SAME"`` or ``"VALID"``.
    activation : name of the fused activation.
    """
    acc = accumulate(x, weights, bias, z_in, stride, dilation, padding)
    return finish(acc, product_of_scales(s_in, s_weights), s_out, z_out, activation)


def accumulate(
    x: Bytes,
    weights: Bytes,
    bias: Int32 | None,
    z_in: int,
    stride: Pair,
    dilation: Pair,
    padding: str,
) -> Values:
    """Return the int32 sums before requantisation, ``[n, out_h, out_w, out_channels]``."""
    out_channels, kernel_h, kernel_w, in_channels = weights.shape
    if x.shape[3] != in_channels:
        raise ValueError(f"Image has {x.shape[3]} channels, but weights have {in_channels}")
    # the kernel skips products outside of the image: their operand is z_in, or 0 after the offset
    patches = windows(x, (kernel_h, kernel_w), stride, dilation, padding, z_in)
    n, out_h, out_w = patches.shape[:3]
    columns = patches.reshape(n * out_h * out_w, -1).astype(np.float64) - z_in
    # doubles hold these sums exactly: 2^53 is far above 255 * 128 * (elements of a kernel)
    acc = (columns @ weights.reshape(out_channels, -1).T.astype(np.float64)).astype(np.int64)
    if bias is not None:
        acc = acc + bias.astype(np.int64)
    return requantize.wrap32(acc).reshape(n, out_h, out_w, out_channels)


def product_of_scales(s_in: Scale, s_weights: Scales) -> npt.NDArray[np.float64]:
    """Return the real value of one accumulator unit in each channel: a product of doubles."""
    weights = np.asarray(s_weights, np.float32).astype(np.float64)
    return np.asarray(np.float64(np.float32(s_in)) * weights)


def finish(acc: Values, s_acc: Scales, s_out: Scale, z_out: int, activation: str) -> Bytes:
    """Requantise each channel (the last axis), add the zero point and clamp; return int8."""
    m, s = requantize.quantize_multipliers(s_acc / np.float64(np.float32(s_out)))
    low, high = activation_range(activation, s_out, z_out)
    y = requantize.multiply_by_quantized_multiplier(acc, m, s) + z_out
    return np.clip(y, low, high).astype(np.int8)
