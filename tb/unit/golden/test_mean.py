"""Golden MEAN against the reference kernel."""

import numpy as np
import pytest

from golden import evaluators, mean
from support import seeds, straddle
from support.exact import assert_exact, mismatches
from support.one_operator import draw_scales, draw_zero
from weft_host.tflite_writer import ModelWriter


def mean_model(shape, axes, scales, zeros, keep_dims=False):
    m = ModelWriter()
    x = m.input("x", shape, scale=scales[0], zero_point=zeros[0])
    named = {int(a) % len(shape) for a in np.atleast_1d(axes)}
    out = [1 if i in named else n for i, n in enumerate(shape) if keep_dims or i not in named]
    y = m.tensor("y", out, scale=scales[1], zero_point=zeros[1])
    axes = m.constant("axes", np.array(axes, np.int32))
    m.operator("MEAN", [x, axes], [y], keep_dims=keep_dims)
    m.output(y)
    return m.finish()


@pytest.mark.parametrize("block", range(4))
def test_random_axes_are_exact(block):
    for seed in range(block * 60, block * 60 + 60):
        rng = np.random.default_rng(seed)
        shape = tuple(int(n) for n in rng.integers(1, 9, rng.integers(1, 5)))
        axes = rng.choice(len(shape), int(rng.integers(1, len(shape) + 1)), replace=False)
        axes = np.where(rng.random(len(axes)) < 0.3, axes - len(shape), axes)
        scales, zeros = draw_scales(rng, 2, spread=1), (draw_zero(rng), draw_zero(rng))
        if seed % 3 == 0:  # equal quantisation, as in most networks
            scales[1], zeros = scales[0], (zeros[0], zeros[0])
        x = rng.integers(-128, 128, shape) >> rng.integers(0, 8)
        model = mean_model(shape, axes, scales, zeros, keep_dims=bool(rng.integers(2)))
        assert_exact(model, [x.astype(np.int8)], f"seed {seed}: {shape} {axes}")


@pytest.mark.parametrize("size", [(1, 1), (7, 7), (25, 5), (8, 8), (1, 49), (64, 64)])
def test_whole_images_are_exact(size):
    for seed in range(12):
        rng = np.random.default_rng(seed)
        shape = (2, *size, 5)
        model = mean_model(shape, [1, 2], draw_scales(rng, 2, spread=1), (draw_zero(rng), -128))
        for x in (rng.integers(-128, 128, shape), np.full(shape, -128), np.full(shape, 127)):
            assert_exact(model, [x.astype(np.int8)], f"seed {seed}")


def test_repeated_and_scalar_axes_are_exact():
    x = np.random.default_rng(seeds.seed(1)).integers(-128, 128, (2, 3, 4, 5)).astype(np.int8)
    for axes in ([1, 1, 2], [1, -3], 2, -1):
        assert_exact(mean_model(x.shape, axes, (0.1, 0.1), (3, 3)), [x], f"axes {axes}")


def test_extreme_ratios_are_exact():
    x = np.full((1, 5, 7, 2), 127, np.int8)
    for exponent in (-32, -31, -30, -20, 4, 12, 22, 25):
        model = mean_model(x.shape, [1, 2], (2.0**exponent, 1.0), (-128, 0))
        assert_exact(model, [x], f"ratio 2^{exponent}")


def test_ratios_of_scales_are_exact_near_ties():
    x = np.arange(-128, 128).astype(np.int8).reshape(256, 1)
    for scale_in, _, scale_out in straddle.ratios(np.random.default_rng(seeds.seed(4)), 40):
        for zero in (-128, 127):
            model = mean_model(x.shape, [1], (scale_in, scale_out), (zero, zero))
            assert_exact(model, [x], f"{scale_in!r} to {scale_out!r}, {zero}")


# negative tests: each of these deliberate errors is detected


def test_detects_a_division_of_the_sum(monkeypatch):
    shape = (1, 7, 7, 4000)
    model = mean_model(shape, [1, 2], (0.1, 0.1), (3, 3))
    rng = np.random.default_rng(seeds.seed(2))
    inputs = [(rng.integers(-128, 128, shape) >> 4).astype(np.int8)]
    assert not mismatches(model, inputs)

    def average(x, axes, *, z_in, **more):
        total = x.astype(np.int64).sum(axis=(1, 2))
        return (np.sign(total) * ((np.abs(total) + 24) // 49)).astype(np.int8)

    monkeypatch.setattr(evaluators, "mean", average)
    assert mismatches(model, inputs)


def test_detects_a_multiplier_rounded_up(monkeypatch):
    # seven elements of 1 and a ratio of 5/4: the product is just below a tie
    model = mean_model((1, 7, 1, 1), [1, 2], (1.25, 1.0), (0, 0))
    inputs = [np.ones((1, 7, 1, 1), np.int8)]
    assert not mismatches(model, inputs)
    monkeypatch.setattr(
        mean, "divide_multiplier", lambda m, s, count: (((m << 2) + count - 1) // count, s + 2)
    )
    assert mismatches(model, inputs)
