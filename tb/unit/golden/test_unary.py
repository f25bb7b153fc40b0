"""Golden functions of one element against the reference kernels."""

import numpy as np
import pytest

from golden import evaluators, unary
from support import seeds, straddle
from support.exact import assert_exact, mismatches
from support.one_operator import draw_scales, draw_zero, one_operator

BYTES = np.arange(-128, 128).astype(np.int8).reshape(1, 256)
CLAMPS = ("RELU", "RELU6", "RELU_N1_TO_1")
SCALED = (*CLAMPS, "LEAKY_RELU", "HARD_SWISH", "TANH", "QUANTIZE")


def model(op, scale_in, zero_in, scale_out, zero_out, **options):
    if op == "LOGISTIC":
        scale_out, zero_out = 1 / 256, -128
    out = (scale_out, zero_out)
    return one_operator(op, [((1, 256), scale_in, zero_in)], (1, 256), out, **options)


@pytest.mark.parametrize("op", [*SCALED, "LOGISTIC"])
def test_every_byte_is_exact(op):
    for seed in range(100):
        rng = np.random.default_rng([seed, 1])
        scales = draw_scales(rng, 2, spread=2)
        zeros = draw_zero(rng), draw_zero(rng)
        options = {"alpha": float(rng.uniform(-1, 2))} if op == "LEAKY_RELU" else {}
        assert_exact(
            model(op, scales[0], zeros[0], scales[1], zeros[1], **options),
            [BYTES],
            f"seed {seed}: {op} {scales} {zeros} {options}",
        )


@pytest.mark.parametrize("op", ["LOGISTIC", "TANH"])
def test_results_next_to_a_tie_are_exact(op):
    rng = np.random.default_rng(seeds.seed(3))
    count = 256 if op == "LOGISTIC" else 128
    for _ in range(300):
        y = (rng.integers(0, count) + 0.5) / count
        x = abs(np.log(y / (1 - y)) if op == "LOGISTIC" else np.arctanh(y))
        scale, zero = float(max(x, 1e-4) / rng.integers(1, 250)), int(rng.choice([-128, 127]))
        assert_exact(model(op, scale, zero, 1 / 128, 0), [BYTES], f"{op} {scale!r} {zero}")


@pytest.mark.parametrize("op", [*CLAMPS, "LEAKY_RELU", "QUANTIZE"])
def test_ratios_of_scales_are_exact_near_ties(op):
    for scale_in, _, scale_out in straddle.ratios(np.random.default_rng(seeds.seed(4)), 40):
        for zero in (-128, 127):
            case = f"{op} {scale_in!r} to {scale_out!r}, {zero}"
            assert_exact(model(op, scale_in, zero, scale_out, zero), [BYTES], case)


def test_slopes_are_exact_near_ties():
    for scale_in, alpha, scale_out in straddle.products(np.random.default_rng(seeds.seed(5)), 40):
        leaky = model("LEAKY_RELU", scale_in, 127, scale_out, 127, alpha=alpha)
        assert_exact(leaky, [BYTES], f"{scale_in!r} * {alpha!r} / {scale_out!r}")


@pytest.mark.parametrize("op", SCALED)
def test_ratios_far_from_one_are_exact(op):
    # HARD_SWISH requires a ratio below 128
    for ratio in (2.0**-12, 3e-3, 100.0, 127.9):
        for zero in (-128, 5, 127):
            assert_exact(model(op, ratio * 0.3, zero, 0.3, -7), [BYTES], f"{op} {ratio} {zero}")


def test_hard_swish_rejects_ratios_that_the_kernel_rejects():
    with pytest.raises(ValueError, match="^Scale 200.0 is at least 128 times the output's, 1.0$"):
        unary.hard_swish(BYTES, s_in=200.0, z_in=0, s_out=1.0, z_out=0)


# negative tests: each of these deliberate errors is detected


def test_detects_a_clamp_without_requantisation(monkeypatch):
    relu = model("RELU", 0.1, 3, 0.2, -5)
    assert not mismatches(relu, [BYTES])
    monkeypatch.setitem(
        evaluators.EVALUATORS,
        "RELU",
        lambda options, operands, tensors, out: np.maximum(operands[0], out.zero_point[0]),
    )
    assert mismatches(relu, [BYTES])


def test_detects_wrong_rounding_at_the_end_of_hard_swish(monkeypatch):
    swish = model("HARD_SWISH", 0.05, 3, 0.05, -5)
    assert not mismatches(swish, [BYTES])
    monkeypatch.setattr(unary, "_divide_by_pot16", lambda x, exponent: x >> exponent)
    assert mismatches(swish, [BYTES])


def test_detects_real_arithmetic_in_a_table(monkeypatch):
    tanh, wrong = model("TANH", 0.05, 3, 0.011, 4), 0
    assert not mismatches(tanh, [BYTES])
    monkeypatch.setattr(unary, "_c_function", lambda name: lambda x: np.tanh(np.float64(x)))
    rng = np.random.default_rng(seeds.seed(3))
    for _ in range(100):
        y = (rng.integers(0, 128) + 0.5) / 128
        scale = float(np.arctanh(y) / rng.integers(1, 250))
        wrong += bool(mismatches(model("TANH", scale, 127, 1 / 128, 0), [BYTES]))
    assert wrong
