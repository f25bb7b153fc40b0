"""Reader of ``.tflite`` files. It checks that a file is intact, not that Weft supports it."""

import os
import pathlib
import struct
from typing import Any

import numpy as np
import tflite
from flatbuffers.number_types import Int32Flags

from ...program.file import MAGIC
from ..verdict import ModelError
from .graph import Graph, GraphTensor, Operator

__all__ = ["read_model"]


def _names(enumeration: type) -> dict[int, str]:
    """Map the values of a schema enumeration to their names."""
    return {value: name for name, value in vars(enumeration).items()
            if not name.startswith("_") and isinstance(value, int)}


_OPERATOR_NAMES = _names(tflite.BuiltinOperator)
_TYPE_NAMES = {value: name.lower() for value, name in _names(tflite.TensorType).items()}
_PADDINGS = _names(tflite.Padding)
_ACTIVATIONS = _names(tflite.ActivationFunctionType)
_FORMATS = _names(tflite.FullyConnectedOptionsWeightsFormat)

# an option: its accessor in the schema class, and the names of its values if it is an enumeration
_Option = tuple[str, dict[int, str] | None]
_ACTIVATION: _Option = ("FusedActivationFunction", _ACTIVATIONS)
_WINDOW: dict[str, _Option] = {
    "padding": ("Padding", _PADDINGS), "stride_h": ("StrideH", None),
    "stride_w": ("StrideW", None), "activation": _ACTIVATION}
_POOL: dict[str, _Option] = {
    **_WINDOW, "filter_h": ("FilterHeight", None), "filter_w": ("FilterWidth", None)}
_CONVOLUTION: dict[str, _Option] = {
    **_WINDOW, "dilation_h": ("DilationHFactor", None), "dilation_w": ("DilationWFactor", None)}
_OPTIONS: dict[str, tuple[Any, dict[str, _Option]]] = {
    "CONV_2D": (tflite.Conv2DOptions, _CONVOLUTION),
    "FULLY_CONNECTED": (tflite.FullyConnectedOptions, {
        "activation": _ACTIVATION, "format": ("WeightsFormat", _FORMATS)}),
    "MAX_POOL_2D": (tflite.Pool2DOptions, _POOL),
    "AVERAGE_POOL_2D": (tflite.Pool2DOptions, _POOL),
    "SOFTMAX": (tflite.SoftmaxOptions, {"beta": ("Beta", None)}),
    "DEPTHWISE_CONV_2D": (tflite.DepthwiseConv2DOptions, _CONVOLUTION),
    "ADD": (tflite.AddOptions, {"activation": _ACTIVATION}),
    "SUB": (tflite.SubOptions, {"activation": _ACTIVATION}),
    "MUL": (tflite.MulOptions, {"activation": _ACTIVATION}),
    "LEAKY_RELU": (tflite.LeakyReluOptions, {"alpha": ("Alpha", None)}),
    "MEAN": (tflite.ReducerOptions, {"keep_dims": ("KeepDims", None)}),
    "CONCATENATION": (tflite.ConcatenationOptions, {"axis": ("Axis", None),
                                                    "activation": _ACTIVATION}),
    "STRIDED_SLICE": (tflite.StridedSliceOptions, {
        "begin_mask": ("BeginMask", None), "end_mask": ("EndMask", None),
        "ellipsis_mask": ("EllipsisMask", None), "new_axis_mask": ("NewAxisMask", None),
        "shrink_axis_mask": ("ShrinkAxisMask", None)}),
    "RESIZE_NEAREST_NEIGHBOR": (tflite.ResizeNearestNeighborOptions, {
        "align_corners": ("AlignCorners", None),
        "half_pixel_centers": ("HalfPixelCenters", None)}),
}
"""Schema class and options of each operator that has options."""
# the schema's defaults, which apply if the table of options is absent
_DEFAULTS: dict[str, str | float] = {
    "activation": "NONE", "format": "DEFAULT", "beta": 0.0, "alpha": 0.0}
_OPTIONS_REQUIRED = ("CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D", "AVERAGE_POOL_2D")
"""Operators without meaning if their table of options is absent."""


def read_model(model: bytes | str | os.PathLike[str]) -> Graph:
    """Read a model into a graph.

    Parameters
    ----------
    model : :class:`bytes` or path
        Content or path of a ``.tflite`` file.

    Raises
    ------
    ModelError
        If the file cannot be read, is not a TensorFlow Lite model, or contradicts itself.
    """
    if isinstance(model, (bytes, bytearray, memoryview)):
        raw, source = bytes(model), "the model"
    else:
        source = os.fspath(model)
        if not source:
            raise ModelError("the path of the model is empty")
        try:
            raw = pathlib.Path(source).read_bytes()
        except OSError as error:
            raise ModelError(f"{source} cannot be read: {error.strerror}") from error
    if not raw:
        raise ModelError(f"{source} is empty; a TensorFlow Lite model is expected")
    if raw.startswith(MAGIC):
        raise ModelError(f"{source} is a compiled program; give the model that it was compiled "
                         "from")
    if len(raw) < 8 or raw[4:8] != b"TFL3":
        raise ModelError(f"{source} is not a TensorFlow Lite model: bytes 4 to 7 are "
                         f"{raw[4:8]!r} instead of b'TFL3'")
    try:
        return _graph(tflite.Model.GetRootAs(raw, 0), source)
    except (struct.error, IndexError, ValueError, TypeError, AttributeError, OverflowError,
            UnicodeDecodeError, MemoryError) as error:
        # raised by flatbuffers and numpy if an offset or a length leads out of the file
        raise ModelError(f"{source} is damaged or truncated ({len(raw)} bytes): {error}") from error


def _graph(model: Any, source: str) -> Graph:
    if model.Version() != 3:
        raise ModelError(f"{source} has schema version {model.Version()}; only version 3 is "
                         "supported")
    if model.SubgraphsLength() != 1:
        raise ModelError(f"{source} has {model.SubgraphsLength()} subgraphs; only models with one "
                         "subgraph are supported")
    graph = model.Subgraphs(0)
    tensors = tuple(_tensor(model, graph.Tensors(index), index, source)
                    for index in range(graph.TensorsLength()))
    operators = tuple(_operator(model, graph.Operators(index), index)
                      for index in range(graph.OperatorsLength()))
    inputs, outputs = _integers(graph.InputsAsNumpy()), _integers(graph.OutputsAsNumpy())
    _check_indices(source, "the model", inputs + outputs, 0, len(tensors))
    for op in operators:
        _check_indices(source, f"operator {op.index} {op.name}", op.inputs + op.outputs, -1,
                       len(tensors))
    for kind, indices in (("inputs", inputs), ("outputs", outputs)):
        if not indices or len(set(indices)) != len(indices):
            raise ModelError(f"{source}: the {kind} of the model are tensors {list(indices)}; "
                             "there must be at least one tensor, and none may occur twice")
    return Graph(tensors=tensors, operators=operators, inputs=inputs, outputs=outputs,
                 source=source)


def _check_indices(source: str, user: str, indices: tuple[int, ...], least: int,
                   count: int) -> None:
    for index in indices:
        if not least <= index < count:
            raise ModelError(f"{source}: {user} refers to tensor {index}, but the model has "
                             f"{count} tensors")


def _integers(vector: Any) -> tuple[int, ...]:
    """Return a vector of the file as a tuple. Flatbuffers represents an absent vector by 0."""
    return () if isinstance(vector, int) else tuple(int(item) for item in vector)


def _floats(vector: Any) -> tuple[float, ...]:
    return () if isinstance(vector, int) else tuple(float(item) for item in vector)


def _tensor(model: Any, tensor: Any, index: int, source: str) -> GraphTensor:
    name = (tensor.Name() or b"").decode()
    shape = _integers(tensor.ShapeAsNumpy())
    dtype = _TYPE_NAMES.get(tensor.Type(), f"type {tensor.Type()}")
    location = f"{source}: tensor {index} {name!r}"
    if any(size < 0 for size in shape):
        raise ModelError(f"{location} has a negative dimension in its shape {shape}")
    if not 0 <= tensor.Buffer() < model.BuffersLength():
        raise ModelError(f"{location} refers to buffer {tensor.Buffer()}, but the file has "
                         f"{model.BuffersLength()} buffers")
    data = model.Buffers(tensor.Buffer()).DataAsNumpy()
    value = None
    if not isinstance(data, int) and len(data) and dtype in (
            "int8", "uint8", "int16", "int32", "int64", "float32", "bool"):
        stored_type = np.dtype(dtype).newbyteorder("<")
        expected = int(np.prod(shape, dtype=np.int64)) * stored_type.itemsize
        if len(data) != expected:
            raise ModelError(f"{location} of shape {shape} and type {dtype} needs {expected} "
                             f"bytes, but its buffer has {len(data)}")
        value = np.frombuffer(data.tobytes(), stored_type).astype(dtype).reshape(shape)
    quantization = tensor.Quantization()
    scale: tuple[float, ...] = ()
    zero_point: tuple[int, ...] = ()
    axis = 0
    if quantization is not None:
        scale = _floats(quantization.ScaleAsNumpy())
        zero_point = _integers(quantization.ZeroPointAsNumpy())
        axis = quantization.QuantizedDimension()
    return GraphTensor(index=index, name=name, shape=shape, dtype=dtype, scale=scale,
                       zero_point=zero_point, axis=axis, value=value)


def _builtin_code(code: Any) -> int:
    """Return the field ``builtin_code`` of an operator code, or 0 if the field is absent.

    The schema's own accessor returns the deprecated field instead if that field is below 127.
    """
    field = code._tab.Offset(10)
    return int(code._tab.Get(Int32Flags, code._tab.Pos + field)) if field else 0


def _operator(model: Any, operator: Any, index: int) -> Operator:
    code = model.OperatorCodes(operator.OpcodeIndex())
    # some writers leave one of the two code fields at 0; the larger one is correct
    number = max(code.DeprecatedBuiltinCode(), _builtin_code(code))
    name = _OPERATOR_NAMES.get(number, f"operator code {number}")
    if name == "CUSTOM":
        name = f"CUSTOM {(code.CustomCode() or b'').decode()}".strip()
    options: dict[str, Any] = {}
    if name in _OPTIONS:
        schema, accessors = _OPTIONS[name]
        table = operator.BuiltinOptions()
        if table is None:
            options = {} if name in _OPTIONS_REQUIRED else {
                option: _DEFAULTS.get(option, 0) for option in accessors}
        else:
            parsed = schema()
            parsed.Init(table.Bytes, table.Pos)
            for option, (accessor, names) in accessors.items():
                value = getattr(parsed, accessor)()
                options[option] = names.get(value, f"number {value}") if names else value
    return Operator(index=index, name=name, inputs=_integers(operator.InputsAsNumpy()),
                    outputs=_integers(operator.OutputsAsNumpy()), options=options)
