"""Golden MAX_POOL_2D and AVERAGE_POOL_2D against the reference kernels."""

import numpy as np
import pytest

from golden import pool, requantize
from support.exact import assert_exact, mismatches
from support.models import ACTIVATIONS, Chain, random_input
from weft.spec.integers import ceil_div

KINDS = pytest.mark.parametrize("kind", ["MAX_POOL_2D", "AVERAGE_POOL_2D"])


def pool_model(kind, shape, kernel, *, seed=0, scale=None, zero_point=None, **options):
    chain = Chain(np.random.default_rng(seed), shape, scale=scale, zero_point=zero_point)
    chain.pool(kind, kernel, **options)
    return chain.finish()


@KINDS
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_random_pools_are_exact(kind, padding):
    for seed in range(80):
        rng = np.random.default_rng(seed)
        size, kernel, stride = (rng.integers(1, n, 2) for n in (14, 6, 5))
        if padding == "VALID":
            size = np.maximum(size, kernel)
        model = pool_model(
            kind,
            (rng.integers(1, 4), *size, rng.integers(1, 20)),
            tuple(kernel.tolist()),
            seed=seed,
            stride=tuple(stride.tolist()),
            padding=padding,
            activation=ACTIVATIONS[rng.integers(4)],
        )
        assert_exact(model, random_input(model, seed), f"seed {seed}")


@KINDS
def test_whole_image_pools_are_exact(kind):
    for size in ((25, 5), (8, 8), (1, 1), (1, 64), (31, 33)):
        model = pool_model(kind, (1, *size, 3), size)
        for seed in range(10):
            assert_exact(model, random_input(model, seed), f"size {size}, seed {seed}")


def test_average_rounds_halves_away_from_zero():
    model = pool_model("AVERAGE_POOL_2D", (1, 1, 2, 6), (1, 2))
    pairs = np.array([[0, 1], [0, -1], [3, 4], [-3, -4], [-128, -127], [126, 127]], np.int8)
    image = pairs.T.reshape(1, 1, 2, 6)
    assert_exact(model, [image], "halves")
    y = pool.average_pool2d(image, kernel=(1, 2), stride=(1, 2))
    assert y.ravel().tolist() == [1, -1, 4, -4, -128, 127]


def test_average_equals_the_rounding_law_away():
    # AWAY with m = ceil(2^(31-e) / count), for sums of up to 32 x 32 elements
    for count in [*range(1, 130), 255, 256, 257, 1000, 1024]:
        sums = np.unique(np.linspace(-128 * count, 127 * count, 4001).astype(np.int64))
        if count < 40:
            sums = np.arange(-128 * count, 127 * count + 1)
        e = -(count.bit_length() - 1)
        shift = 30 - e
        m = ceil_div(2**shift, count)
        if m >= 2**31:
            shift, m = shift - 1, ceil_div(2 ** (shift - 1), count)
        exact = np.sign(sums) * ((np.abs(sums) + count // 2) // count)
        np.testing.assert_array_equal(requantize.away(sums, m, shift), exact, err_msg=f"{count}")


# negative tests: each of these deliberate errors is detected


def test_detects_padding_in_an_average(monkeypatch):
    model = pool_model("AVERAGE_POOL_2D", (1, 3, 3, 2), (3, 3), stride=(1, 1), padding="SAME")
    inputs = [np.full((1, 3, 3, 2), 100, np.int8)]
    assert not mismatches(model, inputs)
    true_sum = pool._sum

    def count_all(x, kernel, stride, padding):
        total = true_sum(x, kernel, stride, padding)
        return np.full_like(total, 9) if (x == 1).all() else total

    monkeypatch.setattr(pool, "_sum", count_all)
    assert mismatches(model, inputs)


def test_detects_padding_with_zero_in_a_maximum(monkeypatch):
    model = pool_model("MAX_POOL_2D", (1, 3, 3, 2), (3, 3), stride=(1, 1), padding="SAME")
    inputs = [np.full((1, 3, 3, 2), -100, np.int8)]
    assert not mismatches(model, inputs)
    true_windows = pool.windows
    monkeypatch.setattr(pool, "windows", lambda *args: true_windows(*args[:5], 0))
    assert mismatches(model, inputs)
