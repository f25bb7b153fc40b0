"""Fixed-point numbers against Python's integers and fractions."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest

from golden.language_model.integer.fixed import (
    clamp,
    multiplier_of,
    normalize,
    round_half_up,
    round_shift,
    saturate,
    stored,
)
from support.language_models.plain_integers import factor_of, rounded
from support.seeds import seed


def test_rounding_shift_is_the_floor_of_the_quotient_plus_one_half():
    rng = np.random.default_rng(seed(21))
    x = rng.integers(-1 << 40, 1 << 40, 500)
    shift = rng.integers(-10, 50, 500)
    assert round_shift(x, shift).tolist() == [
        floor(Fraction(int(a)) / Fraction(2) ** int(s) + Fraction(1, 2)) if s > 0 else int(a) << -s
        for a, s in zip(x, shift)]
    assert round_shift(np.array([5, -5, 7]), 1).tolist() == [3, -2, 4]


def test_the_law_in_plain_python_is_the_floor_of_the_quotient_plus_one_half():
    rng = np.random.default_rng(seed(48))
    for shift in range(-10, 64):
        half = 1 << max(0, shift - 1)
        for x in (0, 1, -1, half - 1, half, half + 1, -half - 1, -half, 1 - half, 3 * half,
                  -3 * half, *rng.integers(-1 << 62, 1 << 62, 9).tolist()):
            expected = floor(Fraction(x) / Fraction(2) ** shift + Fraction(1, 2))
            assert rounded(x, shift) == (0 if shift > 62 else expected)


def test_shifts_beyond_the_integers_are_zero_or_saturate():
    x = np.array([-(1 << 62), -1, 0, 1, 1 << 62])
    assert round_shift(x, 62).tolist() == [-1, 0, 0, 0, 1]
    for shift in (63, 64, 90):
        assert round_shift(x, shift).tolist() == [0] * 5
    for shift in (-40, -62, -90):
        found = saturate(round_shift(x, shift)).tolist()
        assert found == [-(1 << 31), -(1 << 31), 0, (1 << 31) - 1, (1 << 31) - 1]


def test_saturation_is_that_of_int32_or_symmetrical():
    x = np.array([-(1 << 40), -7, 7, 1 << 40])
    assert saturate(x).tolist() == [-(1 << 31), -7, 7, (1 << 31) - 1]
    assert clamp(x, 5).tolist() == [-5, -5, 5, 5]
    x = np.array([-1e12, -1.5, -0.5, 0.5, 1e12])
    assert round_half_up(x).tolist() == [-(1 << 31), -1, 0, 1, (1 << 31) - 1]


def test_normalised_numbers_have_31_bits():
    x = np.array([0, 1, 5, (1 << 31) - 1, 1 << 31, (1 << 40) + 3])
    mantissa, left = normalize(x)
    assert mantissa.tolist() == [0, 1 << 30, 5 << 28, (1 << 31) - 1, 1 << 30, 1 << 30]
    assert left.tolist() == [0, 30, 28, 0, -1, -10]


@pytest.mark.parametrize("arguments, bits", [((), 26), ((31,), 31)])
def test_multipliers_are_the_nearest_ones_of_their_bits(arguments, bits):
    rng = np.random.default_rng(seed(22))
    factors = rng.standard_normal(300) * 2.0 ** rng.integers(-40, 10, 300)
    # zero, two that round up to a power of two, and halves beside an even and an odd number
    factors[:5] = 0, 1 - 2.0**-40, -1 + 2.0**-40, 0.5 + 2.0**-bits / 2, 0.5 + 2.0**-bits * 3 / 2
    found = multiplier_of(factors, *arguments)
    assert list(zip(*map(np.ndarray.tolist, found))) == [factor_of(x, bits) for x in factors]


def test_stored_factors_have_shifts_of_6_bits():
    factors = np.array([0.0, 1.0, 2.0**25, 3 * 2.0**-40, 3 * 2.0**-60, -5 * 2.0**-62, 2.0**-80])
    found = stored(multiplier_of(factors))
    expected = [factor_of(x) for x in factors]
    assert list(zip(*map(np.ndarray.tolist, found))) == [
        (rounded(m, max(0, s - 62)), min(s, 62)) for m, s in expected]
    with pytest.raises(ValueError, match=r"2\^26 or more"):
        stored(multiplier_of(np.array([2.0**26])))
    with pytest.raises(ValueError, match=r"2\^23 or more"):
        stored(multiplier_of(np.array([2.0**23])), 3)
