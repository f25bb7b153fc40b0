"""A ``.tflite`` file, operator by operator, in golden arithmetic.

This reader is not the compiler's: it knows only what the golden operators need, so that a mistake
in the one does not hide in the other.
"""

from dataclasses import dataclass

import numpy as np
import tflite
from flatbuffers.number_types import Int32Flags

from golden.evaluators import EVALUATORS

_DTYPES = {
    tflite.TensorType.FLOAT32: np.float32,
    tflite.TensorType.INT32: np.int32,
    tflite.TensorType.UINT8: np.uint8,
    tflite.TensorType.INT64: np.int64,
    tflite.TensorType.BOOL: np.bool_,
    tflite.TensorType.INT16: np.int16,
    tflite.TensorType.INT8: np.int8,
}
_OPERATOR_NAMES = {v: k for k, v in vars(tflite.BuiltinOperator).items() if k.isupper()}


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """Type, shape, quantisation and, for a constant, value of one tensor.

    The type is a numpy one, or None for a type that no golden operator takes.
    """

    dtype: object
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
    if op.name not in EVALUATORS:
        raise NotImplementedError(f"No golden operator for {op.name}")
    operands = [values[i] if i >= 0 else None for i in op.inputs]
    about = [graph.tensors[i] if i >= 0 else None for i in op.inputs]
    return EVALUATORS[op.name](op.options, operands, about, graph.tensors[op.outputs[0]])


def _tensor(model, tensor):
    shape = tuple(tensor.ShapeAsNumpy().tolist()) if tensor.ShapeLength() else ()
    quantization = tensor.Quantization()
    scale = zero_point = np.zeros(0)
    if quantization is not None and quantization.ScaleLength():
        scale = quantization.ScaleAsNumpy()
        zero_point = np.zeros(len(scale), np.int64)
        if quantization.ZeroPointLength():
            zero_point = quantization.ZeroPointAsNumpy()
    buffer = model.Buffers(tensor.Buffer())
    dtype, value = _DTYPES.get(tensor.Type()), None
    if buffer.DataLength() and dtype is not None:
        value = buffer.DataAsNumpy().view(dtype).reshape(shape)
    return Tensor(dtype=dtype, shape=shape, scale=scale, zero_point=zero_point, value=value)


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
