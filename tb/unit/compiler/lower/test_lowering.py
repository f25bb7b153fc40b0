"""What runs where, and why not: every unsupported operator is told at once."""

import math
from fractions import Fraction

import numpy as np
import pytest

from support.models import Chain
from weft.spec.presets import preset
from weft_host.compiler import ModelError, UnsupportedError, check, compile
from weft_host.compiler.lower.quantize import average_multiplier, quantize_multiplier
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
    verdict, = check(model, CONFIG)
    assert verdict.where == "unsupported"
    with pytest.raises(UnsupportedError) as caught:
        compile(model, CONFIG)
    assert verdict.reason in str(caught.value) and caught.value.verdicts == (verdict,)
    return verdict.reason


def test_every_unsupported_operator_is_listed_with_place_and_reason():
    chain = Chain(np.random.default_rng(1), (1, 6, 6, 3))
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
        "  operator 0 EXP (makes 'exp'): Weft has no such operator\n"
        "  operator 2 ABS (makes 'abs'): Weft has no such operator")


def test_where_the_operators_of_a_chain_run():
    chain = Chain(np.random.default_rng(2), (1, 6, 6, 3))
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
    assert verdicts[0].as_dict()["where"] == "weft"


def test_weights_with_a_zero_point_are_refused():
    assert reason(fully_connected(w_zero=3)) == (
        "its weights 'w' have a zero point other than 0; Weft's weights are symmetric")


def test_a_float_model_is_listed_as_unsupported():
    assert "is float32, supported is int8; quantise the model to int8" in reason(
        fully_connected(np.ones((3, 4), np.float32), dtype="float32"))


@pytest.mark.parametrize("change, text", [
    (dict(out=(1, 4)), "its output has 4 elements instead of 3"),
    (dict(weights=np.ones((3, 3), np.int8)), "an input of 4 elements is no multiple of the 3"),
    (dict(weights=np.ones((3, 2, 2), np.int8)), "supported are two dimensions"),
    (dict(w_scale=[0.1, 0.2]), "have 2 scales for 3 channels"),
    (dict(bias=np.ones(2, np.int32)), "its bias has 2 elements for 3 channels"),
    (dict(bias=np.ones(3, np.int16)), "its bias 'b' is int16, supported is int32"),
    (dict(s_out=1e-30), "a scale ratio of"),
])
def test_inconsistent_fully_connected_layers_are_refused(change, text):
    assert text in reason(fully_connected(**change))


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


@pytest.mark.parametrize("change, text", [
    (dict(weights=(3, 3, 3, 1)), "grouped convolutions do not run"),
    (dict(out=(1, 5, 6, 3)), "its output has 5 elements along h, but an input of 6 makes 6"),
    (dict(padding="VALID"), "along h, but an input of 6 makes 4"),
    (dict(out=(1, 6, 6, 4)), "its weights are for 3 output channels, the output has 4"),
    (dict(stride_h=0), "stride 0"),
    (dict(fused_activation_function="TANH"), "fused activation TANH is not one of"),
])
def test_inconsistent_convolutions_are_refused(change, text):
    assert text in reason(conv(**change))


def test_pooling_between_different_scales_is_refused():
    writer = ModelWriter()
    x = writer.input("x", (1, 4, 4, 2), scale=0.1)
    y = writer.tensor("y", (1, 2, 2, 2), scale=0.2)
    writer.operator("MAX_POOL_2D", [x], [y], stride_h=2, stride_w=2, filter_height=2,
                    filter_width=2)
    writer.output(y)
    assert "differ in scale or zero point" in reason(writer.finish())


def test_the_device_cannot_go_on_behind_the_host():
    chain = Chain(np.random.default_rng(3), (1, 6))
    chain.softmax()
    chain.fully_connected(3)
    model = chain.finish()
    assert [v.where for v in check(model, CONFIG)] == ["weft", "weft"]
    # the table of exponentials needs 1 KiB
    verdicts = check(model, preset("tiny", spad_bytes=1024))
    assert [v.where for v in verdicts] == ["host", "unsupported"]
    assert "is made on the host, which runs only before or after the device" in verdicts[1].reason


def test_outputs_that_nothing_makes_are_refused():
    writer = ModelWriter()
    x = writer.input("x", (1, 4), scale=0.1)
    y = writer.tensor("y", (4,), scale=0.1)
    stray = writer.tensor("stray", (4,), scale=0.1)
    writer.operator("RESHAPE", [x], [y], new_shape=[4])
    writer.output(stray)
    with pytest.raises(ModelError, match="output 'stray' is made by no operator"):
        compile(writer.finish(), CONFIG)


def test_multipliers_are_the_nearest_31_bit_fraction():
    rng = np.random.default_rng(4)
    for real in [1.0, 0.5, 2.0, 1 - 2.0 ** -40, 2.0 ** -31, *(2.0 ** rng.uniform(-30, 20, 500))]:
        multiplier, shift = quantize_multiplier(real)
        assert 1 << 30 <= multiplier < 1 << 31 and 0 <= shift <= 62
        error = abs(Fraction(multiplier) / (Fraction(2) ** shift) - Fraction(real))
        assert error <= Fraction(1, 2) / Fraction(2) ** shift
    assert quantize_multiplier(0) == (0, 31)
    assert quantize_multiplier(2.0 ** -33) == (0, 31)
    for real in (-1.0, math.inf, math.nan, 2.0 ** 31):
        with pytest.raises(ValueError):
            quantize_multiplier(real)


def test_averages_are_exact_for_every_sum():
    for count in [*range(1, 130), 1000, 1023, 1024, 1025, 65535, 65537, (1 << 22) - 1]:
        multiplier, shift = average_multiplier(count)
        assert multiplier < 1 << 31 and shift <= 62
        sums = np.unique(np.clip(np.concatenate([
            np.arange(128 * min(count, 200) + 1),
            # quotients change where the remainder is about half
            (np.arange(1, 129)[:, None] * count - count // 2 + np.arange(-2, 3)).reshape(-1)]),
            0, 128 * count)).astype(object)
        expected = [(int(value) + count // 2) // count for value in sums]
        assert [(int(value) * multiplier + (1 << shift - 1)) >> shift
                for value in sums] == expected, count
    for count in (0, 1 << 22):
        with pytest.raises(ValueError, match=f"a window of {count} elements"):
            average_multiplier(count)
