"""FULLY_CONNECTED on int8, one scale for all weights or one per output.

With one scale for all weights the product of the scales is rounded to float32 before it becomes a
multiplier; with one per output, and in a convolution always, it is a product of doubles. Near a
tie, sums of 2^25 and more show the difference.

Sources: ``tensorflow/lite/kernels/internal/reference/integer_ops/fully_connected.h``;
multipliers from ``kernel_util.cc`` (GetQuantizedConvolutionMultipler for one scale,
PopulateConvolutionQuantizationParams for many).
"""

import numpy as np

from golden import conv, requantize
from golden.conv import finish


def fully_connected(
    x,
    weights,
    bias,
    *,
    s_in,
    z_in,
    s_weights,
    s_out,
    z_out,
    z_weights=0,
    activation="NONE",
    keep_num_dims=False,
):
    """Multiply by a matrix; int8 ``[n, outputs]``.

    Parameters
    ----------
    x : int8, of any shape whose elements are a multiple of ``inputs``; rows of ``inputs``
        elements are taken from its bytes in order.
    weights : int8 ``[outputs, inputs]``.
    bias : int32 ``[outputs]``, or None.
    s_weights : one scale, or one per output.
    z_weights : the weights' zero point; 0 in all but old files.
    keep_num_dims : the result has the axes of ``x``, the last one replaced.
    """
    outputs, inputs = weights.shape
    if x.size % inputs:
        raise ValueError(f"{x.size} elements are not a multiple of the weights' {inputs} inputs")
    acc = accumulate(x.reshape(-1, inputs), weights, bias, z_in, z_weights)
    y = finish(acc, product_of_scales(s_in, s_weights), s_out, z_out, activation)
    return y.reshape(*x.shape[:-1], outputs) if keep_num_dims else y


def accumulate(x, weights, bias, z_in, z_weights=0):
    """The int32 sums before requantisation, as int64 ``[n, outputs]``."""
    # doubles hold these sums exactly, as in the convolution
    acc = (x.astype(np.float64) - z_in) @ (weights.astype(np.float64) - z_weights).T
    acc = acc.astype(np.int64)
    if bias is not None:
        acc = acc + bias.astype(np.int64)
    return requantize.wrap32(acc)


def product_of_scales(s_in, s_weights):
    """What one unit of the accumulator is worth, as doubles; see the module's text."""
    if np.size(s_weights) == 1:
        return np.float64(np.float32(s_in) * np.float32(s_weights))
    return conv.product_of_scales(s_in, s_weights)
