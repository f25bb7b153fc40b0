"""Serialisation of a model as a flatbuffer in the format of TensorFlow Lite."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
import tflite

from .operators import ENUMS, OPERATIONS

__all__ = ["CODES", "OperatorEntry", "TYPES", "TensorEntry", "camel", "serialize"]

TYPES: dict[str, int] = {
    "float32": tflite.TensorType.FLOAT32,
    "int32": tflite.TensorType.INT32,
    "uint8": tflite.TensorType.UINT8,
    "int64": tflite.TensorType.INT64,
    "bool": tflite.TensorType.BOOL,
    "int16": tflite.TensorType.INT16,
    "int8": tflite.TensorType.INT8,
}
"""Code of each supported tensor type in the schema."""

CODES = ("both", "wide", "narrow")
"""Choices of the fields that contain an operator's code: the present field, which is wide, the
deprecated field, which is narrow, or both."""


@dataclass(kw_only=True)
class TensorEntry:
    """A tensor of the file; ``data`` is ``None`` unless it is a constant."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: list[float] = field(default_factory=list)
    zero_point: list[int] = field(default_factory=list)
    axis: int = 0
    data: bytes | None = None


@dataclass(kw_only=True)
class OperatorEntry:
    """An operator of the file; inputs and outputs are indices of tensors."""

    name: str
    inputs: list[int]
    outputs: list[int]
    options: dict[str, object]


def camel(name: str) -> str:
    """Return a name in snake case as the schema spells it: ``stride_h`` becomes ``StrideH``."""
    return "".join(word.capitalize() for word in name.split("_"))


def serialize(tensors: Sequence[TensorEntry], operators: Sequence[OperatorEntry],
              inputs: Sequence[int], outputs: Sequence[int], *, description: str,
              codes: str) -> bytes:
    """Return the bytes of a file with one graph.

    Parameters
    ----------
    tensors, operators : sequences of :class:`TensorEntry` and :class:`OperatorEntry`
    inputs, outputs : sequences of :class:`int`
        Indices of the graph's inputs and outputs.
    description : :class:`str`
        Text that the file contains.
    codes : :class:`str`
        One of :data:`CODES`.
    """
    b = flatbuffers.Builder(1024)
    names = sorted({operator.name for operator in operators})
    # buffer 0 is empty by convention: tensors without data refer to it
    buffers, owner = [_buffer(b, b"")], []
    for tensor in tensors:
        owner.append(0 if tensor.data is None else len(buffers))
        if tensor.data is not None:
            buffers.append(_buffer(b, tensor.data))
    tensor_offsets = [_tensor(b, t, index) for t, index in zip(tensors, owner)]
    operator_offsets = [_operator(b, o, names.index(o.name)) for o in operators]
    name = b.CreateString("main")
    lists = [_ints(b, inputs), _ints(b, outputs)]
    tables = [_offsets(b, tensor_offsets), _offsets(b, operator_offsets)]
    tflite.SubGraphStart(b)
    tflite.SubGraphAddTensors(b, tables[0])
    tflite.SubGraphAddInputs(b, lists[0])
    tflite.SubGraphAddOutputs(b, lists[1])
    tflite.SubGraphAddOperators(b, tables[1])
    tflite.SubGraphAddName(b, name)
    subgraphs = _offsets(b, [tflite.SubGraphEnd(b)])
    opcodes = _offsets(b, [_code(b, name, codes) for name in names])
    buffer_list = _offsets(b, buffers)
    text = b.CreateString(description)
    tflite.ModelStart(b)
    tflite.ModelAddVersion(b, 3)
    tflite.ModelAddOperatorCodes(b, opcodes)
    tflite.ModelAddSubgraphs(b, subgraphs)
    tflite.ModelAddDescription(b, text)
    tflite.ModelAddBuffers(b, buffer_list)
    b.Finish(tflite.ModelEnd(b), file_identifier=b"TFL3")
    return bytes(b.Output())


def _buffer(b: flatbuffers.Builder, data: bytes) -> int:
    vector = None
    if data:
        # interpreters map the file and use constants in place: 16-byte aligned
        b.StartVector(1, len(data), 16)
        b.head = b.Head() - len(data)
        b.Bytes[b.Head() : b.Head() + len(data)] = data
        vector = b.EndVector()
    tflite.BufferStart(b)
    if vector is not None:
        tflite.BufferAddData(b, vector)
    return int(tflite.BufferEnd(b))


def _tensor(b: flatbuffers.Builder, tensor: TensorEntry, buffer: int) -> int:
    name = b.CreateString(tensor.name)
    shape = _ints(b, tensor.shape)
    quantization = None
    if tensor.scale:
        scale = b.CreateNumpyVector(np.asarray(tensor.scale, np.float32))
        zero = b.CreateNumpyVector(np.asarray(tensor.zero_point, np.int64))
        tflite.QuantizationParametersStart(b)
        tflite.QuantizationParametersAddScale(b, scale)
        tflite.QuantizationParametersAddZeroPoint(b, zero)
        tflite.QuantizationParametersAddQuantizedDimension(b, tensor.axis)
        quantization = tflite.QuantizationParametersEnd(b)
    tflite.TensorStart(b)
    tflite.TensorAddShape(b, shape)
    tflite.TensorAddType(b, TYPES[tensor.dtype])
    tflite.TensorAddBuffer(b, buffer)
    tflite.TensorAddName(b, name)
    if quantization is not None:
        tflite.TensorAddQuantization(b, quantization)
    return int(tflite.TensorEnd(b))


def _code(b: flatbuffers.Builder, name: str, codes: str) -> int:
    code: int = getattr(tflite.BuiltinOperator, name)
    tflite.OperatorCodeStart(b)
    if codes != "wide":
        tflite.OperatorCodeAddDeprecatedBuiltinCode(b, min(code, 127))
    if codes != "narrow":
        tflite.OperatorCodeAddBuiltinCode(b, code)
    tflite.OperatorCodeAddVersion(b, OPERATIONS[name][0])
    return int(tflite.OperatorCodeEnd(b))


def _operator(b: flatbuffers.Builder, op: OperatorEntry, code: int) -> int:
    _, table, _ = OPERATIONS[op.name]
    options = None
    if table is not None:
        fields: dict[str, Any] = {}
        for option, value in op.options.items():
            if option in ENUMS:
                value = getattr(ENUMS[option], str(value))
            fields[option] = _ints(b, value) if isinstance(value, (tuple, list)) else value
        getattr(tflite, f"{table}Start")(b)
        for option, value in fields.items():
            getattr(tflite, f"{table}Add{camel(option)}")(b, value)
        options = getattr(tflite, f"{table}End")(b)
    inputs, outputs = _ints(b, op.inputs), _ints(b, op.outputs)
    tflite.OperatorStart(b)
    tflite.OperatorAddOpcodeIndex(b, code)
    tflite.OperatorAddInputs(b, inputs)
    tflite.OperatorAddOutputs(b, outputs)
    if table is not None:
        tflite.OperatorAddBuiltinOptionsType(b, getattr(tflite.BuiltinOptions, table))
        tflite.OperatorAddBuiltinOptions(b, options)
    return int(tflite.OperatorEnd(b))


def _ints(b: flatbuffers.Builder, values: Sequence[int]) -> int:
    return int(b.CreateNumpyVector(np.asarray(values, np.int32)))


def _offsets(b: flatbuffers.Builder, offsets: Sequence[int]) -> int:
    b.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        b.PrependUOffsetTRelative(offset)
    return int(b.EndVector())
