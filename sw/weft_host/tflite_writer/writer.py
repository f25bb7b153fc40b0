"""Write small ``.tflite`` files: for tests, and for the networks that are trained in this tree.

A model is built tensor by tensor and operator by operator; indices are given in the order of the
calls, and equal calls give equal bytes::

    import numpy as np
    from weft_host.tflite_writer import ModelWriter

    m = ModelWriter()
    x = m.input("x", (1, 8, 8, 1), scale=0.1, zero_point=-3)
    w = m.constant("w", np.ones((4, 3, 3, 1), np.int8), scale=[0.1, 0.2, 0.3, 0.4])
    b = m.constant("b", np.zeros(4, np.int32), scale=[0.01, 0.02, 0.03, 0.04])
    y = m.tensor("y", (1, 8, 8, 4), scale=0.5, zero_point=10)
    m.operator("CONV_2D", [x, w, b], [y], padding="SAME", fused_activation_function="RELU")
    m.output(y)
    data = m.finish()                   # the bytes of the file

Options carry the schema's names in snake case (``stride_h``, ``filter_width``, ``keep_num_dims``);
padding and activation are the schema's words. The writer checks what would make an unreadable
file, not whether a model makes sense: tests of bad input use it too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import flatbuffers
import numpy as np
import tflite
from numpy.typing import NDArray

from .operators import ENUMS, OPERATIONS

_TYPES = {
    "float32": tflite.TensorType.FLOAT32,
    "int32": tflite.TensorType.INT32,
    "uint8": tflite.TensorType.UINT8,
    "int64": tflite.TensorType.INT64,
    "bool": tflite.TensorType.BOOL,
    "int16": tflite.TensorType.INT16,
    "int8": tflite.TensorType.INT8,
}

OPERATORS = tuple(OPERATIONS)
"""Names that :meth:`ModelWriter.operator` takes."""

CODES = ("both", "wide", "narrow")
"""Where a file may say which operator is meant; see :class:`ModelWriter`."""


@dataclass(kw_only=True)
class _Tensor:
    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: list[float] = field(default_factory=list)
    zero_point: list[int] = field(default_factory=list)
    axis: int = 0
    data: bytes | None = None


@dataclass(kw_only=True)
class _Operator:
    name: str
    inputs: list[int]
    outputs: list[int]
    options: dict[str, object]


class ModelWriter:
    """One graph in the making.

    Methods return tensor indices, which are the indices in the file. Operators run in the order
    in which they were added.

    Parameters
    ----------
    description : a text that the file carries.
    codes : which of an operator's two codes are set: ``"both"``, ``"wide"`` (the present field
        alone, as some converters do) or ``"narrow"`` (the deprecated one alone, as old files do).

    Raises
    ------
    ValueError
        If ``codes`` is not one of these.
    """

    def __init__(self, description: str = "weft", *, codes: str = "both") -> None:
        if codes not in CODES:
            raise ValueError(f"Codes '{codes}' is not one of {', '.join(CODES)}")
        self._description = description
        self._codes = codes
        self._tensors: list[_Tensor] = []
        self._operators: list[_Operator] = []
        self._inputs: list[int] = []
        self._outputs: list[int] = []

    def tensor(
        self,
        name: str,
        shape: Sequence[int],
        *,
        dtype: str = "int8",
        scale: float | Sequence[float] | None = None,
        zero_point: int | Sequence[int] = 0,
        axis: int = 0,
    ) -> int:
        """Add a tensor that an operator computes.

        Parameters
        ----------
        scale : one number, one per channel along ``axis``, or None for a tensor without
            quantisation.
        zero_point : one number for all channels, or one each.

        Raises
        ------
        ValueError
            If the type is not one of the file format's that are known here, or scales and zero
            points differ in number.
        """
        if dtype not in _TYPES:
            raise ValueError(f"Tensor '{name}': type '{dtype}' is not one of {', '.join(_TYPES)}")
        scales = [] if scale is None else [float(s) for s in np.atleast_1d(scale)]
        zeros = [int(z) for z in np.atleast_1d(zero_point)]
        if len(zeros) == 1:
            zeros *= len(scales)
        if len(zeros) != len(scales):
            raise ValueError(f"Tensor '{name}': {len(scales)} scales but {len(zeros)} zero points")
        self._tensors.append(
            _Tensor(
                name=name,
                shape=tuple(int(n) for n in shape),
                dtype=dtype,
                scale=scales,
                zero_point=zeros,
                axis=axis,
            )
        )
        return len(self._tensors) - 1

    def input(
        self,
        name: str,
        shape: Sequence[int],
        *,
        dtype: str = "int8",
        scale: float | Sequence[float] | None = None,
        zero_point: int | Sequence[int] = 0,
    ) -> int:
        """Add a tensor that the caller of the model supplies; see :meth:`tensor`."""
        index = self.tensor(name, shape, dtype=dtype, scale=scale, zero_point=zero_point)
        self._inputs.append(index)
        return index

    def constant(
        self,
        name: str,
        value: NDArray[np.generic],
        *,
        scale: float | Sequence[float] | None = None,
        zero_point: int | Sequence[int] = 0,
        axis: int = 0,
    ) -> int:
        """Add a tensor whose value, shape and type are those of ``value``; see :meth:`tensor`."""
        value = np.asarray(value)
        index = self.tensor(
            name,
            value.shape,
            dtype=value.dtype.name,
            scale=scale,
            zero_point=zero_point,
            axis=axis,
        )
        self._tensors[index].data = value.astype(value.dtype.newbyteorder("<")).tobytes()
        return index

    def operator(
        self, name: str, inputs: Sequence[int], outputs: Sequence[int], **options: object
    ) -> None:
        """Add an operator; input -1 leaves an optional operand (a bias) out.

        Raises
        ------
        ValueError
            If the operator or one of its options is not known, or an index is not a tensor's.
        """
        if name not in OPERATIONS:
            raise ValueError(f"Operator '{name}' is not one of {', '.join(OPERATORS)}")
        _, table, defaults = OPERATIONS[name]
        for option, value in options.items():
            if table is None or not hasattr(tflite, f"{table}Add{_camel(option)}"):
                raise ValueError(f"{name} has no option '{option}'")
            if option in ENUMS and not hasattr(ENUMS[option], str(value)):
                words = ", ".join(w for w in vars(ENUMS[option]) if w.isupper())
                raise ValueError(f"{name}: {option} '{value}' is not one of {words}")
        for index in (*inputs, *outputs):
            if not -1 <= index < len(self._tensors):
                raise ValueError(
                    f"{name}: tensor {index} does not exist; there are {len(self._tensors)}"
                )
        self._operators.append(
            _Operator(
                name=name,
                inputs=list(inputs),
                outputs=list(outputs),
                options={**defaults, **options},
            )
        )

    def output(self, *indices: int) -> None:
        """Name tensors that the model gives back, in order."""
        self._outputs.extend(indices)

    def finish(self) -> bytes:
        """The model as the bytes of a ``.tflite`` file."""
        b = flatbuffers.Builder(1024)
        codes = sorted({o.name for o in self._operators})
        # buffer 0 is empty by convention: tensors without a value name it
        buffers, owner = [self._buffer(b, b"")], []
        for tensor in self._tensors:
            owner.append(0 if tensor.data is None else len(buffers))
            if tensor.data is not None:
                buffers.append(self._buffer(b, tensor.data))
        tensors = [self._tensor(b, t, index) for t, index in zip(self._tensors, owner)]
        operators = [self._operator(b, o, codes.index(o.name)) for o in self._operators]
        name = b.CreateString("main")
        lists = [_ints(b, self._inputs), _ints(b, self._outputs)]
        tables = [_offsets(b, tensors), _offsets(b, operators)]
        tflite.SubGraphStart(b)
        tflite.SubGraphAddTensors(b, tables[0])
        tflite.SubGraphAddInputs(b, lists[0])
        tflite.SubGraphAddOutputs(b, lists[1])
        tflite.SubGraphAddOperators(b, tables[1])
        tflite.SubGraphAddName(b, name)
        subgraphs = _offsets(b, [tflite.SubGraphEnd(b)])
        opcodes = _offsets(b, [self._code(b, code) for code in codes])
        buffer_list = _offsets(b, buffers)
        description = b.CreateString(self._description)
        tflite.ModelStart(b)
        tflite.ModelAddVersion(b, 3)
        tflite.ModelAddOperatorCodes(b, opcodes)
        tflite.ModelAddSubgraphs(b, subgraphs)
        tflite.ModelAddDescription(b, description)
        tflite.ModelAddBuffers(b, buffer_list)
        b.Finish(tflite.ModelEnd(b), file_identifier=b"TFL3")
        return bytes(b.Output())

    @staticmethod
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
        return tflite.BufferEnd(b)

    @staticmethod
    def _tensor(b: flatbuffers.Builder, tensor: _Tensor, buffer: int) -> int:
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
        tflite.TensorAddType(b, _TYPES[tensor.dtype])
        tflite.TensorAddBuffer(b, buffer)
        tflite.TensorAddName(b, name)
        if quantization is not None:
            tflite.TensorAddQuantization(b, quantization)
        return tflite.TensorEnd(b)

    def _code(self, b: flatbuffers.Builder, name: str) -> int:
        code = getattr(tflite.BuiltinOperator, name)
        tflite.OperatorCodeStart(b)
        if self._codes != "wide":
            tflite.OperatorCodeAddDeprecatedBuiltinCode(b, min(code, 127))
        if self._codes != "narrow":
            tflite.OperatorCodeAddBuiltinCode(b, code)
        tflite.OperatorCodeAddVersion(b, OPERATIONS[name][0])
        return tflite.OperatorCodeEnd(b)

    @staticmethod
    def _operator(b: flatbuffers.Builder, op: _Operator, code: int) -> int:
        _, table, _ = OPERATIONS[op.name]
        options = None
        if table is not None:
            fields = {}
            for option, value in op.options.items():
                if option in ENUMS:
                    value = getattr(ENUMS[option], str(value))
                fields[option] = _ints(b, value) if isinstance(value, (tuple, list)) else value
            getattr(tflite, f"{table}Start")(b)
            for option, value in fields.items():
                getattr(tflite, f"{table}Add{_camel(option)}")(b, value)
            options = getattr(tflite, f"{table}End")(b)
        inputs, outputs = _ints(b, op.inputs), _ints(b, op.outputs)
        tflite.OperatorStart(b)
        tflite.OperatorAddOpcodeIndex(b, code)
        tflite.OperatorAddInputs(b, inputs)
        tflite.OperatorAddOutputs(b, outputs)
        if table is not None:
            tflite.OperatorAddBuiltinOptionsType(b, getattr(tflite.BuiltinOptions, table))
            tflite.OperatorAddBuiltinOptions(b, options)
        return tflite.OperatorEnd(b)


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def _ints(b: flatbuffers.Builder, values: Sequence[int]) -> int:
    return b.CreateNumpyVector(np.asarray(values, np.int32))


def _offsets(b: flatbuffers.Builder, offsets: Sequence[int]) -> int:
    b.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        b.PrependUOffsetTRelative(offset)
    return b.EndVector()
