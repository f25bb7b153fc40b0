"""Golden CONV_2D and DEPTHWISE_CONV_2D against the reference kernels."""

import numpy as np
import pytest

from golden import conv, depthwise, requantize
from support import seeds
from support.exact import assert_exact, mismatches
from support.models import ACTIVATIONS, Chain, random_input
from weft_host.tflite_writer import ModelWriter


def random_conv(seed, *, is_depthwise):
    """Draw a layer: batch, shape, kernel, stride, dilation, scales and biases."""
    rng = np.random.default_rng(seed)
    padding = ["SAME", "VALID"][rng.integers(2)]
    size = rng.integers(1, 14, 2)
    kernel, stride, dilation = rng.integers(1, 6, 2), rng.integers(1, 4, 2), np.array([1, 1])
    if rng.random() < 0.3:
        dilation = rng.integers(1, 4, 2)
    if padding == "VALID":
        size = np.maximum(size, (kernel - 1) * dilation + 1)
    chain = Chain(rng, (rng.integers(1, 4), *size, rng.integers(1, 20)))
    chain.conv(
        int(rng.integers(1, 4 if is_depthwise else 20)),
        tuple(kernel.tolist()),
        depthwise=is_depthwise,
        stride=tuple(stride.tolist()),
        dilation=tuple(dilation.tolist()),
        padding=padding,
        bias=rng.random() < 0.8,
        per_channel=rng.random() < 0.8,
    )
    return chain.finish()


@pytest.mark.parametrize("is_depthwise", [False, True])
@pytest.mark.parametrize("block", range(4))
def test_random_layers_are_exact(block, is_depthwise):
    for seed in range(block * 50, block * 50 + 50):
        model = random_conv(seed, is_depthwise=is_depthwise)
        assert_exact(model, random_input(model, seed), f"seed {seed}")


@pytest.mark.parametrize("is_depthwise", [False, True])
@pytest.mark.parametrize("kernel", [(10, 8), (23, 1), (1, 23), (10, 4), (1, 1)])
def test_large_kernels_and_multipliers_are_exact(kernel, is_depthwise):
    for seed in range(12):
        rng = np.random.default_rng(seed)
        dilation = (1, 1) if seed % 3 else tuple(int(n) for n in rng.integers(1, 4, 2))
        reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
        padding = ["SAME", "VALID"][seed % 2]
        size = [int(rng.integers(r if padding == "VALID" else 1, r + 12)) for r in reach]
        chain = Chain(rng, (1, *size, int(rng.integers(1, 6))))
        chain.conv(
            int(rng.integers(1, 17)),
            kernel,
            depthwise=is_depthwise,
            stride=tuple(int(n) for n in rng.integers(1, 4, 2)),
            dilation=dilation,
            padding=padding,
        )
        model = chain.finish()
        assert_exact(model, random_input(model, seed), f"seed {seed}: {kernel}")


def test_extreme_operands_are_exact():
    # products of -128 and of zero points at both ends; odd sizes
    for zero_point in (-128, -1, 0, 127):
        for value in (-128, 127):
            m = ModelWriter()
            x = m.input("x", (1, 3, 5, 3), scale=0.5, zero_point=zero_point)
            w = np.full((2, 3, 3, 3), -128, np.int8)
            w[1] = 127
            w = m.constant("w", w, scale=[0.001, 0.002])
            b = m.constant("b", np.array([-5, 7], np.int32), scale=[0.0005, 0.001])
            y = m.tensor("y", (1, 3, 5, 2), scale=9.0, zero_point=3)
            m.operator("CONV_2D", [x, w, b], [y], padding="SAME")
            m.output(y)
            image = np.full((1, 3, 5, 3), value, np.int8)
            assert_exact(m.finish(), [image], f"zero point {zero_point}, value {value}")


def bias_model(operator, biases, multiplier, *, s_out=1.0, activation="NONE", per_channel=True):
    """Return a layer with zero weights: channel ``c`` requantises ``biases[c]`` alone."""
    count = len(biases)
    shape, axis = ((count, 1, 1, 1), 0) if operator == "CONV_2D" else ((1, 1, 1, count), 3)
    m = ModelWriter()
    x = m.input("x", (1, 1, 1, 1), scale=1.0)
    scale = np.broadcast_to(multiplier * s_out, count) if per_channel else multiplier * s_out
    w = m.constant("w", np.zeros(shape, np.int8), scale=scale, axis=axis)
    b = m.constant("b", np.asarray(biases, np.int32), scale=scale)
    y = m.tensor("y", (1, 1, 1, count), scale=s_out)
    extra = {} if operator == "CONV_2D" else {"depth_multiplier": count}
    m.operator(operator, [x, w, b], [y], fused_activation_function=activation, **extra)
    m.output(y)
    return m.finish()


ZERO = [np.zeros((1, 1, 1, 1), np.int8)]
OPERATORS = pytest.mark.parametrize("operator", ["CONV_2D", "DEPTHWISE_CONV_2D"])


def near_ties(multiplier, spread=2):
    """Return sums on both sides of every tie of an int8 result."""
    ties = np.rint((np.arange(-120, 120) + 0.5) / multiplier)
    return (ties[:, None] + np.arange(-spread, spread + 1)).ravel().astype(np.int64)


@OPERATORS
@pytest.mark.parametrize("exponent", range(0, 24, 3))
def test_near_ties_are_exact(operator, exponent):
    rng = np.random.default_rng(exponent)
    for fraction in (1.0, float(rng.uniform(0.5, 1))):
        multiplier = float(np.float32(fraction * 2.0**-exponent))
        model = bias_model(operator, near_ties(multiplier), multiplier)
        assert_exact(model, ZERO, f"multiplier {multiplier!r}")


@OPERATORS
@pytest.mark.parametrize("per_channel", [False, True])
def test_biases_to_two_to_the_thirtieth_are_exact(operator, per_channel):
    rng = np.random.default_rng(seeds.seed(30))
    biases = np.concatenate([rng.integers(-(2**30), 2**30, 500), [2**30, -(2**30), 2**31 - 1, -1]])
    for multiplier in (2.0**-23, float(np.float32(1.3e-7)), 2.0**-31, 2.0**-32, 2.0**-34):
        model = bias_model(operator, biases, multiplier, per_channel=per_channel)
        assert_exact(model, ZERO, f"multiplier {multiplier!r}")


@OPERATORS
def test_scales_above_one_are_exact_and_wrap(operator):
    biases = [0, 1, -1, 5, -31, 2**27 + 3, 2**28 + 1, -(2**29) - 3, 2**30 + 1, 2**31 - 1]
    for multiplier in (1.0, 1.5, 2.0, 3.0, 17.25, 100.0):
        assert_exact(bias_model(operator, biases, multiplier), ZERO, f"multiplier {multiplier}")


@OPERATORS
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_clamps_are_exact_at_their_bounds(operator, activation):
    # the output's scale places 6 and 1 on and next to ties of the quantised range
    for half in (0.5, 1.5, 10.5, 63.5, 100.5):
        for bound in (1.0, 6.0):
            tie = np.float32(bound / half)
            for towards in (-np.inf, tie, np.inf):
                s_out = float(np.nextafter(tie, np.float32(towards)))
                model = bias_model(
                    operator, np.arange(-140, 141), 1.0, s_out=s_out, activation=activation
                )
                assert_exact(model, ZERO, f"{activation}, scale {s_out!r}")


# negative tests: each of these deliberate errors is detected


def test_detects_single_rounding(monkeypatch):
    model = bias_model("CONV_2D", near_ties(2.0**-5), 2.0**-5)
    assert not mismatches(model, ZERO)
    monkeypatch.setattr(requantize, "multiply_by_quantized_multiplier", requantize.tfl1)
    assert mismatches(model, ZERO)


def test_detects_halves_away_from_zero(monkeypatch):
    model = bias_model("CONV_2D", near_ties(2.0**-5), 2.0**-5)
    monkeypatch.setattr(requantize, "multiply_by_quantized_multiplier", requantize.away)
    assert mismatches(model, ZERO)


def test_detects_an_accumulator_of_24_bits(monkeypatch):
    model = bias_model("CONV_2D", [2**23, -(2**24), 2**29], 2.0**-23)
    assert not mismatches(model, ZERO)
    monkeypatch.setattr(requantize, "wrap32", lambda x: ((np.asarray(x) + 2**23) % 2**24) - 2**23)
    assert mismatches(model, ZERO)


@pytest.mark.parametrize("module, is_depthwise", [(conv, False), (depthwise, True)])
def test_detects_padding_with_zero_bytes(monkeypatch, module, is_depthwise):
    chain = Chain(np.random.default_rng(seeds.seed(5)), (1, 4, 4, 3), scale=0.05, zero_point=-90)
    chain.conv(2, (3, 3), depthwise=is_depthwise, padding="SAME", activation="NONE", scale=0.1)
    model = chain.finish()
    rng = np.random.default_rng(seeds.seed(6))
    inputs = [rng.integers(-128, 128, (1, 4, 4, 3)).astype(np.int8)]
    assert not mismatches(model, inputs)
    true_windows = module.windows
    monkeypatch.setattr(module, "windows", lambda *args: true_windows(*args[:5], 0))
    assert mismatches(model, inputs)


def test_detects_an_odd_element_of_padding_at_the_start(monkeypatch):
    from golden import windows

    chain = Chain(np.random.default_rng(seeds.seed(8)), (1, 4, 4, 2))
    chain.conv(3, (2, 2), padding="SAME", activation="NONE")
    model = chain.finish()
    rng = np.random.default_rng(seeds.seed(9))
    inputs = [rng.integers(-128, 128, (1, 4, 4, 2)).astype(np.int8)]
    assert not mismatches(model, inputs)
    leading = windows.leading_pad
    monkeypatch.setattr(windows, "leading_pad", lambda *args: leading(*args) + 1)
    assert mismatches(model, inputs)


def test_detects_one_multiplier_for_all_channels(monkeypatch):
    model = bias_model("CONV_2D", [1000, 1000], np.array([0.05, 0.1]))
    assert not mismatches(model, ZERO)
    true_product = conv.product_of_scales
    monkeypatch.setattr(conv, "product_of_scales", lambda s, w: true_product(s, w[:1]))
    assert mismatches(model, ZERO)
