"""From a file's operators to golden functions: which options, scales and constants each takes.

Every evaluator takes the options table (None if the file has none, which stands for zeros), the
values of the inputs (None for one that is left out), the :class:`golden.graph.Tensor` of each
input, and that of the output. An operator whose types do not fit is not golden: ValueError.
"""

import numpy as np
import tflite

from golden import move, unary
from golden.add import add
from golden.conv import conv2d
from golden.depthwise import depthwise_conv2d
from golden.fully_connected import fully_connected
from golden.mean import mean
from golden.mul import mul
from golden.pool import average_pool2d, max_pool2d
from golden.quantize import dequantize, quantize, requantize
from golden.softmax import softmax

_ACTIVATIONS = {v: k for k, v in vars(tflite.ActivationFunctionType).items() if k.isupper()}
_SLICE_OPTIONS = ("BeginMask", "EndMask", "EllipsisMask", "NewAxisMask", "ShrinkAxisMask", "Offset")


def _conv(options, operands, about, out):
    return conv2d(*_pad_bias(operands), **_window_parameters(options, about, out))


def _depthwise(options, operands, about, out):
    return depthwise_conv2d(*_pad_bias(operands), **_window_parameters(options, about, out))


def _fully_connected(options, operands, about, out):
    return fully_connected(
        *_pad_bias(operands),
        **_scales(about, out),
        s_weights=about[1].scale,
        z_weights=int(about[1].zero_point[0]),
        activation=_activation(options),
        keep_num_dims=_option(options, "KeepNumDims"),
    )


def _pool(function):
    def evaluate(options, operands, about, out):
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


def _binary(function, **more):
    def evaluate(options, operands, about, out):
        (s1, z1), (s2, z2), (s_out, z_out) = (
            (t.scale[0], int(t.zero_point[0])) for t in (*about, out)
        )
        return function(
            *operands,
            **dict(s1=s1, z1=z1, s2=s2, z2=z2, s_out=s_out, z_out=z_out, **more),
            activation=_activation(options),
        )

    return evaluate


def _unary(function, **more):
    def evaluate(options, operands, about, out):
        return function(operands[0], **_scales(about, out), **more)

    return evaluate


def _leaky_relu(options, operands, about, out):
    return unary.leaky_relu(operands[0], alpha=_option(options, "Alpha"), **_scales(about, out))


def _softmax(options, operands, about, out):
    return softmax(operands[0], s_in=about[0].scale[0], beta=options.Beta())


def _mean(options, operands, about, out):
    keep_dims = bool(_option(options, "KeepDims"))
    return mean(*operands, **_scales(about, out), keep_dims=keep_dims)


def _quantize(options, operands, about, out):
    if operands[0].dtype == np.float32:
        return quantize(operands[0], scale=out.scale[0], zero_point=int(out.zero_point[0]))
    return requantize(operands[0], **_scales(about, out))


def _dequantize(options, operands, about, out):
    scale, zero_point = about[0].scale[0], int(about[0].zero_point[0])
    return dequantize(operands[0], scale=scale, zero_point=zero_point)


def _reshape(options, operands, about, out):
    return operands[0].reshape(out.shape)


def _pad(options, operands, about, out):
    return move.pad(*operands, int(out.zero_point[0]))


def _padv2(options, operands, about, out):
    x, paddings, value = operands
    return move.pad(x, paddings, value.item())


def _concatenation(options, operands, about, out):
    for tensor in about:
        if (tensor.scale[0], tensor.zero_point[0]) != (out.scale[0], out.zero_point[0]):
            raise ValueError("CONCATENATION of int8 does not change scales or zero points")
    return move.concatenate(operands, _option(options, "Axis"))


def _strided_slice(options, operands, about, out):
    # BeginMask of the schema is begin_mask of the function
    masks = {
        "".join(f"_{c.lower()}" if c.isupper() else c for c in name)[1:]: _option(options, name)
        for name in _SLICE_OPTIONS
    }
    return move.strided_slice(*operands, **masks)


def _slice(options, operands, about, out):
    return move.slice_(*operands)


def _transpose(options, operands, about, out):
    return move.transpose(*operands)


def _resize(options, operands, about, out):
    return move.resize_nearest_neighbor(
        operands[0],
        *operands[1],
        align_corners=bool(_option(options, "AlignCorners")),
        half_pixel_centers=bool(_option(options, "HalfPixelCenters")),
    )


EVALUATORS = {
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


def _option(options, name):
    return 0 if options is None else getattr(options, name)()


def _activation(options):
    return _ACTIVATIONS[_option(options, "FusedActivationFunction")]


def _pad_bias(operands):
    return operands if len(operands) == 3 else [*operands, None]


def _scales(about, out):
    return dict(
        s_in=about[0].scale[0],
        z_in=int(about[0].zero_point[0]),
        s_out=out.scale[0],
        z_out=int(out.zero_point[0]),
    )


def _window_parameters(options, about, out):
    return _scales(about, out) | dict(
        s_weights=about[1].scale,
        stride=(options.StrideH(), options.StrideW()),
        dilation=(options.DilationHFactor(), options.DilationWFactor()),
        padding=_padding(options),
        activation=_activation(options),
    )


def _padding(options):
    return "SAME" if options.Padding() == tflite.Padding.SAME else "VALID"
