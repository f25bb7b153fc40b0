"""Evaluation of a file's operators: the options, scales and constants of each golden function.

An evaluator receives the options table (None if the file has none, which stands for zeros), the
values of the inputs (None for an omitted one), the :class:`golden.tensor.Tensor` of each input, and
that of the output. It raises ValueError for types that the operator does not accept.
"""

import typing
from collections.abc import Callable, Sequence

import numpy as np
import tflite

from golden import data_movement, unary
from golden.add import add
from golden.arrays import AnyArray
from golden.conv import conv2d
from golden.depthwise import depthwise_conv2d
from golden.fully_connected import fully_connected
from golden.mean import mean
from golden.mul import mul
from golden.pool import average_pool2d, max_pool2d
from golden.quantize import dequantize, quantize, requantize
from golden.softmax import softmax
from golden.tensor import Tensor

Options: typing.TypeAlias = typing.Any
Operands: typing.TypeAlias = Sequence[typing.Any]
Tensors: typing.TypeAlias = Sequence[Tensor]
Evaluator: typing.TypeAlias = Callable[[Options, Operands, Tensors, Tensor], AnyArray]

_ACTIVATIONS = {v: k for k, v in vars(tflite.ActivationFunctionType).items() if k.isupper()}
_SLICE_OPTIONS = ("BeginMask", "EndMask", "EllipsisMask", "NewAxisMask", "ShrinkAxisMask", "Offset")


def _conv(options: Options, operands: Operands, tensors: Tensors, out: Tensor) -> AnyArray:
    return conv2d(*_pad_bias(operands), **_window_parameters(options, tensors, out))


def _depthwise(options: Options, operands: Operands, tensors: Tensors, out: Tensor) -> AnyArray:
    return depthwise_conv2d(*_pad_bias(operands), **_window_parameters(options, tensors, out))


def _fully_connected(
    options: Options, operands: Operands, tensors: Tensors, out: Tensor
) -> AnyArray:
    return fully_connected(
        *_pad_bias(operands),
        **_scales(tensors, out),
        s_weights=tensors[1].scale,
        z_weights=int(tensors[1].zero_point[0]),
        activation=_activation(options),
        keep_num_dims=_option(options, "KeepNumDims"),
    )


def _pool(function: Callable[..., AnyArray]) -> Evaluator:
    def evaluate(options: Options, operands: Operands, tensors: Tensors, out: Tensor) -> AnyArray:
        return function(
            operands[0],
            kernel=(options.FilterHeight(), options.FilterWidth()),
            stride=(options.StrideH(), options.StrideW()),
            padding=_padding(options),
            scale=out.scale[0],
            zero_point=int(out.zero_point[0]),
            activation=_activation(options),
        )

    return evaluate


def _binary(function: Callable[..., AnyArray], **more: bool) -> Evaluator:
    def evaluate(options: Options, operands: Operands, tensors: Tensors, out: Tensor) -> AnyArray:
        (s1, z1), (s2, z2), (s_out, z_out) = (
            (t.scale[0], int(t.zero_point[0])) for t in (*tensors, out)
        )
        return function(
            *operands,
            **dict(s1=s1, z1=z1, s2=s2, z2=z2, s_out=s_out, z_out=z_out, **more),
            activation=_activation(options),
        )

    return evaluate


def _unary(function: Callable[..., AnyArray], **more: str) -> Evaluator:
    def evaluate(options: Options, operands: Operands, tensors: Tensors, out: Tensor) -> AnyArray:
        return function(operands[0], **_scales(tensors, out), **more)

    return evaluate


def _leaky_relu(options: Options, operands: Operands, tensors: Tensors, out: Tensor) -> AnyArray:
    return unary.leaky_relu(operands[0], alpha=_option(options, "Alpha"), **_scales(tensors, out))


def _softmax(options: Options, operands: Operands, tensors: Tensors, out: Tensor) -> AnyArray:
    return softmax(operands[0], s_in=tensors[0].scale[0], beta=options.Beta())


def _mean(options: Options, operands: Operands, tensors: Tensors, out: Tensor) -> AnyArray:
    keep_dims = bool(_option(options, "KeepDims"))
    return mean(*operands, **_scales(tensors, out), keep_dims=keep_dims)


def _quantize(options: Options, operands: Operands, tensors: Tensors, out: Tensor) -> AnyArray:
    if operands[0].dtype == np.float32:
        return quantize(operands[0], scale=out.scale[0], zero_point=int(out.zero_point[0]))
    return requantize(operands[0], **_scales(tensors, out))


def _dequantize(options: Options, operands: Operands, tensors: Tensors, out: Tensor) -> AnyArray:
    scale, zero_point = tensors[0].scale[0], int(tensors[0].zero_point[0])
    return dequantize(operands[0], scale=scale, zero_point=zero_point)


def _reshape(options: Options, operands: Operands, tensors: Tensors, out: Tensor) -> AnyArray:
    return operands[0].reshape(out.shape)


def _pad(options: Options, operands: Operands, tensors: Tensors, out: Tensor) -> AnyArray:
    x, paddings = operands
    return data_movement.pad(x, paddings, int(out.zero_point[0]))


def _padv2(options: Options, operands: Operands, tensors: Tensors, out: Tensor) -> AnyArray:
    x, paddings, value = operands
    return data_movement.pad(x, paddings, value.item())


def _concatenation(options: Options, operands: Operands, tensors: Tensors, out: Tensor) -> AnyArray:
    for tensor in tensors:
        if (tensor.scale[0], tensor.zero_point[0]) != (out.scale[0], out.zero_point[0]):
            raise ValueError("CONCATENATION of int8 does not change scales or zero points")
    return data_movement.concatenate(operands, _option(options, "Axis"))


def _strided_slice(options: Options, operands: Operands, tensors: Tensors, out: Tensor) -> AnyArray:
    # BeginMask in the schema is begin_mask in the function
    masks = {
        "".join(f"_{c.lower()}" if c.isupper() else c for c in name)[1:]: _option(options, name)
        for name in _SLICE_OPTIONS
    }
    return data_movement.strided_slice(*operands, **masks)


def _slice(options: Options, operands: Operands, tensors: Tensors, out: Tensor) -> AnyArray:
    return data_movement.slice_(*operands)


def _transpose(options: Options, operands: Operands, tensors: Tensors, out: Tensor) -> AnyArray:
    return data_movement.transpose(*operands)


def _resize(options: Options, operands: Operands, tensors: Tensors, out: Tensor) -> AnyArray:
    return data_movement.resize_nearest_neighbor(
        operands[0],
        *operands[1],
        align_corners=bool(_option(options, "AlignCorners")),
        half_pixel_centers=bool(_option(options, "HalfPixelCenters")),
    )


EVALUATORS: dict[str, Evaluator] = {
    "ADD": _binary(add),
    "AVERAGE_POOL_2D": _pool(average_pool2d),
    "CONCATENATION": _concatenation,
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "DEQUANTIZE": _dequantize,
    "FULLY_CONNECTED": _fully_connected,
    "HARD_SWISH": _unary(unary.hard_swish),
    "LEAKY_RELU": _leaky_relu,
    "LOGISTIC": _unary(unary.logistic),
    "MAX_POOL_2D": _pool(max_pool2d),
    "MEAN": _mean,
    "MUL": _binary(mul),
    "PAD": _pad,
    "PADV2": _padv2,
    "QUANTIZE": _quantize,
    "RELU": _unary(unary.relu, activation="RELU"),
    "RELU6": _unary(unary.relu, activation="RELU6"),
    "RELU_N1_TO_1": _unary(unary.relu, activation="RELU_N1_TO_1"),
    "RESHAPE": _reshape,
    "RESIZE_NEAREST_NEIGHBOR": _resize,
    "SLICE": _slice,
    "SOFTMAX": _softmax,
    "STRIDED_SLICE": _strided_slice,
    "SUB": _binary(add, subtract=True),
    "TANH": _unary(unary.tanh),
    "TRANSPOSE": _transpose,
}


def _option(options: Options, name: str) -> typing.Any:
    return 0 if options is None else getattr(options, name)()


def _activation(options: Options) -> str:
    return _ACTIVATIONS[_option(options, "FusedActivationFunction")]


def _pad_bias(operands: Operands) -> Operands:
    return operands if len(operands) == 3 else [*operands, None]


def _scales(tensors: Tensors, out: Tensor) -> dict[str, typing.Any]:
    return dict(
        s_in=tensors[0].scale[0],
        z_in=int(tensors[0].zero_point[0]),
        s_out=out.scale[0],
        z_out=int(out.zero_point[0]),
    )


def _window_parameters(
    options: Options, tensors: Tensors, out: Tensor
) -> dict[str, typing.Any]:
    return _scales(tensors, out) | dict(
        s_weights=tensors[1].scale,
        stride=(options.StrideH(), options.StrideW()),
        dilation=(options.DilationHFactor(), options.DilationWFactor()),
        padding=_padding(options),
        activation=_activation(options),
    )


def _padding(options: Options) -> str:
    return "SAME" if options.Padding() == tflite.Padding.SAME else "VALID"
