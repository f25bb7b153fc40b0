"""Operators that are a function of one byte, compared with the reference for all bytes."""

import numpy as np
import pytest

from support import straddle
from support.litert import outputs
from support.models import ACTIVATIONS
from support.one_operator import assert_bytes, draw_scales, draw_zero, one_operator
from support.seeds import seed
from weft_host.compiler.lower.lookup_tables import unary_table
from weft_host.compiler.lower.unary_functions import FUNCTIONS

BYTES = np.arange(-128, 128).astype(np.int8).reshape(1, 256)
SIGMOIDS = {"LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}


@pytest.mark.parametrize("op", FUNCTIONS)
def test_every_byte_of_a_unary_operator_is_exact(op):
    seen = set()
    for number in range(150):
        rng = np.random.default_rng(seed(number))
        scale_in, scale_out = draw_scales(rng, 2, spread=2)
        zero_in, zero_out = draw_zero(rng), draw_zero(rng)
        scale_out, zero_out = SIGMOIDS.get(op, (scale_out, zero_out))
        options = {"alpha": float(np.float32(rng.uniform(-1, 2)))} if op == "LEAKY_RELU" else {}
        model = one_operator(
            op, [((1, 256), scale_in, zero_in)], (1, 256), (scale_out, zero_out), **options
        )
        expected = outputs(model, [BYTES])[0][0]
        found = unary_table(op, scale_in, zero_in, scale_out, zero_out, options)
        assert found.dtype == np.int8
        case = f"seed {seed(number)}: {op} {scale_in!r} {zero_in} to {scale_out!r} {zero_out}"
        assert_bytes(expected, found, f"{case} {options}")
        seen.update(found.tolist())
    assert len(seen) == 256, "the results do not cover every byte"


@pytest.mark.parametrize("op", ["LOGISTIC", "TANH"])
@pytest.mark.parametrize("zero", [-128, 127])
def test_results_close_to_a_tie_are_exact(op, zero):
    scale_out, zero_out = SIGMOIDS[op]
    rng, count = np.random.default_rng(seed(zero + 200)), round(1 / scale_out)
    for _ in range(600):
        # with this scale of the input, the real function has a tie at one of the bytes
        y = (rng.integers(0, count) + 0.5) * scale_out
        x = abs(np.log(y / (1 - y)) if op == "LOGISTIC" else np.arctanh(y))
        scale = float(np.float32(max(x, 1e-4) / rng.integers(1, 250)))
        model = one_operator(op, [((1, 256), scale, zero)], (1, 256), (scale_out, zero_out))
        found = unary_table(op, scale, zero, scale_out, zero_out)
        assert_bytes(outputs(model, [BYTES])[0][0], found, f"scale {scale!r}, zero {zero}")


def test_tanh_with_other_output_scales_is_exact():
    for number in range(1000):
        rng = np.random.default_rng(seed(number))
        scale_out = np.float32(2.0 ** rng.uniform(-9, -3))
        y = (rng.integers(0, int(0.9 / scale_out)) + 0.5) * float(scale_out)
        scale, scale_out = float(np.float32(np.arctanh(y) / rng.integers(1, 250))), float(scale_out)
        zero, zero_out = int(rng.choice([-128, 127])), draw_zero(rng)
        model = one_operator("TANH", [((1, 256), scale, zero)], (1, 256), (scale_out, zero_out))
        found = unary_table("TANH", scale, zero, scale_out, zero_out)
        assert_bytes(outputs(model, [BYTES])[0][0], found, f"seed {seed(number)}")


@pytest.mark.parametrize("op", ["LEAKY_RELU", "QUANTIZE", "RELU", "RELU6", "RELU_N1_TO_1"])
@pytest.mark.parametrize("zero", [-128, 127])
def test_scales_are_divided_with_the_precision_of_the_kernel(op, zero):
    for scale_in, _, scale_out in straddle.ratios(np.random.default_rng(seed(4)), 60):
        options = {"alpha": 0.5} if op == "LEAKY_RELU" else {}
        model = one_operator(
            op, [((1, 256), scale_in, zero)], (1, 256), (scale_out, zero), **options
        )
        found = unary_table(op, scale_in, zero, scale_out, zero, options)
        case = f"{op} {scale_in!r} to {scale_out!r}"
        assert_bytes(outputs(model, [BYTES])[0][0], found, case)


def test_the_slope_of_a_leaky_relu_is_rounded_to_float32():
    for scale_in, alpha, scale_out in straddle.products(np.random.default_rng(seed(9)), 60):
        found = unary_table("LEAKY_RELU", scale_in, 127, scale_out, 127, {"alpha": alpha})
        model = one_operator(
            "LEAKY_RELU", [((1, 256), scale_in, 127)], (1, 256), (scale_out, 127), alpha=alpha
        )
        assert_bytes(outputs(model, [BYTES])[0][0], found, f"{scale_in!r} * {alpha!r}")


@pytest.mark.parametrize("op", ["LOGISTIC", "TANH"])
def test_extreme_input_scales_of_a_sigmoid_are_exact(op):
    scale_out, zero_out = SIGMOIDS[op]
    for scale in (2.0**-20, 1e-3, 8.0, 15.99, 16.0, 100.0, 1e6):
        for zero in (-128, 0, 127):
            model = one_operator(op, [((1, 256), scale, zero)], (1, 256), SIGMOIDS[op])
            found = unary_table(op, scale, zero, scale_out, zero_out)
            assert_bytes(outputs(model, [BYTES])[0][0], found, f"scale {scale}, zero {zero}")


@pytest.mark.parametrize("op", [op for op in FUNCTIONS if op != "LOGISTIC"])
def test_ratios_far_from_one_are_exact(op):
    options = {"alpha": 0.01} if op == "LEAKY_RELU" else {}
    for ratio in (2.0**-20, 2.0**-12, 3e-3, 100.0, 127.9):
        for zero in (-128, 5, 127):
            scale, scale_out = float(np.float32(ratio * 0.3)), float(np.float32(0.3))
            inputs = [((1, 256), scale, zero)]
            model = one_operator(op, inputs, (1, 256), (scale_out, -7), **options)
            found = unary_table(op, scale, zero, scale_out, -7, options)
            assert_bytes(outputs(model, [BYTES])[0][0], found, f"{op} {ratio} {zero}")


@pytest.mark.parametrize("op", ["ADD", "SUB", "MUL"])
@pytest.mark.parametrize("first", [False, True])
def test_every_byte_with_a_constant_is_exact(op, first):
    for number in range(60):
        rng = np.random.default_rng([seed(number), first])
        scale, other_scale, scale_out = draw_scales(rng, 3)
        zero, other_zero, zero_out = (draw_zero(rng) for _ in range(3))
        constant = np.array(rng.integers(-128, 128), np.int8)
        activation = ACTIVATIONS[number % 4]
        inputs = [((1, 256), scale, zero), (constant, other_scale, other_zero)]
        model = one_operator(
            op,
            inputs[::-1] if first else inputs,
            (1, 256),
            (scale_out, zero_out),
            fused_activation_function=activation,
        )
        options = dict(
            constant=constant,
            constant_scale=other_scale,
            constant_zero=other_zero,
            constant_first=first,
            activation=activation,
        )
        found = unary_table(op, scale, zero, scale_out, zero_out, options)
        assert_bytes(outputs(model, [BYTES])[0][0], found, f"seed {seed(number)}: {options}")


def test_other_operators_are_rejected():
    message = (
        "^CONV_2D is not a function of one byte; those are HARD_SWISH, LEAKY_RELU, LOGISTIC, "
        "QUANTIZE, RELU, RELU6, RELU_N1_TO_1, TANH, ADD, SUB, MUL$"
    )
    with pytest.raises(ValueError, match=message):
        unary_table("CONV_2D", 1.0, 0, 1.0, 0)


def test_a_scale_ratio_that_the_kernel_of_hard_swish_rejects_is_rejected():
    message = (
        "^HARD_SWISH: the input's scale 200.0 is 128 times the output's, 1.0, or more; the "
        "reference kernel does not support this$"
    )
    with pytest.raises(ValueError, match=message):
        unary_table("HARD_SWISH", 200.0, 0, 1.0, 0)
