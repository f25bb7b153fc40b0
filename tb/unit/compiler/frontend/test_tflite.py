"""Model files: what is read, and that no damaged file gets through or crashes."""

import numpy as np
import pytest
import tflite

from support.models import Chain, random_model
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
    assert graph.tensor(-1) is None


def test_tolerates_an_odd_quantised_dimension_of_a_bias_and_unused_tensors():
    graph = read_model(conv_model())
    assert graph.tensor(2).axis == 5
    compile(conv_model(), preset("tiny"))


@pytest.mark.parametrize("codes", CODES)
def test_takes_the_larger_of_the_two_operator_codes(codes):
    m = ModelWriter(codes=codes)
    x = m.input("x", (1, 2), scale=1.0)
    pads = m.constant("pads", np.array([[0, 0], [1, 1]], np.int32))
    y = m.tensor("y", (1, 4), scale=1.0)
    m.operator("PAD", [x, pads], [y])
    m.output(y)
    assert read_model(m.finish()).operators[0].name == "PAD"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"nowhere\.tflite cannot be read: No such file"):
        read_model(tmp_path / "nowhere.tflite")


@pytest.mark.parametrize("raw", [b"", b"TFL3", b"PK\x03\x04" * 100, b"\0\0\0\0TFL2" + bytes(99)])
def test_a_foreign_file_is_refused(raw):
    with pytest.raises(ModelError, match="is not a TensorFlow Lite model"):
        read_model(raw)


def test_a_file_truncated_anywhere_is_refused_or_complete(tmp_path):
    raw = conv_model()
    refused = 0
    for size in range(8, len(raw), 7):
        path = tmp_path / "cut.tflite"
        path.write_bytes(raw[:size])
        try:
            read_model(path)
        except ModelError as error:
            refused += 1
            assert str(error).startswith(str(path))
    assert refused > 0.9 * len(range(8, len(raw), 7))


def test_damaged_bytes_never_raise_anything_but_our_own_errors():
    rng = np.random.default_rng(20)
    refused = 0
    for seed in range(300):
        raw = bytearray(random_model([seed, 5], operators=2, max_size=6, max_channels=4))
        for at in rng.integers(8, len(raw), rng.integers(1, 6)):
            raw[at] = rng.choice([0, 255, rng.integers(256)])
        try:
            compile(bytes(raw), preset("tiny"))
        except WeftError:
            refused += 1
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error!r}") from error
    assert refused > 30


def test_an_index_out_of_range_is_told(monkeypatch):
    monkeypatch.setattr(tflite.Operator, "InputsAsNumpy", lambda self: np.array([0, 1, 99]))
    with pytest.raises(ModelError, match="operator 0 CONV_2D names tensor 99, but there are 5"):
        read_model(conv_model())


def test_a_constant_of_the_wrong_size_is_told(monkeypatch):
    monkeypatch.setattr(tflite.Buffer, "DataAsNumpy", lambda self: np.zeros(5, np.uint8))
    with pytest.raises(ModelError, match=r"needs 60 bytes, but its buffer has 5"):
        read_model(conv_model())


@pytest.mark.parametrize("method, value, message", [
    ("Version", 2, "has schema version 2; supported is 3"),
    ("SubgraphsLength", 0, "has 0 subgraphs; supported is one"),
])
def test_other_schemas_are_refused(monkeypatch, method, value, message):
    monkeypatch.setattr(tflite.Model, method, lambda self: value)
    with pytest.raises(ModelError, match=message):
        read_model(conv_model())


def test_a_model_without_output_is_refused():
    chain = Chain(np.random.default_rng(0), (1, 4))
    chain.fully_connected(3)
    with pytest.raises(ModelError, match="the outputs of the model are tensors"):
        read_model(chain.writer.finish())
