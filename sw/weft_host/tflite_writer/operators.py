"""Table of the operators that :mod:`weft_host.tflite_writer` supports."""

import tflite

__all__ = ["ENUMS", "OPERATIONS"]

_STRIDES: dict[str, object] = {"padding": "VALID", "stride_h": 1, "stride_w": 1}

OPERATIONS: dict[str, tuple[int, str | None, dict[str, object]]] = {
    "ABS": (2, "AbsOptions", {}),
    "ADD": (2, "AddOptions", {}),
    "AVERAGE_POOL_2D": (2, "Pool2DOptions", _STRIDES),
    "CONCATENATION": (2, "ConcatenationOptions", {}),
    "CONV_2D": (3, "Conv2DOptions", _STRIDES),
    "DEPTHWISE_CONV_2D": (3, "DepthwiseConv2DOptions", {**_STRIDES, "depth_multiplier": 1}),
    "DEQUANTIZE": (2, "DequantizeOptions", {}),
    "EXP": (2, "ExpOptions", {}),
    "FULLY_CONNECTED": (4, "FullyConnectedOptions", {}),
    "HARD_SWISH": (1, "HardSwishOptions", {}),
    "LEAKY_RELU": (2, "LeakyReluOptions", {"alpha": 0.1}),
    "LOGISTIC": (2, None, {}),
    "MAX_POOL_2D": (2, "Pool2DOptions", _STRIDES),
    "MEAN": (2, "ReducerOptions", {}),
    "MUL": (2, "MulOptions", {}),
    "PAD": (2, "PadOptions", {}),
    "PADV2": (2, "PadV2Options", {}),
    "QUANTIZE": (2, "QuantizeOptions", {}),
    "RELU": (2, None, {}),
    "RELU6": (2, None, {}),
    "RELU_N1_TO_1": (1, None, {}),
    "RESHAPE": (1, "ReshapeOptions", {}),
    "RESIZE_NEAREST_NEIGHBOR": (3, "ResizeNearestNeighborOptions", {}),
    "SLICE": (2, "SliceOptions", {}),
    "SOFTMAX": (2, "SoftmaxOptions", {"beta": 1.0}),
    "STRIDED_SLICE": (2, "StridedSliceOptions", {}),
    "SUB": (2, "SubOptions", {}),
    "TANH": (2, None, {}),
    "TRANSPOSE": (2, "TransposeOptions", {}),
}
"""For each operator: the version with int8, its options table in the schema, and the defaults of
its options."""

ENUMS: dict[str, type] = {
    "padding": tflite.Padding,
    "fused_activation_function": tflite.ActivationFunctionType,
}
"""Options whose values are names of the schema."""
