"""Functions of one element: clamps, LEAKY_RELU, HARD_SWISH, LOGISTIC and TANH, on int8.

LOGISTIC and TANH are tables of 256 entries, computed in float32 with the ``expf`` and ``tanhf`` of
the C library, as in the reference resolver.

Sources: ``tensorflow/lite/kernels/activations.cc`` and ``kernels/internal/common.h`` (LUTPopulate),
``kernels/internal/reference/hard_swish.h``, ``leaky_relu.h``, ``reference_ops.h`` (ReluX).
"""

import ctypes
import ctypes.util
from collections.abc import Callable

import numpy as np

from golden.activation import activation_range
from golden.arrays import Bytes, Scale, Values
from golden.requantize import multiply_by_quantized_multiplier, quantize_multiplier

_C_LIBRARY = ctypes.CDLL(ctypes.util.find_library("m"))
INT16_MIN, INT16_MAX = -(2**15), 2**15 - 1


def relu(
    x: Bytes, *, s_in: Scale, z_in: int, s_out: Scale, z_out: int, activation: str
) -> Bytes:
    """Apply RELU, RELU6 or RELU_N1_TO_1 as an operator, which may change scale and zero point."""
    m, s = quantize_multiplier(float(np.float32(s_in) / np.float32(s_out)))
    low, high = activation_range(activation, s_out, z_out)
    y = multiply_by_quantized_multiplier(x.astype(np.int64) - z_in, m, s) + z_out
    return np.clip(y, low, high).astype(np.int8)


def leaky_relu(
    x: Bytes, *, alpha: float, s_in: Scale, z_in: int, s_out: Scale, z_out: int
) -> Bytes:
    """Return ``x``, or ``alpha * x`` below zero; the ratios are computed in float32."""
    s_in, s_out = np.float32(s_in), np.float32(s_out)
    slope = float(s_in * np.float32(alpha) / s_out)
    m, s = quantize_multiplier(abs(slope))
    offset = x.astype(np.int64) - z_in
    below = multiply_by_quantized_multiplier(offset, m if slope >= 0 else -m, s)
    above = multiply_by_quantized_multiplier(offset, *quantize_multiplier(float(s_in / s_out)))
    return np.clip(np.where(offset >= 0, above, below) + z_out, -128, 127).astype(np.int8)


def hard_swish(x: Bytes, *, s_in: Scale, z_in: int, s_out: Scale, z_out: int) -> Bytes:
    """Compute ``x * relu6(x + 3) / 6`` in int16 arithmetic; the names are the kernel's.

    Raises
    ------
    ValueError
        If the input's scale is at least 128 times the output's, which the kernel rejects, too.
    """
    hires_input_scale = np.float32(1.0 / 128.0) * np.float32(s_in)
    reluish_scale = np.float32(3.0) / np.float32(32768.0)
    m_out, shift_out = _int16_multiplier(hires_input_scale / np.float32(s_out))
    m_reluish, shift_reluish = _int16_multiplier(hires_input_scale / reluish_scale)
    if shift_out > 0:
        raise ValueError(f"Scale {s_in} is at least 128 times the output's, {s_out}")
    hires = (x.astype(np.int64) - z_in) * 128
    preshift = _high_mul16(hires, m_out)
    reluish = hires
    if shift_reluish > 0:
        reluish = _saturate16(reluish << (shift_reluish - 1))
    reluish = _high_mul16(reluish, m_reluish)
    if shift_reluish > 0:
        reluish = _saturate16(reluish << 1)
    if shift_reluish < 0:
        reluish = _divide_by_pot16(reluish, -shift_reluish)
    reluish = (reluish + 2**15) >> 1
    product = reluish * preshift
    y = np.sign(product) * (np.abs(product) >> 15)  # the kernel truncates
    return np.clip(_divide_by_pot16(y, -shift_out) + z_out, -128, 127).astype(np.int8)


def logistic(
    x: Bytes, *, s_in: Scale, z_in: int, s_out: Scale = 1 / 256, z_out: int = -128
) -> Bytes:
    """Compute ``1 / (1 + exp(-x))``; the kernel requires this scale and zero point."""
    return _look_up(x, _logistic, s_in, z_in, s_out, z_out)


def tanh(x: Bytes, *, s_in: Scale, z_in: int, s_out: Scale, z_out: int) -> Bytes:
    """Compute ``tanh(x)``."""
    return _look_up(x, _c_function("tanhf"), s_in, z_in, s_out, z_out)


def _look_up(
    x: Bytes,
    function: Callable[[np.float32], np.float32],
    s_in: Scale,
    z_in: int,
    s_out: Scale,
    z_out: int,
) -> Bytes:
    inverse_scale = np.float32(1) / np.float32(s_out)
    table = []
    for value in range(-128, 128):
        y = function(np.float32(s_in) * np.float32(value - z_in)) * inverse_scale
        rounded = np.copysign(np.floor(abs(float(y)) + 0.5), y)
        table.append(min(max(int(rounded) + z_out, -128), 127))
    return np.array(table, np.int8)[x.astype(np.int64) + 128]


def _logistic(x: np.float32) -> np.float32:
    with np.errstate(over="ignore"):
        return np.float32(1) / (np.float32(1) + _c_function("expf")(-x))


def _c_function(name: str) -> Callable[[np.float32], np.float32]:
    function = _C_LIBRARY[name]
    function.restype, function.argtypes = ctypes.c_float, [ctypes.c_float]
    return lambda x: np.float32(function(float(x)))


def _int16_multiplier(scale: Scale) -> tuple[int, int]:
    m, s = quantize_multiplier(float(scale))
    return min((m + 2**15) >> 16, INT16_MAX), 31 - s


def _high_mul16(a: Values, m: int) -> Values:
    product = a * m
    nudged = product + np.where(product >= 0, 2**14, 1 - 2**14)
    return np.sign(nudged) * (np.abs(nudged) >> 15)


def _divide_by_pot16(x: Values, exponent: int) -> Values:
    # the kernel's mask is an int16: beyond exponent 15 all its bits are set
    mask = (1 << exponent) - 1 if exponent < 16 else -1
    return (x >> exponent) + ((x & mask) > (mask >> 1) + (x < 0))


def _saturate16(x: Values) -> Values:
    return np.clip(x, INT16_MIN, INT16_MAX)
