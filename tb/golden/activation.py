"""Fused activations: a clamp in the output's quantised units.

Source: ``tensorflow/lite/kernels/kernel_util.cc`` (CalculateActivationRangeQuantized). The
quotient is computed in float32, and halves round away from zero.
"""

import math

import numpy as np

from golden.arrays import Scale

_BOUNDS = {
    "NONE": (None, None),
    "RELU": (0.0, None),
    "RELU6": (0.0, 6.0),
    "RELU_N1_TO_1": (-1.0, 1.0),
}


def activation_range(activation: str, scale: Scale, zero_point: int) -> tuple[int, int]:
    """Return the smallest and the largest int8 value that the clamp outputs.

    Raises
    ------
    ValueError
        If the activation is not a clamp.
    """
    if activation not in _BOUNDS:
        raise ValueError(f"Activation '{activation}' is not one of {', '.join(_BOUNDS)}")
    low, high = _BOUNDS[activation]
    return (
        -128 if low is None else max(-128, _quantize(low, scale, zero_point)),
        127 if high is None else min(127, _quantize(high, scale, zero_point)),
    )


def _quantize(value: float, scale: Scale, zero_point: int) -> int:
    quotient = float(np.float32(value) / np.float32(scale))
    return zero_point + int(math.copysign(math.floor(abs(quotient) + 0.5), quotient))
