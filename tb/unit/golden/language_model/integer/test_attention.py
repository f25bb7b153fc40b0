"""Attention in integers against floating point."""

import numpy as np
import pytest

from golden.language_model.attention import softmax
from golden.language_model.integer.attention import BLOCK, Cached, attend, quantize
from golden.language_model.integer.fixed import multiplier_of
from golden.language_model.integer.planes import MOST
from support.seeds import seed

SIZE = 48
FRACTION = 20       # of keys and values
BOUND = 4.0         # of values, in real numbers


def run(q, k, v, context=8192):
    """Return the real output for real ``k`` and ``v``, and for ``q`` in units of 1 / 4096."""
    score = 1 / 4096 * 2.0**-FRACTION / 127 * 2.0**12
    weight = 2.0**-FRACTION / BOUND * MOST / 2.0**15
    before = max(0, int(np.ceil(np.log2(127 * MOST * context))) - 31)
    cached = [quantize(np.round(x * 2.0**FRACTION).astype(np.int64)) for x in (k, v)]
    factors = [multiplier_of(np.array([x]), 31) for x in (score, weight)]
    found = attend(np.round(q * 4096).astype(np.int64), *cached,
                   *(type(f)(f.multiplier[0], f.shift[0]) for f in factors), before)
    return found * BOUND / MOST, cached


@pytest.mark.parametrize("positions", [1, 2, BLOCK, BLOCK + 1, 3 * BLOCK + 17])
@pytest.mark.parametrize("spread", [0.1, 1.0])
def test_output_is_near_the_exact_one_for_the_same_cache(positions, spread):
    rng = np.random.default_rng(seed(27))
    q, k = rng.uniform(-1, 1, SIZE) * spread, rng.uniform(-1, 1, (positions, SIZE))
    v = rng.uniform(-BOUND, BOUND, (positions, SIZE))
    found, cached = run(q, k, v)
    k, v = (x.values * x.largest[:, None] * 2.0**-FRACTION / 127 for x in cached)
    expected = softmax(np.round(q * 4096) / 4096 @ k.T) @ v
    assert np.abs(found - expected).max() <= 2e-3 * BOUND


def test_equal_keys_average_the_values_over_blocks():
    values = np.zeros((2 * BLOCK, SIZE))
    values[::2] = BOUND
    found, _ = run(np.zeros(SIZE), np.ones((2 * BLOCK, SIZE)), values)
    assert np.abs(found - BOUND / 2).max() <= 1e-3 * BOUND


def test_cache_of_zeros_yields_zeros():
    found, cached = run(np.ones(SIZE), np.zeros((3, SIZE)), np.zeros((3, SIZE)))
    assert not found.any() and not cached[0].largest.any()


def test_largest_element_of_a_cached_vector_is_127():
    rng = np.random.default_rng(seed(28))
    x = rng.integers(-1 << 31, 1 << 31, (200, SIZE)) >> rng.integers(0, 31, (200, 1))
    found = quantize(x)
    assert isinstance(found, Cached)
    largest = np.abs(x).max(axis=1)
    assert (found.largest == largest).all()
    assert (np.abs(found.values).max(axis=1) == np.where(largest, 127, 0)).all()
    exact = x * (127 / np.maximum(largest, 1))[:, None]
    assert np.abs(found.values - exact).max() <= 0.5001
