"""Evaluation of a ``.tflite`` file in golden arithmetic, operator by operator.

The reader is independent of the compiler's, so that an error in one of them does not hide in the
other. It reads only the data that the golden operators use.
"""

import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import tflite
from flatbuffers.number_types import Int32Flags

from golden.arrays import AnyArray
from golden.evaluators import EVALUATORS
from golden.tensor import Tensor

_DTYPES: dict[int, type[np.generic]] = {
    tflite.TensorType.FLOAT32: np.float32,
    tflite.TensorType.INT32: np.int32,
    tflite.TensorType.UINT8: np.uint8,
    tflite.TensorType.INT64: np.int64,
    tflite.TensorType.BOOL: np.bool_,
    tflite.TensorType.INT16: np.int16,
    tflite.TensorType.INT8: np.int8,
}
_OPERATOR_NAMES = {v: k for k, v in vars(tflite.BuiltinOperator).items() if k.isupper()}
# without the attributes that Python adds to a class, some of which are integers
_OPTIONS = {v: k for k, v in vars(tflite.BuiltinOptions).items() if not k.startswith("_")}


@dataclass(frozen=True, kw_only=True)
class Operator:
    """Operator: name, tensor indices, and the options table (None if the file has none)."""

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: typing.Any


@dataclass(frozen=True, kw_only=True)
class Graph:
    """First subgraph of a file."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read(data: bytes) -> Graph:
    """Read the first subgraph of a file."""
    model = tflite.Model.GetRootAs(data)
    sub = model.Subgraphs(0)
    return Graph(
        tensors=tuple(_tensor(model, sub.Tensors(i)) for i in range(sub.TensorsLength())),
        operators=tuple(_operator(model, sub.Operators(i)) for i in range(sub.OperatorsLength())),
        inputs=tuple(sub.InputsAsNumpy().tolist()),
        outputs=tuple(sub.OutputsAsNumpy().tolist()),
    )


def run(graph: Graph, inputs: Sequence[AnyArray]) -> dict[int, AnyArray]:
    """Evaluate a graph for its inputs in order; return every tensor's value by its index."""
    values = {i: t.value for i, t in enumerate(graph.tensors) if t.value is not None}
    values.update(zip(graph.inputs, inputs))
    for op in graph.operators:
        values[op.outputs[0]] = evaluate(graph, op, values)
    return values


def evaluate(graph: Graph, op: Operator, values: Mapping[int, AnyArray]) -> AnyArray:
    """Return the output of an operator, for the values of its inputs by tensor index.

    Raises
    ------
    NotImplementedError
        If there is no golden operator of this name.
    """
    if op.name not in EVALUATORS:
        raise NotImplementedError(f"No golden operator for {op.name}")
    operands = [values[i] if i >= 0 else None for i in op.inputs]
    # only the last input, a bias, may be omitted
    tensors = [graph.tensors[i] for i in op.inputs if i >= 0]
    return EVALUATORS[op.name](op.options, operands, tensors, graph.tensors[op.outputs[0]])


def _tensor(model: tflite.Model, tensor: tflite.Tensor) -> Tensor:
    shape = tuple(tensor.ShapeAsNumpy().tolist()) if tensor.ShapeLength() else ()
    quantization = tensor.Quantization()
    scale, zero_point = np.zeros(0, np.float32), np.zeros(0, np.int64)
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


def _operator(model: tflite.Model, operator: tflite.Operator) -> Operator:
    code = model.OperatorCodes(operator.OpcodeIndex())
    # a file may set only one of the two codes, and the accessor of the wide one hides codes < 127
    field = code._tab.Offset(10)
    wide = code._tab.Get(Int32Flags, code._tab.Pos + field) if field else 0
    name = _OPERATOR_NAMES[max(wide, code.DeprecatedBuiltinCode())]
    options = None
    if operator.BuiltinOptions() is not None:
        options = getattr(tflite, _OPTIONS[operator.BuiltinOptionsType()])()
        options.Init(operator.BuiltinOptions().Bytes, operator.BuiltinOptions().Pos)
    return Operator(
        name=name,
        inputs=tuple(operator.InputsAsNumpy().tolist()),
        outputs=tuple(operator.OutputsAsNumpy().tolist()),
        options=options,
    )
