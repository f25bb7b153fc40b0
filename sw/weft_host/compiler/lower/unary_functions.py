"""Operators that are a function of one byte: 256 results each, as the reference kernels give them.

Every function takes scale and zero point of input and output, scales as the float32 of the file,
and the operator's options; it gives int8 (256,), entry ``i`` for byte ``i - 128``. The kernels
are those of TensorFlow Lite's ``activations.cc`` and ``quantize.cc`` with the resolver of
reference kernels; where one divides scales as float32, so does its function here.
"""

import numpy as np

from weft.spec.isa import Mode

from ...numerics import fixed_point
from ...numerics.requantize import requantize, to_int8, wrap32
from . import libm
from .quantize import activation_range, quantize_multiplier

__all__ = ["BYTES", "FUNCTIONS", "kernel_multiply"]

BYTES = np.arange(-128, 128, dtype=np.int64)
"""What a byte can be, in the order of every table."""


def kernel_multiply(values, multiplier, shift):
    """MultiplyByQuantizedMultiplier: a ratio above 1 shifts left first, and that wraps."""
    shifted = wrap32(np.asarray(values, np.int64) << max(31 - shift, 0))
    return requantize(shifted, multiplier, max(shift, 31), Mode.TFL2)


def _looked_up(function):
    """A function of a real number: the kernels make a table, too, in float32."""
    def table(scale_in, zero_in, scale_out, zero_out, options):
        real = function(scale_in * (BYTES - zero_in).astype(np.float32))
        ratio = (real * (np.float32(1) / scale_out)).astype(np.float64)
        # halves, which go away from zero, are exact in double precision
        rounded = np.sign(ratio) * np.floor(np.abs(ratio) + 0.5)
        return to_int8(rounded, zero_out, -128, 127)
    return table


def _logistic(x):
    # rounded from double, as the C library's is: numpy's own in float32 may be off by some units
    with np.errstate(over="ignore"):
        grown = np.exp(-x.astype(np.float64)).astype(np.float32)
    return np.float32(1) / (np.float32(1) + grown)


def _hard_swish(scale_in, zero_in, scale_out, zero_out, options):
    """x * relu6(x + 3) / 6 in 16-bit steps."""
    hires_scale = np.float32(1 / 128) * scale_in
    out_multiplier, out_shift = _multiplier16(hires_scale / scale_out)
    reluish_multiplier, reluish_shift = _multiplier16(hires_scale / np.float32(3 / 32768))
    if out_shift > 0:
        raise ValueError(f"HARD_SWISH: the input's scale {scale_in} is 128 times the output's, "
                         f"{scale_out}, or more; the reference kernel refuses that")
    hires = (BYTES - zero_in) << 7
    preshift = _high_product16(hires, out_multiplier)
    reluish = _saturate16(hires << reluish_shift - 1) if reluish_shift > 0 else hires
    reluish = _high_product16(reluish, reluish_multiplier)
    if reluish_shift > 0:
        reluish = _saturate16(reluish << 1)
    elif reluish_shift < 0:
        reluish = _divide(reluish, -reluish_shift)
    product = ((reluish + (1 << 15)) >> 1) * preshift
    # this product alone is not rounded: it is divided as C divides, towards zero
    value = np.sign(product) * (np.abs(product) >> 15)
    return to_int8(_divide(value, -out_shift), zero_out, -128, 127)


def _multiplier16(ratio):
    """A 16-bit multiplier and the power of two that goes with it, positive for a left shift."""
    multiplier, shift = quantize_multiplier(ratio)
    return min((multiplier + (1 << 15)) >> 16, (1 << 15) - 1), 31 - shift


def _high_product16(values, multiplier):
    return (values * multiplier + (1 << 14)) >> 15


def _saturate16(values):
    return np.clip(values, -(1 << 15), (1 << 15) - 1)


def _divide(values, power):
    if power > 15:
        # the kernel's int16 cannot hold the remainder: what is left is the sign, 1 for 0
        return np.where(values < 0, -1, 1)
    return np.array([fixed_point.divide(int(value), power) for value in values])


def _leaky_relu(scale_in, zero_in, scale_out, zero_out, options):
    offset = BYTES - zero_in
    slope = scale_in * np.float32(options["alpha"]) / scale_out
    multiplier, shift = quantize_multiplier(abs(slope))
    below = kernel_multiply(offset, -multiplier if slope < 0 else multiplier, shift)
    above = kernel_multiply(offset, *quantize_multiplier(scale_in / scale_out))
    return to_int8(np.where(offset < 0, below, above), zero_out, -128, 127)


def _relu(activation):
    """A clamp alone, which also requantises."""
    def table(scale_in, zero_in, scale_out, zero_out, options):
        value = kernel_multiply(BYTES - zero_in, *quantize_multiplier(scale_in / scale_out))
        return to_int8(value, zero_out, *activation_range(activation, scale_out, zero_out))
    return table


def _quantize(scale_in, zero_in, scale_out, zero_out, options):
    # this kernel divides doubles
    factors = quantize_multiplier(float(scale_in) / float(scale_out))
    return to_int8(kernel_multiply(BYTES - zero_in, *factors), zero_out, -128, 127)


FUNCTIONS = {
    "HARD_SWISH": _hard_swish,
    "LEAKY_RELU": _leaky_relu,
    "LOGISTIC": _looked_up(_logistic),
    "QUANTIZE": _quantize,
    "RELU": _relu("RELU"),
    "RELU6": _relu("RELU6"),
    "RELU_N1_TO_1": _relu("RELU_N1_TO_1"),
    "TANH": _looked_up(libm.tanh),
}
