"""DEPTHWISE_CONV_2D on int8.

Source: ``tensorflow/lite/kernels/internal/reference/integer_ops/depthwise_conv.h``
(DepthwiseConvPerChannel).
"""

import numpy as np

from golden import requantize
from golden.conv import finish, product_of_scales
from golden.windows import windows


def depthwise_conv2d(
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
    """Convolve each channel by itself; int8 ``[n, out_h, out_w, in_channels * multiplier]``.

    Parameters are those of :func:`golden.conv.conv2d`, but ``weights`` are
    ``[1, kernel_h, kernel_w, in_channels * multiplier]``: input channel ``c`` makes output
    channels ``c * multiplier`` to ``c * multiplier + multiplier - 1``.
    """
    acc = accumulate(x, weights, bias, z_in, stride, dilation, padding)
    return finish(acc, product_of_scales(s_in, s_weights), s_out, z_out, activation)


def accumulate(x, weights, bias, z_in, stride, dilation, padding):
    """The int32 sums before requantisation, as int64 ``[n, out_h, out_w, out_channels]``."""
    _, kernel_h, kernel_w, out_channels = weights.shape
    multiplier, rest = divmod(out_channels, x.shape[3])
    if rest:
        raise ValueError(
            f"{out_channels} output channels are not a multiple of {x.shape[3]} input channels"
        )
    seen = windows(x, (kernel_h, kernel_w), stride, dilation, padding, z_in)
    offset = np.repeat(seen.astype(np.int64) - z_in, multiplier, axis=-1)
    acc = np.einsum("nyxhwc,hwc->nyxc", offset, weights[0].astype(np.int64))
    if bias is not None:
        acc = acc + bias.astype(np.int64)
    return requantize.wrap32(acc)
