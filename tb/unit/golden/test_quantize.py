"""Golden QUANTIZE and DEQUANTIZE against the reference kernels."""

import numpy as np
import pytest

from golden import quantize
from support import seeds
from support.exact import assert_exact, mismatches
from support.one_operator import draw_scales, draw_zero
from weft_host.tflite_writer import ModelWriter

BYTES = np.arange(-128, 128).astype(np.int8).reshape(1, 256)


def conversion(op, shape, scale, zero):
    m = ModelWriter()
    float32, int8 = dict(dtype="float32"), dict(scale=scale, zero_point=zero)
    source, target = (float32, int8) if op == "QUANTIZE" else (int8, float32)
    x, y = m.input("x", shape, **source), m.tensor("y", shape, **target)
    m.operator(op, [x], [y])
    m.output(y)
    return m.finish()


def test_every_byte_is_exact_as_float32():
    for seed in range(100):
        rng = np.random.default_rng(seed)
        scale, zero = float(np.float32(2.0 ** rng.uniform(-30, 20))), draw_zero(rng)
        assert_exact(conversion("DEQUANTIZE", (1, 256), scale, zero), [BYTES], f"{scale!r} {zero}")


def test_floats_next_to_every_tie_are_exact():
    for seed in range(60):
        rng = np.random.default_rng(seed)
        (scale,), zero = draw_scales(rng, 1), draw_zero(rng)
        halves = ((np.arange(-300, 300) + 0.5) * scale).astype(np.float32)
        x = np.concatenate(
            [halves, *(np.nextafter(halves, np.float32(limit)) for limit in (-np.inf, np.inf))]
        )
        model = conversion("QUANTIZE", (1, x.size), scale, zero)
        assert_exact(model, [x.reshape(1, -1)], f"seed {seed}: {scale!r} {zero}")


def test_random_and_extreme_floats_are_exact():
    rng = np.random.default_rng(seeds.seed(0))
    extremes = [0.0, -0.0, np.inf, -np.inf, np.nan, 3e38, -3e38, 1e-45, -1e-45, 2.0**31, -(2.0**31)]
    extremes += [np.nextafter(np.float32(2.0**31), np.float32(0)), 1e9, -1e9]
    x = np.concatenate([extremes, rng.normal(0, 5, 500)]).astype(np.float32)[None]
    for scale in (1e-3, 0.1, 1.0, 100.0):
        for zero in (-128, -1, 0, 1, 127):
            assert_exact(conversion("QUANTIZE", x.shape, scale, zero), [x], f"{scale} {zero}")


# negative tests: each of these deliberate errors is detected


def half_to_even(x, scale, zero_point):
    return np.rint(x / np.float32(scale))


def by_the_reciprocal(x, scale, zero_point):
    quotient = x * (np.float32(1) / np.float32(scale))
    return np.trunc(quotient.astype(np.float64) + np.copysign(0.5, quotient))


@pytest.mark.parametrize("wrong", [half_to_even, by_the_reciprocal])
def test_detects_another_rounding(monkeypatch, wrong):
    scale = float(np.float32(0.075))
    x = ((np.arange(-100, 100) + 0.5) * scale).astype(np.float32)
    x = np.concatenate([x, np.nextafter(x, np.float32(0))])[None]
    model = conversion("QUANTIZE", x.shape, scale, 0)
    assert not mismatches(model, [x])
    monkeypatch.setattr("golden.evaluators.quantize", lambda x, **k: wrong(x, **k).astype(np.int8))
    assert mismatches(model, [x])


def test_detects_a_saturating_conversion(monkeypatch):
    x = np.array([[1e30, -1e30, 0.0]], np.float32)
    model = conversion("QUANTIZE", x.shape, 1.0, 3)
    assert not mismatches(model, [x])
    monkeypatch.setattr(
        "golden.evaluators.quantize",
        lambda x, scale, zero_point: np.clip(x + zero_point, -128, 127).astype(np.int8),
    )
    assert mismatches(model, [x])
    assert quantize.quantize(x, scale=1.0, zero_point=3).tolist() == [[-128, -128, 3]]
