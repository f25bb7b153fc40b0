"""FULLY_CONNECTED on int8, with one scale for all weights or one per output.

With one scale for all weights, the product of the scales is rounded to float32 before it becomes a
multiplier. With one scale per output, and always in a convolution, it is a product of doubles. The
results differ near ties, for sums of 2^25 and more.

Sources: ``tensorflow/lite/kernels/internal/reference/integer_ops/fully_connected.h``;
multipliers from ``kernel_util.cc`` (GetQuantizedConvolutionMultipler for one scale,
PopulateConvolutionQuantizationParams for several).
"""

import numpy as np
import numpy.typing as npt

from golden import conv, requantize
from golden.arrays import Bytes, Int32, Scale, Scales, Values
from golden.conv import finish


def fully_connected(
    x: Bytes,
    weights: Bytes,
    bias: Int32 | None,
    *,
    s_in: Scale,
    z_in: int,
    s_weights: Scales,
    s_out: Scale,
    z_out: int,
    z_weights: int = 0,
    activation: str = "NONE",
    keep_num_dims: bool = False,
) -> Bytes:
    """Multiply by a matrix; return int8 ``[n, outputs]``.

    Parameters
    ----------
    x : int8 of any shape with a multiple of ``inputs`` elements. They are regrouped, in memory
        order, into rows of ``inputs`` elements.
    weights : int8 ``[outputs, inputs]``.
    bias : int32 ``[outputs]``, or None.
    s_in, z_in, s_out, z_out : scales and zero points of input and output.
    s_weights : one scale, or one per output.
    z_weights : zero point of the weights; 0 in all but old files.
    activation : name of the fused activation.
    keep_num_dims : the result has the axes of ``x``, with the last one replaced.
    """
    outputs, inputs = weights.shape
    if x.size % inputs:
        raise ValueError(f"{x.size} elements are not a multiple of the weights' {inputs} inputs")
    acc = accumulate(x.reshape(-1, inputs), weights, bias, z_in, z_weights)
    y = finish(acc, product_of_scales(s_in, s_weights), s_out, z_out, activation)
    return y.reshape(*x.shape[:-1], outputs) if keep_num_dims else y


def accumulate(
    x: Bytes, weights: Bytes, bias: Int32 | None, z_in: int, z_weights: int = 0
) -> Values:
    """Return the int32 sums before requantisation, ``[n, outputs]``."""
    # doubles hold these sums exactly, as in the convolution
    acc = (x.astype(np.float64) - z_in) @ (weights.astype(np.float64) - z_weights).T
    acc = acc.astype(np.int64)
    if bias is not None:
        acc = acc + bias.astype(np.int64)
    return requantize.wrap32(acc)


def product_of_scales(s_in: Scale, s_weights: Scales) -> npt.NDArray[np.float64]:
    """Return the real value of one accumulator unit in each channel; see the module's docstring."""
    if np.size(s_weights) == 1:
        return np.asarray(np.float32(s_in) * np.asarray(s_weights, np.float32), np.float64)
    return conv.product_of_scales(s_in, s_weights)
