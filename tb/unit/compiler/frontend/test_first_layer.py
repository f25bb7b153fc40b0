"""Extraction of a model's first operator into a model of its own."""

import pathlib

import numpy as np
import pytest
from first_layer import first_layer

from weft_host.compiler.frontend.tflite import read_model
from weft_host.tflite_writer import ModelWriter

DIGITS = pathlib.Path(__file__).resolve().parents[4] / "examples" / "digits"


def depthwise():
    """Return a model of two layers; the scales of the first belong to its last axis."""
    m = ModelWriter()
    scales = [0.5, 0.25, 0.125]
    x = m.input("x", (1, 9, 9, 3), scale=0.1, zero_point=-3)
    w = m.constant("w", np.arange(27).astype(np.int8).reshape(1, 3, 3, 3), scale=scales, axis=3)
    b = m.constant("b", np.arange(3).astype(np.int32), scale=[scale / 10 for scale in scales])
    y = m.tensor("y", (1, 3, 5, 3), scale=0.7, zero_point=5)
    z = m.tensor("z", (1, 1, 2, 3), scale=0.7, zero_point=5)
    m.operator("DEPTHWISE_CONV_2D", [x, w, b], [y], padding="VALID", stride_h=2, stride_w=1,
               dilation_h_factor=2, dilation_w_factor=2, fused_activation_function="RELU6")
    m.operator("MAX_POOL_2D", [y], [z], padding="VALID", filter_height=2, filter_width=3,
               stride_h=2, stride_w=2)
    m.output(z)
    return m.finish()


def pool():
    m = ModelWriter()
    x = m.input("x", (1, 6, 6, 2), scale=0.1, zero_point=1)
    y = m.tensor("y", (1, 3, 2, 2), scale=0.1, zero_point=1)
    m.operator("MAX_POOL_2D", [x], [y], padding="VALID", filter_height=2, filter_width=3,
               stride_h=2, stride_w=3, fused_activation_function="RELU")
    m.output(y)
    return m.finish()


@pytest.mark.parametrize("model", [(DIGITS / "digits.tflite").read_bytes(), depthwise(), pool()],
                         ids=["digits", "depthwise", "pool"])
def test_the_first_operator_keeps_its_options_and_tensors(model):
    full, single = read_model(model), read_model(first_layer(model))
    assert len(single.operators) == 1
    actual, expected = single.operators[0], full.operators[0]
    assert (actual.name, actual.options) == (expected.name, expected.options)
    assert single.outputs == actual.outputs
    pairs = [*zip(actual.inputs, expected.inputs), *zip(actual.outputs, expected.outputs)]
    for a, b in ((single.tensor(first), full.tensor(second)) for first, second in pairs):
        assert (a.shape, a.dtype, a.scale, a.zero_point, a.axis) == \
            (b.shape, b.dtype, b.scale, b.zero_point, b.axis)
        np.testing.assert_array_equal(a.value, b.value)
