"""CONV_2D on int8.

Source: ``tensorflow/lite/kernels/internal/reference/integer_ops/conv.h`` (ConvPerChannel);
multipliers from ``kernel_util.cc`` (PopulateConvolutionQuantizationParams).
"""

import numpy as np

from golden import requantize
from golden.activation import activation_range
from golden.windows import windows


def conv2d(
    x,
    weights,
    bias,
    *,
    s_in,
    z_in,
    s_weights,
    s_out,
    z_out,
    stride=(1, 1),
    dilation=(1, 1),
    padding="SAME",
    activation="NONE",
):
    """Convolve; int8 ``[n, out_h, out_w, out_channels]``.

    Parameters
    ----------
    x : int8 ``[n, h, w, in_channels]``.
    weights : int8 ``[out_channels, kernel_h, kernel_w, in_channels]``, zero point 0.
    bias : int32 ``[out_channels]``, or None.
    s_in, z_in, s_out, z_out : scales and zero points of input and output.
    s_weights : one scale, or one per output channel.
    stride, dilation : pairs (vertical, horizontal).
    """
    acc = accumulate(x, weights, bias, z_in, stride, dilation, padding)
    return finish(acc, product_of_scales(s_in, s_weights), s_out, z_out, activation)


def accumulate(x, weights, bias, z_in, stride, dilation, padding):
    """The int32 sums before requantisation, as int64 ``[n, out_h, out_w, out_channels]``."""
    out_channels, kernel_h, kernel_w, in_channels = weights.shape
    if x.shape[3] != in_channels:
        raise ValueError(f"Image has {x.shape[3]} channels, but weights have {in_channels}")
    # outside of the image the kernel skips the product: that is a zero after the offset, or z_in
    seen = windows(x, (kernel_h, kernel_w), stride, dilation, padding, z_in)
    n, out_h, out_w = seen.shape[:3]
    columns = seen.reshape(n * out_h * out_w, -1).astype(np.float64) - z_in
    # doubles hold these sums exactly: 2^53 is far above 255 * 128 * (elements of a kernel)
    acc = (columns @ weights.reshape(out_channels, -1).T.astype(np.float64)).astype(np.int64)
    if bias is not None:
        acc = acc + bias.astype(np.int64)
    return requantize.wrap32(acc).reshape(n, out_h, out_w, out_channels)


def product_of_scales(s_in, s_weights):
    """What one unit of each channel's accumulator is worth: a product of doubles."""
    return np.float64(np.float32(s_in)) * np.float64(np.float32(s_weights))


def finish(acc, s_acc, s_out, z_out, activation):
    """Requantise channel by channel (the last axis), add the zero point, clamp; int8."""
    m, s = requantize.quantize_multipliers(s_acc / np.float64(np.float32(s_out)))
    low, high = activation_range(activation, s_out, z_out)
    y = requantize.multiply_by_quantized_multiplier(acc, m, s) + z_out
    return np.clip(y, low, high).astype(np.int8)
