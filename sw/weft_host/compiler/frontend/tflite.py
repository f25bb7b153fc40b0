"""A ``.tflite`` file to a :class:`Graph`. Nothing is decided here; a damaged file is refused."""

import os
import pathlib
import struct

import numpy as np
import tflite
from flatbuffers.number_types import Int32Flags

from ..verdict import ModelError
from .graph import Graph, GraphTensor, Operator

__all__ = ["read_model"]


def _names(table):
    return {value: name for name, value in vars(table).items()
            if not name.startswith("_") and isinstance(value, int)}


_OPERATOR_NAMES = _names(tflite.BuiltinOperator)
_TYPE_NAMES = {value: name.lower() for value, name in _names(tflite.TensorType).items()}
_PADDINGS = _names(tflite.Padding)
_ACTIVATIONS = _names(tflite.ActivationFunctionType)
_FORMATS = _names(tflite.FullyConnectedOptionsWeightsFormat)

# operator: (schema class, {option: (accessor, names or None)})
_ACTIVATION = ("FusedActivationFunction", _ACTIVATIONS)
_WINDOW = {"padding": ("Padding", _PADDINGS), "stride_h": ("StrideH", None),
           "stride_w": ("StrideW", None), "activation": _ACTIVATION}
_POOL = {**_WINDOW, "filter_h": ("FilterHeight", None), "filter_w": ("FilterWidth", None)}
_OPTIONS = {
    "CONV_2D": (tflite.Conv2DOptions, {**_WINDOW, "dilation_h": ("DilationHFactor", None),
                                       "dilation_w": ("DilationWFactor", None)}),
    "FULLY_CONNECTED": (tflite.FullyConnectedOptions, {
        "activation": _ACTIVATION, "format": ("WeightsFormat", _FORMATS)}),
    "MAX_POOL_2D": (tflite.Pool2DOptions, _POOL),
    "AVERAGE_POOL_2D": (tflite.Pool2DOptions, _POOL),
    "SOFTMAX": (tflite.SoftmaxOptions, {"beta": ("Beta", None)}),
    "DEPTHWISE_CONV_2D": (tflite.DepthwiseConv2DOptions, {
        **_WINDOW, "dilation_h": ("DilationHFactor", None),
        "dilation_w": ("DilationWFactor", None)}),
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
# what an absent table of options stands for: the schema's defaults
_DEFAULTS = {"activation": "NONE", "format": "DEFAULT", "beta": 0.0, "alpha": 0.0}
_NEEDED = ("CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D", "AVERAGE_POOL_2D")
"""Operators that mean nothing without their table of options."""


def read_model(model):
    """The graph in a model.

    Parameters
    ----------
    model : :class:`bytes` or path
        The content of a ``.tflite`` file, or where it lies.

    Raises
    ------
    ModelError
        If the file cannot be read, is not a TensorFlow Lite model, or contradicts itself.
    """
    if isinstance(model, (bytes, bytearray, memoryview)):
        raw, source = bytes(model), "the model"
    else:
        source = os.fspath(model)
        try:
            raw = pathlib.Path(source).read_bytes()
        except OSError as error:
            raise ModelError(f"{source} cannot be read: {error.strerror}") from error
    if len(raw) < 8 or raw[4:8] != b"TFL3":
        raise ModelError(f"{source} is not a TensorFlow Lite model: bytes 4 to 7 are "
                         f"{raw[4:8]!r} instead of b'TFL3'")
    try:
        return _graph(tflite.Model.GetRootAs(raw, 0), source)
    except (struct.error, IndexError, ValueError, TypeError, AttributeError, OverflowError,
            UnicodeDecodeError, MemoryError) as error:
        # what flatbuffers and numpy raise when an offset or a length leads out of the file
        raise ModelError(f"{source} is damaged or truncated ({len(raw)} bytes): {error}") from error


def _graph(model, source):
    if model.Version() != 3:
        raise ModelError(f"{source} has schema version {model.Version()}; supported is 3")
    if model.SubgraphsLength() != 1:
        raise ModelError(f"{source} has {model.SubgraphsLength()} subgraphs; supported is one")
    graph = model.Subgraphs(0)
    tensors = tuple(_tensor(model, graph.Tensors(index), index, source)
                    for index in range(graph.TensorsLength()))
    operators = tuple(_operator(model, graph.Operators(index), index)
                      for index in range(graph.OperatorsLength()))
    lists = [_integers(graph.InputsAsNumpy()), _integers(graph.OutputsAsNumpy())]
    for what, indices, low in [("the model", sum(lists, ()), 0)] + [
            (f"operator {op.index} {op.name}", op.inputs + op.outputs, -1) for op in operators]:
        for index in indices:
            if not low <= index < len(tensors):
                raise ModelError(f"{source}: {what} names tensor {index}, but there are "
                                 f"{len(tensors)}")
    for what, indices in zip(("inputs", "outputs"), lists):
        if not indices or len(set(indices)) != len(indices):
            raise ModelError(f"{source}: the {what} of the model are tensors {list(indices)}; "
                             "there must be at least one and none twice")
    return Graph(tensors=tensors, operators=operators, inputs=lists[0], outputs=lists[1],
                 source=source)


def _integers(vector):
    """A vector of the file as a tuple; flatbuffers gives 0 for one that is absent."""
    return () if isinstance(vector, int) else tuple(int(item) for item in vector)


def _floats(vector):
    return () if isinstance(vector, int) else tuple(float(item) for item in vector)


def _tensor(model, tensor, index, source):
    name = (tensor.Name() or b"").decode()
    shape = _integers(tensor.ShapeAsNumpy())
    dtype = _TYPE_NAMES.get(tensor.Type(), f"type {tensor.Type()}")
    where = f"{source}: tensor {index} {name!r}"
    if any(size < 0 for size in shape):
        raise ModelError(f"{where} has shape {shape}")
    if not 0 <= tensor.Buffer() < model.BuffersLength():
        raise ModelError(f"{where} names buffer {tensor.Buffer()}, but there are "
                         f"{model.BuffersLength()}")
    data = model.Buffers(tensor.Buffer()).DataAsNumpy()
    value = None
    if not isinstance(data, int) and len(data) and dtype in (
            "int8", "uint8", "int16", "int32", "int64", "float32", "bool"):
        kind = np.dtype(dtype).newbyteorder("<")
        expected = int(np.prod(shape, dtype=np.int64)) * kind.itemsize
        if len(data) != expected:
            raise ModelError(f"{where} of shape {shape} and type {dtype} needs {expected} bytes, "
                             f"but its buffer has {len(data)}")
        value = np.frombuffer(data.tobytes(), kind).astype(dtype).reshape(shape)
    quantization = tensor.Quantization()
    scale = zero_point = ()
    axis = 0
    if quantization is not None:
        scale = _floats(quantization.ScaleAsNumpy())
        zero_point = _integers(quantization.ZeroPointAsNumpy())
        axis = quantization.QuantizedDimension()
    return GraphTensor(index=index, name=name, shape=shape, dtype=dtype, scale=scale,
                       zero_point=zero_point, axis=axis, value=value)


def _wide_code(code):
    """``builtin_code`` itself: its accessor gives the deprecated code when this is below 127."""
    field = code._tab.Offset(10)
    return code._tab.Get(Int32Flags, code._tab.Pos + field) if field else 0


def _operator(model, operator, index):
    code = model.OperatorCodes(operator.OpcodeIndex())
    # files of some writers leave one of the two codes at 0; the larger one is right
    number = max(code.DeprecatedBuiltinCode(), _wide_code(code))
    name = _OPERATOR_NAMES.get(number, f"operator code {number}")
    if name == "CUSTOM":
        name = f"CUSTOM {(code.CustomCode() or b'').decode()}".strip()
    options = {}
    if name in _OPTIONS:
        schema, accessors = _OPTIONS[name]
        table = operator.BuiltinOptions()
        if table is None:
            options = {} if name in _NEEDED else {
                option: _DEFAULTS.get(option, 0) for option in accessors}
        else:
            parsed = schema()
            parsed.Init(table.Bytes, table.Pos)
            for option, (accessor, words) in accessors.items():
                value = getattr(parsed, accessor)()
                options[option] = words.get(value, f"number {value}") if words else value
    return Operator(index=index, name=name, inputs=_integers(operator.InputsAsNumpy()),
                    outputs=_integers(operator.OutputsAsNumpy()), options=options)
