"""Golden FULLY_CONNECTED against the reference kernel."""

import numpy as np
import pytest

from golden import conv, fully_connected, requantize
from support import seeds
from support.exact import assert_exact, mismatches
from support.models import Chain, random_input
from weft_host.tflite_writer import ModelWriter


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("block", range(2))
def test_random_layers_are_exact(block, per_channel):
    for seed in range(block * 60, block * 60 + 60):
        rng = np.random.default_rng(seed)
        chain = Chain(rng, rng.integers(1, (5, 70)))
        bias = bool(rng.random() < 0.8)
        chain.fully_connected(int(rng.integers(1, 50)), per_channel=per_channel, bias=bias)
        model = chain.finish()
        assert_exact(model, random_input(model, seed), f"seed {seed}")


def layer(x_shape, w, bias, y_shape, *, s_in, s_weights, z_weights=0, **options):
    m = ModelWriter()
    x = m.input("x", x_shape, scale=s_in, zero_point=-4)
    weights = m.constant("w", w, scale=s_weights, zero_point=z_weights)
    s_bias = np.asarray(s_weights) * s_in
    b = -1 if bias is None else m.constant("b", np.asarray(bias, np.int32), scale=s_bias)
    y = m.tensor("y", y_shape, scale=1.0, zero_point=1)
    m.operator("FULLY_CONNECTED", [x, weights, b], [y], **options)
    m.output(y)
    return m.finish()


def test_tensor_of_any_rank_is_regrouped_into_rows():
    rng = np.random.default_rng(seeds.seed(3))
    w = rng.integers(-127, 128, (5, 6)).astype(np.int8)
    x = rng.integers(-128, 128, (2, 2, 3, 6)).astype(np.int8)
    for keep, shape in ((True, (2, 2, 3, 5)), (False, (12, 5))):
        model = layer(x.shape, w, None, shape, s_in=0.1, s_weights=0.01, keep_num_dims=keep)
        assert_exact(model, [x], f"keep_num_dims {keep}")
    flattened = layer((2, 3, 1, 2), w, None, (2, 5), s_in=0.1, s_weights=0.01)
    assert_exact(flattened, [x[:1, :1, :2, :].reshape(2, 3, 1, 2)], "rows across axes")


def test_weights_with_a_zero_point_are_exact():
    rng = np.random.default_rng(seeds.seed(4))
    w = rng.integers(-128, 128, (9, 31)).astype(np.int8)
    x = rng.integers(-128, 128, (3, 31)).astype(np.int8)
    model = layer(x.shape, w, None, (3, 9), s_in=0.1, s_weights=0.001, z_weights=17)
    assert_exact(model, [x], "zero point 17")


def straddles(s_in, s_weights):
    """Return sums with different results for a float32 and a double product of scales."""
    double = conv.product_of_scales(s_in, s_weights)
    single = np.float64(np.float32(s_in) * np.float32(s_weights))
    ties = np.rint((np.arange(-119, 119) + 0.5) / double)[:, None] + np.arange(-40, 41)
    sums = ties.ravel().astype(np.int64)
    of_double, of_single = (
        requantize.multiply_by_quantized_multiplier(sums, *requantize.quantize_multiplier(p))
        for p in (double, single)
    )
    return sums[of_double != of_single][:256]


@pytest.mark.parametrize("per_channel", [False, True])
def test_product_of_scales_is_float32_with_one_scale_only(monkeypatch, per_channel):
    rng = np.random.default_rng(seeds.seed(12))
    compared = 0
    for _ in range(20):
        s_in = float(np.float32(rng.uniform(0.01, 0.1)))
        s_weights = float(np.float32(2.0 ** rng.uniform(-23, -22) / s_in))
        bias = straddles(s_in, s_weights)
        if len(bias) < 2:
            continue
        compared += len(bias)
        w = np.zeros((len(bias), 1), np.int8)
        scales = [s_weights] * len(bias) if per_channel else s_weights
        model = layer((1, 1), w, bias, (1, len(bias)), s_in=s_in, s_weights=scales)
        zero = [np.zeros((1, 1), np.int8)]
        assert_exact(model, zero, f"scales {s_in!r}, {s_weights!r}")
        with monkeypatch.context() as patch:
            single = np.float64(np.float32(s_in) * np.float32(s_weights))
            double = conv.product_of_scales(s_in, s_weights)
            wrong = single if per_channel else double
            patch.setattr(fully_connected, "product_of_scales", lambda *_, wrong=wrong: wrong)
            assert mismatches(model, zero)
    assert compared > 1000


def test_detects_a_missing_input_zero_point(monkeypatch):
    w = np.ones((1, 8), np.int8)
    model = layer((1, 8), w, None, (1, 1), s_in=0.5, s_weights=0.5)
    inputs = [np.arange(8, dtype=np.int8).reshape(1, 8)]
    assert not mismatches(model, inputs)
    true_accumulate = fully_connected.accumulate
    monkeypatch.setattr(
        fully_connected, "accumulate", lambda x, w, b, z_in, z_w: true_accumulate(x, w, b, 0, z_w)
    )
    assert mismatches(model, inputs)
