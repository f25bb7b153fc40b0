"""Operators that are a function of one byte, as tables of their 256 results.

The results equal those of TensorFlow Lite's kernels in ``activations.cc`` and ``quantize.cc`` with
the reference resolver. Where a kernel divides scales in float32, the function here does, too.

Every function takes the scale and zero point of the input and of the output, with scales as
float32, and the operator's options. It returns an int8 array (256,), whose entry ``i`` belongs to
the byte ``i - 128``.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from weft.spec.isa import Mode

from ...numerics import fixed_point
from ...numerics.requantize import requantize, to_int8, wrap32
from . import libm
from .quantize import activation_range, quantize_multiplier

__all__ = ["BYTES", "FUNCTIONS", "kernel_multiply"]

BYTES: npt.NDArray[np.int64] = np.arange(-128, 128, dtype=np.int64)
"""All values of a byte, in the order of the entries of a table."""

_Integers = npt.NDArray[np.int64]
_Function = Callable[[np.float32, int, np.float32, int, Mapping[str, Any]], npt.NDArray[np.int8]]


def kernel_multiply(values: npt.ArrayLike, multiplier: int, shift: int) -> _Integers:
    """Return ``values * multiplier / 2^shift`` as ``MultiplyByQuantizedMultiplier`` computes it.

    For a shift below 31, the kernel shifts the values left first, modulo 2^32.
    """
    shifted = wrap32(np.asarray(values, np.int64) << max(31 - shift, 0))
    return requantize(shifted, multiplier, max(shift, 31), Mode.TFL2)


def _float32_table(
        function: Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]) -> _Function:
    """Return the table function of an operator that the reference kernel evaluates in float32."""
    def table(scale_in: np.float32, zero_in: int, scale_out: np.float32, zero_out: int,
              options: Mapping[str, Any]) -> npt.NDArray[np.int8]:
        real = function(scale_in * (BYTES - zero_in).astype(np.float32))
        ratio = (real * (np.float32(1) / scale_out)).astype(np.float64)
        # ties, which are rounded away from zero, are exact in double precision
        rounded = np.sign(ratio) * np.floor(np.abs(ratio) + 0.5)
        return to_int8(rounded, zero_out, -128, 127)
    return table


def _logistic(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    # rounded from double precision as in the C library; numpy's float32 exp may be off by some ulp
    with np.errstate(over="ignore"):
        exponential = np.exp(-x.astype(np.float64)).astype(np.float32)
    return np.float32(1) / (np.float32(1) + exponential)


def _hard_swish(scale_in: np.float32, zero_in: int, scale_out: np.float32, zero_out: int,
                options: Mapping[str, Any]) -> npt.NDArray[np.int8]:
    """Return x * relu6(x + 3) / 6, computed with 16-bit intermediate values."""
    hires_scale = np.float32(1 / 128) * scale_in
    out_multiplier, out_shift = _multiplier16(hires_scale / scale_out)
    reluish_multiplier, reluish_shift = _multiplier16(hires_scale / np.float32(3 / 32768))
    if out_shift > 0:
        raise ValueError(f"HARD_SWISH: the input's scale {scale_in} is 128 times the output's, "
                         f"{scale_out}, or more; the reference kernel does not support this")
    hires = (BYTES - zero_in) << 7
    preshift = _high_product16(hires, out_multiplier)
    reluish = _saturate16(hires << reluish_shift - 1) if reluish_shift > 0 else hires
    reluish = _high_product16(reluish, reluish_multiplier)
    if reluish_shift > 0:
        reluish = _saturate16(reluish << 1)
    elif reluish_shift < 0:
        reluish = _divide_by_power(reluish, -reluish_shift)
    product = ((reluish + (1 << 15)) >> 1) * preshift
    # the kernel rounds this product only towards zero
    value = np.sign(product) * (np.abs(product) >> 15)
    return to_int8(_divide_by_power(value, -out_shift), zero_out, -128, 127)


def _multiplier16(ratio: np.float32) -> tuple[int, int]:
    """Return ``ratio`` as a 16-bit multiplier and a shift, which is positive for a left shift."""
    multiplier, shift = quantize_multiplier(ratio)
    return min((multiplier + (1 << 15)) >> 16, (1 << 15) - 1), 31 - shift


def _high_product16(values: _Integers, multiplier: int) -> _Integers:
    return (values * multiplier + (1 << 14)) >> 15


def _saturate16(values: _Integers) -> _Integers:
    return np.clip(values, -(1 << 15), (1 << 15) - 1)


def _divide_by_power(values: _Integers, power: int) -> _Integers:
    """Return ``values / 2^power``, rounded as ``RoundingDivideByPOT`` does for int16."""
    if power > 15:
        # the int16 remainder overflows in the kernel; the result is -1 below zero, otherwise 1
        return np.where(values < 0, -1, 1)
    return np.array([fixed_point.divide(int(value), power) for value in values])


def _leaky_relu(scale_in: np.float32, zero_in: int, scale_out: np.float32, zero_out: int,
                options: Mapping[str, Any]) -> npt.NDArray[np.int8]:
    offset = BYTES - zero_in
    slope = scale_in * np.float32(options["alpha"]) / scale_out
    multiplier, shift = quantize_multiplier(abs(slope))
    below = kernel_multiply(offset, -multiplier if slope < 0 else multiplier, shift)
    above = kernel_multiply(offset, *quantize_multiplier(scale_in / scale_out))
    return to_int8(np.where(offset < 0, below, above), zero_out, -128, 127)


def _relu(activation: str) -> _Function:
    """Return the table function of an operator that requantises and clamps to ``activation``."""
    def table(scale_in: np.float32, zero_in: int, scale_out: np.float32, zero_out: int,
              options: Mapping[str, Any]) -> npt.NDArray[np.int8]:
        value = kernel_multiply(BYTES - zero_in, *quantize_multiplier(scale_in / scale_out))
        return to_int8(value, zero_out, *activation_range(activation, float(scale_out), zero_out))
    return table


def _quantize(scale_in: np.float32, zero_in: int, scale_out: np.float32, zero_out: int,
              options: Mapping[str, Any]) -> npt.NDArray[np.int8]:
    # this kernel divides scales in double precision
    factors = quantize_multiplier(float(scale_in) / float(scale_out))
    return to_int8(kernel_multiply(BYTES - zero_in, *factors), zero_out, -128, 127)


FUNCTIONS: dict[str, _Function] = {
    "HARD_SWISH": _hard_swish,
    "LEAKY_RELU": _leaky_relu,
    "LOGISTIC": _float32_table(_logistic),
    "QUANTIZE": _quantize,
    "RELU": _relu("RELU"),
    "RELU6": _relu("RELU6"),
    "RELU_N1_TO_1": _relu("RELU_N1_TO_1"),
    "TANH": _float32_table(libm.tanh),
}
"""Table function of each operator, by the operator's name in the schema."""
