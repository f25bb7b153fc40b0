"""Reader of model files: contents of intact files, and errors for damaged ones."""

import re

import numpy as np
import pytest
import tflite

from support.models import Chain, random_model
from support.seeds import seed
from weft.spec.presets import preset
from weft_host import WeftError
from weft_host.compiler import ModelError, compile
from weft_host.compiler.frontend.tflite import read_model
from weft_host.tflite_writer import CODES, ModelWriter


def conv_model():
    writer = ModelWriter()
    x = writer.input("x", (1, 6, 5, 2), scale=0.1, zero_point=-3)
    w = writer.constant("w", np.arange(36, dtype=np.int8).reshape(2, 3, 3, 2), scale=[0.1, 0.2])
    b = writer.constant("b", np.array([7, -8], np.int32), scale=[0.01, 0.02], axis=5)
    y = writer.tensor("y", (1, 3, 3, 2), scale=0.5, zero_point=10)
    writer.tensor("unused", (3,))
    writer.operator("CONV_2D", [x, w, b], [y], padding="SAME", stride_h=2, stride_w=2,
                    fused_activation_function="RELU6")
    writer.output(y)
    return writer.finish()


def test_reads_tensors_operators_and_options():
    graph = read_model(conv_model())
    op, = graph.operators
    assert (op.name, op.inputs, op.outputs) == ("CONV_2D", (0, 1, 2), (3,))
    assert op.options == {"padding": "SAME", "stride_h": 2, "stride_w": 2, "activation": "RELU6",
                          "dilation_h": 1, "dilation_w": 1}
    assert graph.inputs == (0,) and graph.outputs == (3,)
    weights = graph.tensor(1)
    assert weights.value.shape == (2, 3, 3, 2) and weights.value.dtype == np.int8
    assert weights.value.reshape(-1).tolist() == list(range(36))
    np.testing.assert_array_equal(np.float32(weights.scale), np.float32([0.1, 0.2]))
    assert graph.tensor(0).zero_point == (-3,) and graph.tensor(0).value is None


def test_an_absent_operand_is_none_but_an_absent_tensor_is_an_error():
    graph = read_model(conv_model())
    assert graph.operand(-1) is None and graph.operand(1) is graph.tensor(1)
    with pytest.raises(ModelError, match="^the model: an operator lacks a tensor that it "
                                         "requires$"):
        graph.tensor(-1)


def test_accepts_an_invalid_quantised_dimension_of_a_bias_and_unused_tensors():
    graph = read_model(conv_model())
    assert graph.tensor(2).axis == 5
    compile(conv_model(), preset("tiny"))


@pytest.mark.parametrize("codes", CODES)
def test_uses_the_larger_of_the_two_operator_codes(codes):
    m = ModelWriter(codes=codes)
    x = m.input("x", (1, 2), scale=1.0)
    pads = m.constant("pads", np.array([[0, 0], [1, 1]], np.int32))
    y = m.tensor("y", (1, 4), scale=1.0)
    m.operator("PAD", [x, pads], [y])
    m.output(y)
    assert read_model(m.finish()).operators[0].name == "PAD"


def test_reports_the_path_of_a_missing_file(tmp_path):
    path = tmp_path / "nowhere.tflite"
    message = re.escape(f"{path} cannot be read: No such file or directory")
    with pytest.raises(ModelError, match=f"^{message}$"):
        read_model(path)


@pytest.mark.parametrize("model, message", [
    ("", "the path of the model is empty"),
    (b"", "the model is empty; a TensorFlow Lite model is expected"),
    (b"WEFTPROG" + bytes(99),
     "the model is a compiled program; give the model that it was compiled from"),
    ("/dev/null", "/dev/null is empty; a TensorFlow Lite model is expected"),
    ("/", "/ cannot be read: Is a directory"),
])
def test_reports_an_empty_path_and_an_empty_file(model, message):
    with pytest.raises(ModelError, match=f"^{message}$"):
        read_model(model)


@pytest.mark.parametrize("raw", [b"TFL3", b"PK\x03\x04" * 100, b"\0\0\0\0TFL2" + bytes(99)])
def test_rejects_a_file_of_another_format(raw):
    message = re.escape("the model is not a TensorFlow Lite model: bytes 4 to 7 are "
                        f"{raw[4:8]!r} instead of b'TFL3'")
    with pytest.raises(ModelError, match=f"^{message}$"):
        read_model(raw)


def test_rejects_a_file_truncated_anywhere_unless_it_is_complete(tmp_path):
    raw = conv_model()
    rejected = 0
    for size in range(8, len(raw), 7):
        path = tmp_path / "cut.tflite"
        path.write_bytes(raw[:size])
        try:
            read_model(path)
        except ModelError as error:
            rejected += 1
            assert str(error).startswith(str(path))
    assert rejected > 0.9 * len(range(8, len(raw), 7))


def test_damaged_bytes_raise_only_errors_of_this_package():
    rng = np.random.default_rng(seed(20))
    rejected = 0
    for number in range(300):
        key = [seed(number), 5]
        raw = bytearray(random_model(key, operators=2, max_size=6, max_channels=4))
        # every other file has a damaged table offset, which cannot be read
        positions = [0, 1, 2, 3] if number % 2 else rng.integers(8, len(raw), rng.integers(1, 6))
        for position in positions:
            raw[position] = rng.choice([0, 255, rng.integers(256)])
        if number % 2:
            raw[3] = 255
        try:
            compile(bytes(raw), preset("tiny"))
        except WeftError:
            rejected += 1
        except Exception as error:
            raise AssertionError(f"seed {key}: {error!r}") from error
    assert rejected >= 150


def test_reports_an_index_out_of_range(monkeypatch):
    monkeypatch.setattr(tflite.Operator, "InputsAsNumpy", lambda self: np.array([0, 1, 99]))
    with pytest.raises(ModelError, match="^the model: operator 0 CONV_2D refers to tensor 99, but "
                                         "the model has 5 tensors$"):
        read_model(conv_model())


def test_reports_a_constant_of_the_wrong_size(monkeypatch):
    monkeypatch.setattr(tflite.Buffer, "DataAsNumpy", lambda self: np.zeros(5, np.uint8))
    with pytest.raises(ModelError, match=r"^the model: tensor 0 'x' of shape \(1, 6, 5, 2\) and "
                                         "type int8 needs 60 bytes, but its buffer has 5$"):
        read_model(conv_model())


@pytest.mark.parametrize("method, value, message", [
    ("Version", 2, "the model has schema version 2; only version 3 is supported"),
    ("SubgraphsLength", 0,
     "the model has 0 subgraphs; only models with one subgraph are supported"),
])
def test_rejects_other_schemas(monkeypatch, method, value, message):
    monkeypatch.setattr(tflite.Model, method, lambda self: value)
    with pytest.raises(ModelError, match=f"^{message}$"):
        read_model(conv_model())


def test_rejects_a_model_without_output():
    chain = Chain(np.random.default_rng(seed(0)), (1, 4))
    chain.fully_connected(3)
    with pytest.raises(ModelError, match=(
            r"^the model: the outputs of the model are tensors \[\]; there must be at least one "
            "tensor, and none may occur twice$")):
        read_model(chain.writer.finish())
