"""Fixed-point numbers against Python's fractions."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest

from golden.language_model.integer.fixed import multiplier_of, normalize, round_shift, saturate
from support.seeds import seed


def test_rounding_shift_is_the_floor_of_the_quotient_plus_one_half():
    rng = np.random.default_rng(seed(21))
    x = rng.integers(-1 << 40, 1 << 40, 500)
    shift = rng.integers(-10, 50, 500)
    assert round_shift(x, shift).tolist() == [
        floor(Fraction(int(a)) / Fraction(2) ** int(s) + Fraction(1, 2)) if s > 0 else int(a) << -s
        for a, s in zip(x, shift)]
    assert round_shift(np.array([5, -5, 7]), 1).tolist() == [3, -2, 4]


def test_saturation_is_that_of_int32_or_symmetrical():
    x = np.array([-(1 << 40), -7, 7, 1 << 40])
    assert saturate(x).tolist() == [-(1 << 31), -7, 7, (1 << 31) - 1]
    assert saturate(x, 5).tolist() == [-5, -5, 5, 5]


def test_normalised_numbers_have_the_bits_asked_for():
    x = np.array([0, 1, 5, (1 << 31) - 1, 1 << 31, (1 << 40) + 3])
    mantissa, left = normalize(x, 31)
    assert mantissa.tolist() == [0, 1 << 30, 5 << 28, (1 << 31) - 1, 1 << 30, 1 << 30]
    assert left.tolist() == [0, 30, 28, 0, -1, -10]


@pytest.mark.parametrize("bits", [26, 31])
def test_multipliers_are_as_exact_as_their_bits(bits):
    rng = np.random.default_rng(seed(22))
    factors = rng.standard_normal(300) * 2.0 ** rng.integers(-40, 10, 300)
    factors[:3] = 0, 1 - 2.0**-40, -1 + 2.0**-40
    found = multiplier_of(factors, bits)
    assert found.multiplier[0] == 0 and (np.abs(found.multiplier) < 1 << bits).all()
    assert np.abs(found.multiplier[1:]).min() >= 1 << bits - 1
    values = found.multiplier * 2.0**-found.shift
    assert np.abs(values[1:] / factors[1:] - 1).max() <= 2.0**-bits
