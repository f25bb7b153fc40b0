"""Files of ModelWriter: read back, and run by the reference kernels; its error messages."""

import re
import textwrap

import numpy as np
import pytest
import tflite
from flatbuffers.number_types import Int32Flags

from golden import graph as golden_graph
from support.litert import outputs, reference
from support.models import Chain
from support.seeds import seed
from weft_host.compiler.frontend.tflite import read_model
from weft_host.tflite_writer import OPERATORS, ModelWriter, writer


def one_operator(name, shapes, out_shape, *, constants=(), dtype_out="int8", **options):
    m = ModelWriter()
    scale, zero_point = 0.25, 3
    inputs = [
        m.input(f"x{i}", shape, scale=scale, zero_point=zero_point)
        for i, shape in enumerate(shapes)
    ]
    inputs += [m.constant(f"c{i}", value, **quantization)
               for i, (value, quantization) in enumerate(constants)]
    fixed = {
        "SOFTMAX": (1 / 256, -128),
        "LOGISTIC": (1 / 256, -128),
        "TANH": (1 / 128, 0),
    }
    s_out, z_out = fixed.get(name, (scale, zero_point))
    if dtype_out != "int8":
        s_out = None
    y = m.tensor("y", out_shape, dtype=dtype_out, scale=s_out, zero_point=z_out)
    m.operator(name, inputs, [y], **options)
    m.output(y)
    return m.finish()


IMAGE = (1, 4, 4, 2)
WEIGHTS = (np.ones((2, 3, 3, 2), np.int8), dict(scale=[0.1, 0.2]))
DEPTHWISE = (np.ones((1, 3, 3, 2), np.int8), dict(scale=[0.1, 0.2], axis=3))
MATRIX = (np.ones((5, 6), np.int8), dict(scale=0.1))
BIAS = (np.zeros(2, np.int32), dict(scale=[0.025, 0.05]))
POOL = dict(filter_height=2, filter_width=2, stride_h=2, stride_w=2)
PADS = np.array([[0, 0], [1, 1], [1, 1], [0, 0]], np.int32)
PAD_VALUE = (np.array([-9], np.int8), dict(scale=0.25, zero_point=3))
BEGIN, SIZES = np.array([0, 1, 0, 1], np.int32), np.array([1, 2, 3, 1], np.int32)
ENDS, STEPS = np.array([1, 4, 4, 2], np.int32), np.array([1, 2, 2, 1], np.int32)
ORDER = np.array([0, 3, 1, 2], np.int32)
CASES = {
    "ABS": ([IMAGE], IMAGE, {}),
    "ADD": ([IMAGE, IMAGE], IMAGE, {}),
    "AVERAGE_POOL_2D": ([IMAGE], (1, 2, 2, 2), POOL),
    "CONCATENATION": ([IMAGE, IMAGE], (1, 4, 4, 4), dict(axis=3)),
    "CONV_2D": ([IMAGE], IMAGE, dict(constants=[WEIGHTS, BIAS], padding="SAME")),
    "DEPTHWISE_CONV_2D": ([IMAGE], IMAGE, dict(constants=[DEPTHWISE, BIAS], padding="SAME")),
    "DEQUANTIZE": ([IMAGE], IMAGE, dict(dtype_out="float32")),
    "EXP": ([IMAGE], IMAGE, {}),
    "FULLY_CONNECTED": ([(1, 6)], (1, 5), dict(constants=[MATRIX])),
    "HARD_SWISH": ([IMAGE], IMAGE, {}),
    "LEAKY_RELU": ([IMAGE], IMAGE, dict(alpha=0.3)),
    "LOGISTIC": ([IMAGE], IMAGE, {}),
    "MAX_POOL_2D": ([IMAGE], (1, 2, 2, 2), POOL),
    "MEAN": ([IMAGE], (1, 2), dict(constants=[(np.array([1, 2], np.int32), {})])),
    "MUL": ([IMAGE, IMAGE], IMAGE, {}),
    "PAD": ([IMAGE], (1, 6, 6, 2), dict(constants=[(PADS, {})])),
    "PADV2": ([IMAGE], (1, 6, 6, 2), dict(constants=[(PADS, {}), PAD_VALUE])),
    "QUANTIZE": ([IMAGE], IMAGE, {}),
    "RELU": ([IMAGE], IMAGE, {}),
    "RELU6": ([IMAGE], IMAGE, {}),
    "RELU_N1_TO_1": ([IMAGE], IMAGE, {}),
    "RESHAPE": ([IMAGE], (1, 32), dict(constants=[(np.array([1, 32], np.int32), {})])),
    "RESIZE_NEAREST_NEIGHBOR": (
        [IMAGE],
        (1, 7, 3, 2),
        dict(constants=[(np.array([7, 3], np.int32), {})], half_pixel_centers=True),
    ),
    "SLICE": ([IMAGE], (1, 2, 3, 1), dict(constants=[(BEGIN, {}), (SIZES, {})])),
    "SOFTMAX": ([IMAGE], IMAGE, {}),
    "STRIDED_SLICE": (
        [IMAGE],
        (2, 2, 1),
        dict(constants=[(BEGIN, {}), (ENDS, {}), (STEPS, {})], shrink_axis_mask=1),
    ),
    "SUB": ([IMAGE, IMAGE], IMAGE, {}),
    "TANH": ([IMAGE], IMAGE, {}),
    "TRANSPOSE": ([IMAGE], (1, 2, 4, 4), dict(constants=[(ORDER, {})])),
}


def test_every_operator_has_a_case():
    assert tuple(CASES) == OPERATORS


@pytest.mark.parametrize("name", CASES)
def test_every_operator_runs_in_the_reference_kernels(name):
    shapes, out_shape, options = CASES[name]
    model = one_operator(name, shapes, out_shape, **options)
    inputs = [np.full(shape, 7, np.int8) for shape in shapes]
    (y,) = outputs(model, inputs)
    assert y.shape == out_shape
    assert y.dtype == (np.float32 if name == "DEQUANTIZE" else np.int8)


def test_the_file_contains_tensors_and_operators_as_written():
    m = ModelWriter(description="text")
    x = m.input("x", IMAGE, scale=0.1, zero_point=-3)
    w = m.constant("w", *WEIGHTS[:1], scale=[0.1, 0.2], axis=0)
    b = m.constant("b", np.array([5, -(2**30)], np.int32), scale=[0.01, 0.02])
    y = m.tensor("y", (1, 2, 1, 2), scale=0.5, zero_point=10)
    m.operator(
        "CONV_2D", [x, w, b], [y], stride_h=1, stride_w=2, fused_activation_function="RELU6"
    )
    m.output(y)
    data = m.finish()
    assert data[4:8] == b"TFL3"
    model = tflite.Model.GetRootAs(data)
    assert (model.Version(), model.Description()) == (3, b"text")
    sub = model.Subgraphs(0)
    assert sub.InputsAsNumpy().tolist() == [x] and sub.OutputsAsNumpy().tolist() == [y]
    weights = sub.Tensors(w)
    assert weights.Name() == b"w" and weights.Type() == tflite.TensorType.INT8
    assert weights.ShapeAsNumpy().tolist() == [2, 3, 3, 2]
    quantization = weights.Quantization()
    np.testing.assert_array_equal(quantization.ScaleAsNumpy(), np.float32([0.1, 0.2]))
    assert quantization.ZeroPointAsNumpy().tolist() == [0, 0]
    bias = model.Buffers(sub.Tensors(b).Buffer()).DataAsNumpy().view(np.int32)
    assert bias.tolist() == [5, -(2**30)]
    assert model.Buffers(sub.Tensors(x).Buffer()).DataLength() == 0
    assert sub.Tensors(x).Quantization().ZeroPoint(0) == -3
    op = sub.Operators(0)
    assert op.InputsAsNumpy().tolist() == [x, w, b] and op.OutputsAsNumpy().tolist() == [y]
    options = tflite.Conv2DOptions()
    options.Init(op.BuiltinOptions().Bytes, op.BuiltinOptions().Pos)
    assert (options.StrideH(), options.StrideW(), options.Padding()) == (1, 2, 1)
    assert options.FusedActivationFunction() == tflite.ActivationFunctionType.RELU6
    assert model.OperatorCodes(op.OpcodeIndex()).BuiltinCode() == tflite.BuiltinOperator.CONV_2D


def test_constants_are_aligned_and_equal_calls_give_equal_bytes():
    def chain():
        c = Chain(np.random.default_rng(seed(3)), (1, 5, 5, 3))
        c.conv(7, (3, 3))
        c.fully_connected(5)
        return c.finish()

    data = chain()
    assert data == chain()
    model = tflite.Model.GetRootAs(data)
    aligned = 0
    for i in range(model.BuffersLength()):
        buffer = model.Buffers(i)
        if buffer.DataLength():
            start = buffer._tab.Vector(buffer._tab.Offset(4))
            assert start % 16 == 0
            aligned += 1
    assert aligned == 5  # two weights, two biases, a shape


@pytest.mark.parametrize(
    "codes, expected", [("both", (34, 34)), ("wide", (0, 34)), ("narrow", (34, 0))]
)
def test_readers_accept_files_with_either_operator_code(codes, expected):
    m = ModelWriter(codes=codes)
    x = m.input("x", IMAGE, scale=0.25)
    y = m.tensor("y", (1, 6, 6, 2), scale=0.25)
    m.operator("PAD", [x, m.constant("pads", PADS)], [y])
    m.output(y)
    data = m.finish()
    code = tflite.Model.GetRootAs(data).OperatorCodes(0)
    # the accessor of the wide code returns the deprecated one for codes below 127
    field = code._tab.Offset(10)
    wide = code._tab.Get(Int32Flags, code._tab.Pos + field) if field else 0
    assert (code.DeprecatedBuiltinCode(), wide) == expected
    assert [op.name for op in read_model(data).operators] == ["PAD"]
    assert [op.name for op in golden_graph.read(data).operators] == ["PAD"]
    (padded,) = outputs(data, [np.ones(IMAGE, np.int8)])
    assert padded.shape == (1, 6, 6, 2)


def test_a_constant_may_be_a_scalar_or_strided():
    m = ModelWriter()
    x = m.input("x", (2, 3), scale=1.0)
    scalar = m.constant("scalar", np.array(5, np.int8), scale=1.0)
    matrix = m.constant("matrix", np.arange(6, dtype=np.int8).reshape(3, 2).T, scale=1.0)
    moved, y = m.tensor("moved", (2, 3), scale=1.0), m.tensor("y", (2, 3), scale=1.0)
    m.operator("ADD", [x, scalar], [moved])
    m.operator("ADD", [moved, matrix], [y])
    m.output(y)
    (result,) = outputs(m.finish(), [np.zeros((2, 3), np.int8)])
    assert result.tolist() == [[5, 7, 9], [6, 8, 10]]


def test_the_example_in_the_docstring_runs():
    code = re.search(r"::\n\n(.*?)\n\nOptions", writer.__doc__, re.S).group(1)
    scope = {}
    exec(textwrap.dedent(code), scope)
    tensors = reference(scope["data"], [np.zeros((1, 8, 8, 1), np.int8)])
    assert tensors[scope["y"]].shape == (1, 8, 8, 4)


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda m: m.tensor("t", (1,), dtype="int4"),
            "Tensor 't': type 'int4' is not one of float32, int32, uint8, int64, bool, int16, int8",
        ),
        (
            lambda m: m.tensor("t", (1,), scale=[1, 2, 3], zero_point=[0, 0]),
            "Tensor 't': 3 scales but 2 zero points",
        ),
        (
            lambda m: m.operator("CONV_3D", [0], [0]),
            f"Operator 'CONV_3D' is not one of {', '.join(OPERATORS)}",
        ),
        (
            lambda m: m.operator("CONV_2D", [0], [0], stride=2),
            "CONV_2D has no option 'stride'",
        ),
        (lambda m: m.operator("TANH", [0], [0], beta=1.0), "TANH has no option 'beta'"),
        (
            lambda m: m.operator("CONV_2D", [0], [0], padding="FULL"),
            "CONV_2D: padding 'FULL' is not one of SAME, VALID",
        ),
        (
            lambda m: m.operator("RELU", [0], [1]),
            "RELU: tensor 1 does not exist; the model has 1 tensors",
        ),
        (
            lambda m: m.operator("RELU", [-2], [0]),
            "RELU: tensor -2 does not exist; the model has 1 tensors",
        ),
    ],
)
def test_rejects_what_would_give_an_unreadable_file(call, message):
    m = ModelWriter()
    m.input("x", (1,), scale=1.0)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call(m)


def test_rejects_an_unknown_choice_of_codes():
    with pytest.raises(ValueError, match="^Codes 'none' is not one of both, wide, narrow$"):
        ModelWriter(codes="none")
