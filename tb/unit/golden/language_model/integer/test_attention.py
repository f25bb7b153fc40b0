"""Attention in integers against floating point and against plain Python."""

import numpy as np
import pytest

from golden.language_model.attention import softmax
from golden.language_model.integer.attention import (
    BLOCK,
    Cached,
    attend,
    quantize,
    query_activations,
    reciprocal_largest,
    reciprocal_sum,
)
from golden.language_model.integer.planes import ACTIVATION_LIMIT
from support.language_models import plain_integers as plain
from support.seeds import seed

SIZE = 48
BOUND = 4.0                 # of keys and values, in real numbers
FRACTION = 28               # of keys and values: their bound is 2^30


def run(q, k, v, context=8192):
    """Return the real output for real ``q``, ``k`` and ``v``, and the cached keys and values."""
    sum_shift = max(0, int(np.ceil(np.log2(127 * ACTIVATION_LIMIT * context))) - 31)
    cached = [quantize(np.round(x * 2.0**FRACTION).astype(np.int64)) for x in (k, v)]
    # a query of 16 bits has 12 fraction bits, and contains the 127 of the keys
    activations = np.round(q * 4096 / 127 * 64).astype(np.int64)
    found = attend(activations, *cached, 12 + 6 - 15 + FRACTION - 12, sum_shift)
    return found * 2.0 ** (15 - FRACTION), cached, activations * 127 / 4096 / 64


@pytest.mark.parametrize("positions", [1, 2, BLOCK, BLOCK + 1, 3 * BLOCK + 17])
@pytest.mark.parametrize("spread", [0.1, 1.0])
def test_output_is_near_the_exact_one_for_the_same_cache(positions, spread):
    rng = np.random.default_rng(seed(27))
    q, k = rng.uniform(-1, 1, SIZE) * spread, rng.uniform(-1, 1, (positions, SIZE))
    v = rng.uniform(-BOUND, BOUND, (positions, SIZE))
    found, cached, q = run(q, k, v)
    k, v = (x.values * x.scales[:, None] * 2.0 ** (15 - FRACTION) / 127 for x in cached)
    expected = softmax(q @ k.T) @ v
    assert np.abs(found - expected).max() <= 2e-3 * BOUND


def test_equal_keys_average_the_values_over_blocks():
    values = np.zeros((2 * BLOCK, SIZE))
    largest = 0.99 * BOUND      # an output of BOUND saturates at 32639 of 32768
    values[::2] = largest
    found, *_ = run(np.zeros(SIZE), np.ones((2 * BLOCK, SIZE)), values)
    assert np.abs(found - largest / 2).max() <= 1e-3 * BOUND


def test_cache_of_zeros_yields_zeros():
    found, cached, _ = run(np.ones(SIZE), np.zeros((3, SIZE)), np.zeros((3, SIZE)))
    assert not found.any() and not cached[0].scales.any()


def test_largest_element_of_a_cached_vector_is_127_for_a_scale_that_is_not_rounded():
    rng = np.random.default_rng(seed(28))
    x = rng.integers(-1 << 31, 1 << 31, (200, SIZE)) >> rng.integers(0, 31, (200, 1))
    largest = np.abs(x).max(axis=1)
    scales = -(-largest // (1 << 15))
    found = quantize(x)
    assert isinstance(found, Cached)
    assert (found.scales == scales).all()
    # the scale is rounded up, which is less than half an element for a scale above 254
    assert (np.abs(found.values).max(axis=1)[scales > 254] == 127).all() and (scales > 254).any()
    exact = x * (127 / np.maximum(scales << 15, 1))[:, None]
    assert np.abs(found.values - exact).max() <= 0.5001


def test_queries_are_rounded_and_limited_to_16_bits():
    q = np.array([0, 1 << 14, -(1 << 14), (1 << 14) - 1, 32639 << 15, 1 << 30, -(1 << 31)])
    assert query_activations(q).tolist() == [0, 1, 0, 0, 32639, 32639, -32639]


def test_cached_vectors_equal_the_law_in_plain_python():
    rng = np.random.default_rng(seed(34))
    x = rng.integers(-1 << 31, 1 << 31, (400, 9)) >> rng.integers(0, 31, (400, 1))
    x[0], x[1] = 0, -(1 << 31)
    # the rounding decides at halves of 1/127
    x[2:64] = (np.arange(62)[:, None] * 254 + np.arange(-4, 5) * 127) << 15
    found = quantize(x)
    assert list(zip(found.values.tolist(), found.scales.tolist())) == [
        plain.cached(row) for row in x.tolist()]


def test_reciprocals_equal_the_law_in_plain_python():
    rng = np.random.default_rng(seed(40))
    for value in [1, 2, 3, 32768, (1 << 31) - 1, *(1 << rng.integers(0, 31, 50)),
                  *rng.integers(1, 1 << 31, 200)]:
        factor, shift = reciprocal_sum(int(value))
        assert (factor, shift) == plain.reciprocal_of_sum(int(value))
        assert 1 << 29 <= factor < 1 << 31
    largest = np.array([0, 1, 32767, 32768, 32769, 1 << 30, (1 << 31) - 1, 1 << 31])
    scales, factors = reciprocal_largest(largest)
    assert list(zip(scales.tolist(), factors.tolist())) == [
        plain.reciprocal_of_largest(value) for value in largest.tolist()]


# contexts of several blocks; scores from flat to a single position, and beyond int32
@pytest.mark.parametrize("positions", [1, 255, 256, 257, 700])
@pytest.mark.parametrize("score_shift", [5, 10, 19, 25, 31])
@pytest.mark.parametrize("sum_shift", [0, 1, 6])
def test_equals_the_law_in_plain_python(positions, score_shift, sum_shift):
    rng = np.random.default_rng(seed(35) + positions + score_shift)
    q = rng.integers(-ACTIVATION_LIMIT, ACTIVATION_LIMIT + 1, 7)
    k, v = (rng.integers(-1 << 30, 1 << 30, (positions, 7)) >> rng.integers(0, 16, (positions, 1))
            for _ in range(2))
    if positions > 1:
        k[-1] = v[0] = 0
    found = attend(q, quantize(k), quantize(v), score_shift, sum_shift)
    cached = [[plain.cached(row) for row in x.tolist()] for x in (k, v)]
    assert found.tolist() == plain.attend(q.tolist(), *cached, score_shift, sum_shift)


def test_sums_over_blocks_are_decayed_with_rounding():
    rng = np.random.default_rng(seed(44))
    for _ in range(40):         # the second block raises the maximum by less than 1
        k = np.full((257, 1), 1 << 29)
        k[256] = (1 << 29) + int(rng.integers(1, 1 << 27))
        v = np.zeros((257, 9), np.int64)
        v[0] = rng.integers(-1 << 30, 1 << 30, 9)
        q = np.array([int(rng.integers(1, 300))])
        found = attend(q, quantize(k), quantize(v), 18, 0)
        cached = [[plain.cached(row) for row in x.tolist()] for x in (k, v)]
        assert found.tolist() == plain.attend(q.tolist(), *cached, 18, 0)


@pytest.mark.parametrize("size, positions, score_shift", [(600, 3, 31), (2, 700, 19)])
def test_products_and_sums_saturate_as_in_plain_python(size, positions, score_shift):
    q = np.full(size, ACTIVATION_LIMIT)
    k, v = (np.full((positions, size), 1 << 30) for _ in range(2))
    k[1:] -= 1 << 24
    found = attend(q, quantize(k), quantize(v), score_shift, 0)
    cached = [[plain.cached(row) for row in x.tolist()] for x in (k, v)]
    assert found.tolist() == plain.attend(q.tolist(), *cached, score_shift, 0)
    flat = attend(0 * q, quantize(k), quantize(v), score_shift, 0)      # sums exceed int32
    assert flat.tolist() == plain.attend([0] * size, *cached, score_shift, 0)
