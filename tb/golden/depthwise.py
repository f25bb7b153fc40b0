"""DEPTHWISE_CONV_2D on int8.

Source: ``tensorflow/lite/kernels/internal/reference/integer_ops/depthwise_conv.h``
(DepthwiseConvPerChannel).
"""

import numpy as np

from golden import requantize
from golden.arrays import Bytes, Int32, Pair, Scale, Scales, Values
from golden.conv import finish, product_of_scales
from golden.windows import windows


def depthwise_conv2d(
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
    """Convolve each channel on its own; return int8 ``[n, out_h, out_w, out_channels]``.

    The parameters are those of :func:`golden.conv.conv2d`, except that ``weights`` are
    ``[1, kernel_h, kernel_w, in_channels * multiplier]``. Input channel ``c`` yields the output
    channels ``c * multiplier`` to ``c * multiplier + multiplier - 1``.
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
    _, kernel_h, kernel_w, out_channels = weights.shape
    multiplier, remainder = divmod(out_channels, x.shape[3])
    if remainder:
        raise ValueError(
            f"{out_channels} output channels are not a multiple of {x.shape[3]} input channels"
        )
    patches = windows(x, (kernel_h, kernel_w), stride, dilation, padding, z_in)
    offset = np.repeat(patches.astype(np.int64) - z_in, multiplier, axis=-1)
    acc = np.einsum("nyxhwc,hwc->nyxc", offset, weights[0].astype(np.int64))
    if bias is not None:
        acc = acc + bias.astype(np.int64)
    return requantize.wrap32(acc)
