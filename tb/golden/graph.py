"""A ``.tflite`` file, operator by operator, in golden arithmetic.

This reader is not the compiler's: it knows only what the golden operators need, so that a mistake
in the one does not hide in the other.
"""

from dataclasses import dataclass

import numpy as np
import tflite
from flatbuffers.number_types import Int32Flags

from golden.add import add
from golden.conv import conv2d
from golden.depthwise import depthwise_conv2d
from golden.fully_connected import fully_connected
from golden.pool import average_pool2d, max_pool2d
from golden.softmax import softmax

_DTYPES = {
    tflite.TensorType.FLOAT32: np.float32,
    tflite.TensorType.INT32: np.int32,
    tflite.TensorType.INT8: np.int8,
}
_OPERATOR_NAMES = {v: k for k, v in vars(tflite.BuiltinOperator).items() if k.isupper()}
_ACTIVATIONS = {v: k for k, v in vars(tflite.ActivationFunctionType).items() if k.isupper()}


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """Shape, quantisation and, for a constant, value of one tensor."""

    shape: tuple
    scale: np.ndarray
    zero_point: np.ndarray
    value: np.ndarray | None


@dataclass(frozen=True, kw_only=True)
class Operator:
    """Name, tensor indices, and the options table (None if the file has none)."""

    name: str
    inputs: tuple
    outputs: tuple
    options: object


@dataclass(frozen=True, kw_only=True)
class Graph:
    """The first subgraph of a file."""

    tensors: tuple
    operators: tuple
    inputs: tuple
    outputs: tuple


def read(data):
    """The file's first subgraph as a :class:`Graph`."""
    model = tflite.Model.GetRootAs(data)
    sub = model.Subgraphs(0)
    return Graph(
        tensors=tuple(_tensor(model, sub.Tensors(i)) for i in range(sub.TensorsLength())),
        operators=tuple(_operator(model, sub.Operators(i)) for i in range(sub.OperatorsLength())),
        inputs=tuple(sub.InputsAsNumpy().tolist()),
        outputs=tuple(sub.OutputsAsNumpy().tolist()),
    )


def run(graph, inputs):
    """Every tensor's value by its index, from the graph's inputs in order."""
    values = {i: t.value for i, t in enumerate(graph.tensors) if t.value is not None}
    values.update(zip(graph.inputs, inputs))
    for op in graph.operators:
        values[op.outputs[0]] = evaluate(graph, op, values)
    return values


def evaluate(graph, op, values):
    """The operator's output, given the values of its inputs by tensor index.

    Raises
    ------
    NotImplementedError
        If there is no golden operator of this name.
    """
    if op.name not in _EVALUATORS:
        raise NotImplementedError(f"No golden operator for {op.name}")
    operands = [values[i] if i >= 0 else None for i in op.inputs]
    about = [graph.tensors[i] if i >= 0 else None for i in op.inputs]
    return _EVALUATORS[op.name](op.options, operands, about, graph.tensors[op.outputs[0]])


def _conv(options, operands, about, out):
    return conv2d(*_pad_bias(operands), **_window_parameters(options, about, out))


def _depthwise(options, operands, about, out):
    return depthwise_conv2d(*_pad_bias(operands), **_window_parameters(options, about, out))


def _fully_connected(options, operands, about, out):
    return fully_connected(
        *_pad_bias(operands),
        **_scales(about, out),
        z_weights=int(about[1].zero_point[0]),
        activation=_ACTIVATIONS[options.FusedActivationFunction()],
        keep_num_dims=options.KeepNumDims(),
    )


def _pool(function):
    def evaluate_pool(options, operands, about, out):
        return function(
            operands[0],
            kernel=(options.FilterHeight(), options.FilterWidth()),
            stride=(options.StrideH(), options.StrideW()),
            padding=_padding(options),
            scale=out.scale[0],
            zero_point=int(out.zero_point[0]),
            activation=_ACTIVATIONS[options.FusedActivationFunction()],
        )

    return evaluate_pool


def _reshape(options, operands, about, out):
    return operands[0].reshape(out.shape)


def _softmax(options, operands, about, out):
    return softmax(operands[0], s_in=about[0].scale[0], beta=options.Beta())


def _add(subtract):
    def evaluate_add(options, operands, about, out):
        (s1, z1), (s2, z2), (s_out, z_out) = (
            (t.scale[0], int(t.zero_point[0])) for t in (*about, out)
        )
        return add(
            *operands,
            **dict(s1=s1, z1=z1, s2=s2, z2=z2, s_out=s_out, z_out=z_out, subtract=subtract),
            activation=_ACTIVATIONS[options.FusedActivationFunction()],
        )

    return evaluate_add


_EVALUATORS = {
    "ADD": _add(False),
    "AVERAGE_POOL_2D": _pool(average_pool2d),
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _fully_connected,
    "MAX_POOL_2D": _pool(max_pool2d),
    "RESHAPE": _reshape,
    "SOFTMAX": _softmax,
    "SUB": _add(True),
}


def _pad_bias(operands):
    return operands if len(operands) == 3 else [*operands, None]


def _scales(about, out):
    return dict(
        s_in=about[0].scale[0],
        z_in=int(about[0].zero_point[0]),
        s_weights=about[1].scale,
        s_out=out.scale[0],
        z_out=int(out.zero_point[0]),
    )


def _window_parameters(options, about, out):
    return _scales(about, out) | dict(
        stride=(options.StrideH(), options.StrideW()),
        dilation=(options.DilationHFactor(), options.DilationWFactor()),
        padding=_padding(options),
        activation=_ACTIVATIONS[options.FusedActivationFunction()],
    )


def _padding(options):
    return "SAME" if options.Padding() == tflite.Padding.SAME else "VALID"


def _tensor(model, tensor):
    shape = tuple(tensor.ShapeAsNumpy().tolist()) if tensor.ShapeLength() else ()
    quantization = tensor.Quantization()
    scale = zero_point = np.zeros(0)
    if quantization is not None and quantization.ScaleLength():
        scale = quantization.ScaleAsNumpy()
        zero_point = quantization.ZeroPointAsNumpy()
    buffer = model.Buffers(tensor.Buffer())
    value = None
    if buffer.DataLength():
        value = buffer.DataAsNumpy().view(_DTYPES[tensor.Type()]).reshape(shape)
    return Tensor(shape=shape, scale=scale, zero_point=zero_point, value=value)


def _operator(model, operator):
    code = model.OperatorCodes(operator.OpcodeIndex())
    # one of the two may be unset, and the wide one's accessor hides it when it is below 127
    field = code._tab.Offset(10)
    wide = code._tab.Get(Int32Flags, code._tab.Pos + field) if field else 0
    name = _OPERATOR_NAMES[max(wide, code.DeprecatedBuiltinCode())]
    options = None
    if operator.BuiltinOptions() is not None:
        names = vars(tflite.BuiltinOptions).items()
        table = next(k for k, v in names if v == operator.BuiltinOptionsType())
        options = getattr(tflite, table)()
        options.Init(operator.BuiltinOptions().Bytes, operator.BuiltinOptions().Pos)
    return Operator(
        name=name,
        inputs=tuple(operator.InputsAsNumpy().tolist()),
        outputs=tuple(operator.OutputsAsNumpy().tolist()),
        options=options,
    )
