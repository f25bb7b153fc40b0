"""Decisions about operators, and the reasons why some of them are not supported."""

import dataclasses
import pathlib
import re

import numpy as np
import pytest

from support.models import Chain
from support.seeds import seed
from weft.spec.presets import preset
from weft_host.compiler import ModelError, UnsupportedError, check, compile
from weft_host.compiler.frontend.tflite import read_model
from weft_host.compiler.lower import lowering
from weft_host.compiler.lower.elementwise_operators import UNARY
from weft_host.compiler.lower.lowering import lower
from weft_host.compiler.lower.move_operators import MOVES
from weft_host.compiler.lower.pooling_operators import pooling
from weft_host.compiler.verdict import Refused
from weft_host.tflite_writer import ModelWriter

CONFIG = preset("tiny")


def fully_connected(weights=None, *, w_zero=0, bias=None, out=(1, 3), w_scale=0.1, s_out=0.5,
                    dtype="int8"):
    writer = ModelWriter()
    x = writer.input("x", (1, 4), scale=0.1, dtype=dtype)
    weights = np.ones((3, 4), np.int8) if weights is None else weights
    w = writer.constant("w", weights, scale=w_scale, zero_point=w_zero)
    inputs = [x, w]
    if bias is not None:
        inputs.append(writer.constant("b", bias, scale=0.01))
    y = writer.tensor("y", out, scale=s_out, dtype=dtype)
    writer.operator("FULLY_CONNECTED", inputs, [y])
    writer.output(y)
    return writer.finish()


def reason(model):
    """Return the reason why the only operator of a model is not supported."""
    verdict, = check(model, CONFIG)
    assert verdict.where == "unsupported"
    with pytest.raises(UnsupportedError) as caught:
        compile(model, CONFIG)
    assert verdict.reason in str(caught.value) and caught.value.verdicts == (verdict,)
    return verdict.reason


def test_every_unsupported_operator_is_listed_with_its_index_and_reason():
    chain = Chain(np.random.default_rng(seed(1)), (1, 6, 6, 3))
    chain._add("EXP", [chain.tensor], chain.shape, 1 / 256, -128)
    chain.conv(4, (3, 3))
    chain._add("ABS", [chain.tensor], chain.shape, 1 / 128, 0)
    model = chain.finish()
    verdicts = check(model, CONFIG)
    assert [(v.index, v.operator, v.where) for v in verdicts] == [
        (0, "EXP", "unsupported"), (1, "CONV_2D", "weft"), (2, "ABS", "unsupported")]
    with pytest.raises(UnsupportedError) as caught:
        compile(model, CONFIG)
    assert str(caught.value) == (
        "the model has 2 unsupported operators; nothing was compiled:\n"
        "  operator 0 EXP (output 'exp'): Weft does not implement this operator\n"
        "  operator 2 ABS (output 'abs'): Weft does not implement this operator")


def test_the_device_executes_all_operators_of_a_chain():
    chain = Chain(np.random.default_rng(seed(2)), (1, 6, 6, 3))
    chain.conv(4, (3, 3), padding="SAME")
    chain.pool("MAX_POOL_2D", (2, 2), padding="VALID")
    chain.pool("AVERAGE_POOL_2D", (3, 3), padding="VALID")
    chain.fully_connected(5)
    chain.softmax()
    verdicts = check(chain.finish(), CONFIG)
    assert [(v.operator, v.where) for v in verdicts] == [
        ("CONV_2D", "weft"), ("MAX_POOL_2D", "weft"), ("AVERAGE_POOL_2D", "weft"),
        ("RESHAPE", "weft"), ("FULLY_CONNECTED", "weft"), ("SOFTMAX", "weft")]
    assert verdicts[0].reason == "conv 3x3, 6x6x3 to 6x6x4"
    assert verdicts[3].reason == "no instructions: the same bytes with another shape"
    assert verdicts[0].as_dict() == {
        "index": 0, "operator": "CONV_2D", "where": "weft", "output": "conv_2d",
        "reason": "conv 3x3, 6x6x3 to 6x6x4"}


def test_operations_read_the_tensor_that_holds_the_bytes_of_a_reshape():
    chain = Chain(np.random.default_rng(seed(2)), (1, 6, 6, 3))
    chain.fully_connected(5)
    graph = read_model(chain.finish())
    lowered = lower(graph, CONFIG)
    layer, = lowered.operations
    reshape = graph.operators[0]
    assert layer.sources == (reshape.inputs[0],)
    assert lowered.aliases == {reshape.outputs[0]: reshape.inputs[0]}


def test_weights_with_a_zero_point_are_not_supported():
    assert reason(fully_connected(w_zero=3)) == (
        "its weights 'w' have a zero point other than 0; only symmetric weights are supported")


def test_a_float_model_is_not_supported():
    assert reason(fully_connected(np.ones((3, 4), np.float32), dtype="float32")) == (
        "tensor 'x' has type float32; only int8 is supported; quantise the model to int8")


@pytest.mark.parametrize("change, expected", [
    (dict(out=(1, 4)), "its output has 4 elements instead of 3"),
    (dict(weights=np.ones((3, 3), np.int8)),
     "its input has 4 elements, which is not a multiple of the 3 columns of its weights"),
    (dict(weights=np.ones((3, 2, 2), np.int8)),
     "its weights have shape (3, 2, 2); two dimensions are required"),
    (dict(w_scale=[0.1, 0.2]), "its weights 'w' have 2 scales for 3 channels"),
    (dict(bias=np.ones(2, np.int32)), "its bias has 2 elements for 3 channels"),
    (dict(bias=np.ones(3, np.int16)), "its bias 'b' has type int16; only int32 is supported"),
])
def test_inconsistent_fully_connected_layers_are_rejected(change, expected):
    assert reason(fully_connected(**change)) == expected


def test_a_scale_ratio_without_a_multiplier_is_rejected():
    assert re.fullmatch(r"its scales are not supported: a scale ratio of \S+ cannot be "
                        r"represented; it must be below 2\^31",
                        reason(fully_connected(s_out=1e-30)))


def conv(**change):
    sizes = dict(shape=(1, 6, 6, 2), weights=(3, 3, 3, 2), out=(1, 6, 6, 3))
    options = dict(padding="SAME")
    options.update({key: value for key, value in change.items() if key not in sizes})
    sizes.update({key: value for key, value in change.items() if key in sizes})
    writer = ModelWriter()
    x = writer.input("x", sizes["shape"], scale=0.1)
    w = writer.constant("w", np.ones(sizes["weights"], np.int8), scale=0.1)
    y = writer.tensor("y", sizes["out"], scale=0.5)
    writer.operator("CONV_2D", [x, w, -1], [y], **options)
    writer.output(y)
    return writer.finish()


@pytest.mark.parametrize("change, expected", [
    (dict(weights=(3, 3, 3, 1)), "its weights have 1 input channels, but the input has 2: grouped "
                                 "convolutions are not supported"),
    (dict(out=(1, 5, 6, 3)),
     "its output has 5 elements along h, but an input of 6 results in 6"),
    (dict(padding="VALID"), "its output has 6 elements along h, but an input of 6 results in 4"),
    (dict(out=(1, 6, 6, 4)), "its weights have 3 output channels, but the output has 4"),
    (dict(stride_h=0), "kernel 3, stride 0 and dilation 1 along h must be at least 1"),
    (dict(fused_activation_function="TANH"),
     "fused activation TANH is not one of NONE, RELU, RELU6, RELU_N1_TO_1"),
])
def test_inconsistent_convolutions_are_rejected(change, expected):
    assert reason(conv(**change)) == expected


def test_pooling_between_different_scales_is_rejected():
    writer = ModelWriter()
    x = writer.input("x", (1, 4, 4, 2), scale=0.1)
    y = writer.tensor("y", (1, 2, 2, 2), scale=0.2)
    writer.operator("MAX_POOL_2D", [x], [y], stride_h=2, stride_w=2, filter_height=2,
                    filter_width=2)
    writer.output(y)
    assert re.fullmatch(r"its input and output differ in scale or zero point: \(0\.1\d*, 0\) and "
                        r"\(0\.2\d*, 0\)", reason(writer.finish()))


@pytest.mark.parametrize("kind", ["MAX_POOL_2D", "AVERAGE_POOL_2D"])
def test_rejects_a_pool_without_options(kind):
    chain = Chain(np.random.default_rng(seed(4)), (1, 4, 4, 2))
    chain.pool(kind, (2, 2))
    graph = read_model(chain.finish())
    operator = dataclasses.replace(graph.operators[0], options={})
    with pytest.raises(Refused, match="^padding None is not SAME or VALID$"):
        pooling(graph, operator)


def test_rejects_a_softmax_whose_output_has_another_size():
    writer = ModelWriter()
    x = writer.input("x", (1, 6), scale=0.1)
    y = writer.tensor("y", (1, 5), scale=1 / 256, zero_point=-128)
    writer.operator("SOFTMAX", [x], [y])
    writer.output(y)
    assert reason(writer.finish()) == "its output has 5 elements, but its input 6"


def test_a_softmax_that_does_not_fit_runs_on_the_host_with_all_that_follows():
    chain = Chain(np.random.default_rng(seed(3)), (1, 6))
    chain.softmax()
    chain.softmax()
    model = chain.finish()
    assert [v.where for v in check(model, CONFIG)] == ["weft", "weft"]
    # the table of exponentials needs 1 KiB
    small = preset("tiny", spad_bytes=1024)
    assert [(v.where, v.reason) for v in check(model, small)] == [
        ("host", "its table and two rows of its data do not fit the scratchpad"),
        ("host", "its input is computed on the host")]


def test_the_device_cannot_read_a_result_of_the_host():
    chain = Chain(np.random.default_rng(seed(3)), (1, 6))
    chain.softmax()
    chain.fully_connected(3)
    model = chain.finish()
    assert [v.where for v in check(model, CONFIG)] == ["weft", "weft"]
    verdicts = check(model, preset("tiny", spad_bytes=1024))
    assert [v.where for v in verdicts] == ["host", "unsupported"]
    assert verdicts[1].reason == ("its input 'softmax' is computed on the host, which runs only "
                                  "before or after the device")


def reshape_with_output(output):
    """Return a model with a RESHAPE of input ``x`` to ``y``, and with the given tensor as output.

    No operator uses the tensor ``stray``.
    """
    writer = ModelWriter()
    tensors = {"x": writer.input("x", (1, 4), scale=0.1),
               "y": writer.tensor("y", (4,), scale=0.1),
               "stray": writer.tensor("stray", (4,), scale=0.1)}
    writer.operator("RESHAPE", [tensors["x"]], [tensors["y"]], new_shape=[4])
    writer.output(tensors[output])
    return writer.finish()


@pytest.mark.parametrize("function", [check, compile])
def test_an_output_that_no_operator_computes_is_rejected(function):
    with pytest.raises(ModelError, match="^the model: no operator computes the output 'stray'$"):
        function(reshape_with_output("stray"), CONFIG)


def test_an_input_that_is_also_an_output_makes_its_operator_unsupported():
    model = reshape_with_output("x")
    verdict, = check(model, CONFIG)
    assert (verdict.where, verdict.reason) == (
        "unsupported", "tensor 'x' is both an input and an output of the model")
    with pytest.raises(UnsupportedError) as error:
        compile(model, CONFIG)
    assert error.value.verdicts == (verdict,)


def test_the_page_of_limits_lists_every_operator_of_the_device():
    page = (pathlib.Path(__file__).parents[4] / "docs" / "limits.md").read_text()
    listed, = re.findall(r"Operators on Weft: (.*?), with fused", page, re.DOTALL)
    assert set(re.findall(r"[A-Z][A-Z_0-9]+", listed)) == {
        *lowering._LAYERS, *lowering._ALIASES, *UNARY, *MOVES, "ADD", "SUB", "MUL", "SOFTMAX"}


def softmax_and_more(*names):
    """Return a model with a SOFTMAX of 8 classes, followed by operators."""
    m = ModelWriter()
    tensor = m.input("x", (1, 8), scale=0.1)
    for number, name in enumerate(("SOFTMAX", *names)):
        source = tensor
        form = dict(dtype="float32") if name == "DEQUANTIZE" else dict(
            scale=1 / 256, zero_point=-128)
        tensor = m.tensor(f"y{number}", (1, 8), **form)
        m.operator(name, [source], [tensor], **({"beta": 1.0} if name == "SOFTMAX" else {}))
    m.output(tensor)
    return m.finish()


@pytest.mark.parametrize("following, where", [
    ((), ()), (("DEQUANTIZE",), ("host",)), (("SOFTMAX", "RESHAPE"), ("host", "host")),
    (("RESHAPE", "SOFTMAX", "DEQUANTIZE"), ("host",) * 3),
    (("RELU",), ("unsupported",)),
])
def test_after_a_softmax_on_the_host_nothing_runs_on_the_device(following, where):
    small = preset("tiny", spad_bytes=512)      # less than the table of a SOFTMAX
    verdicts = check(softmax_and_more(*following), small)
    assert tuple(verdict.where for verdict in verdicts) == ("host", *where)
    first, *_ = check(softmax_and_more(*following), CONFIG)
    assert first.where == "weft"
