"""Expansion of 4-bit codes against real arithmetic."""

import numpy as np
import pytest

from golden.language_model.integer.expansion import Expansion, expand, expansion_of
from golden.language_model.parameters import Codes
from support.language_models import plain_integers as plain
from support.seeds import seed


def draw(lowest=-1.0):
    rng = np.random.default_rng(seed(29))
    return Codes(q=rng.integers(16, size=(7, 3, 32)), d=rng.uniform(lowest, 1, (7, 3)),
                 m=rng.uniform(-9, 2, (7, 3)))


def values(codes):
    return (codes.d[..., None] * codes.q + codes.m[..., None]).reshape(len(codes.q), -1)


@pytest.mark.parametrize("lowest", [0.01, -1.0])
def test_weights_are_those_of_the_file_within_the_rounding_of_slope_and_offset(lowest):
    codes = draw(lowest)
    expansion, scale = expansion_of(codes)
    assert 0 <= expansion.slopes.min() and expansion.slopes.max() < 1 << 12
    assert np.abs(expansion.offsets).max() < 1 << 11
    found, expected = expand(expansion), values(codes) / scale[:, None]
    assert np.abs(found).max() <= 127
    # half a unit of the result, 15 times half a unit of the slope, and half a unit of the offset
    assert np.abs(found - expected).max() <= 0.5 + 15 / 256 + 1 / 32 + 1e-9


def test_law_is_slope_times_code_plus_offset_rounded_and_saturated():
    codes = np.zeros((1, 1, 32), np.int64)
    codes[0, 0, :4] = 0, 1, 2, 15
    found = expand(Expansion(codes, np.array([[1088]]), np.array([[25]])))      # 8.5 and 1.5625
    assert found[0, :4].tolist() == [2, 10, 19, 127]
    assert expand(Expansion(codes, np.array([[0]]), np.array([[-2048]])))[0, 0] == -128


def test_output_of_zeros_expands_to_zeros():
    zeros = Codes(q=np.full((2, 1, 32), 9), d=np.zeros((2, 1)), m=np.zeros((2, 1)))
    expansion, scale = expansion_of(zeros)
    assert not scale.any() and not expand(expansion).any()


def test_equals_the_law_in_plain_python():
    rng = np.random.default_rng(seed(36))
    expansion = Expansion(rng.integers(16, size=(40, 2, 32)), rng.integers(1 << 12, size=(40, 2)),
                          rng.integers(-1 << 11, 1 << 11, (40, 2)))
    codes, slopes, offsets = (x.tolist() for x in expansion)
    assert expand(expansion).tolist() == [
        [plain.expand(code, slope, offset) for block, slope, offset in zip(*row) for code in block]
        for row in zip(codes, slopes, offsets)]


def test_codes_are_rewritten_from_zero_on_with_the_largest_above_seven():
    rng = np.random.default_rng(seed(37))
    lowest = rng.integers(0, 15, (200, 1))
    q = rng.integers(lowest[..., None], 16, (200, 1, 32))
    codes = Codes(q=q, d=rng.uniform(-1, 1, (200, 1)), m=rng.uniform(-4, 4, (200, 1)))
    expansion, scale = expansion_of(codes)
    assert (expansion.codes.min(axis=2) == 0).all()
    largest = expansion.codes.max(axis=2)
    assert ((8 <= largest) | (largest == 0)).all() and largest.max() <= 15
    assert expansion.slopes.max() < 1 << 12 and np.abs(expansion.offsets).max() < 1 << 11
    found, expected = expand(expansion), values(codes) / scale[:, None]
    assert np.abs(found - expected).max() <= 0.5 + 15 / 256 + 1 / 32 + 1e-9
