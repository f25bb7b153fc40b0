"""Rounding laws against rational numbers and against the kernel's own steps."""

import math
from fractions import Fraction

import numpy as np
import pytest

from golden.requantize import (
    away,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    tfl1,
    tfl2,
    wrap32,
)
from support import seeds

CORNERS = np.array([-(2**31), -(2**31) + 1, -(2**30), -3, -2, -1, 0, 1, 2, 3, 2**30, 2**31 - 1])
MULTIPLIERS = np.array([0, 2**30, 2**30 + 1, 3 * 2**29, 1431655765, 2**31 - 1])


def draws(seed, count=20_000):
    rng = np.random.default_rng(seed)
    a = rng.integers(-(2**31), 2**31, count) >> rng.integers(0, 31, count)
    m = rng.integers(2**30, 2**31, count)
    m[: count // 4] = rng.choice(MULTIPLIERS, count // 4)
    return a, m, rng.integers(0, 63, count)


def grid():
    a, m, s = np.meshgrid(CORNERS, MULTIPLIERS, np.arange(63))
    return a.ravel(), m.ravel(), s.ravel()


@pytest.mark.parametrize("case", ["grid", 1, 2])
def test_single_rounding_laws_are_nearest_rationals(case):
    a, m, s = grid() if case == "grid" else draws(case, 3000)
    up, out = tfl1(a, m, s), away(a, m, s)
    for i in range(len(a)):
        exact = Fraction(int(a[i]) * int(m[i]), 2 ** int(s[i]))
        nearest = math.floor(abs(exact) + Fraction(1, 2))
        assert up[i] == math.floor(exact + Fraction(1, 2)), (case, a[i], m[i], s[i])
        assert out[i] == (nearest if exact >= 0 else -nearest), (case, a[i], m[i], s[i])


@pytest.mark.parametrize("case", ["grid", 1, 2, 3])
def test_double_rounding_law_equals_the_kernels_steps(case):
    a, m, s = grid() if case == "grid" else draws(case)
    # with a scale of 1 and more, the kernel's left shift may wrap; the law does not cover that
    fits = (np.abs(a) << np.maximum(31 - s, 0)) < 2**31
    fits &= (31 - s < 31) | (a == 0)
    a, m, s = a[fits], m[fits], s[fits]
    assert (s < 31).sum() > 50 and (s > 31).sum() > 50
    np.testing.assert_array_equal(
        tfl2(a, m, s), multiply_by_quantized_multiplier(a, m, s), err_msg=f"case {case}"
    )


def test_laws_differ_at_ties():
    # 1/4 rounds to 1/2 and then to 1; -1/2 goes up, or away from zero
    assert [int(law(1, 2**30, 32)) for law in (tfl2, tfl1, away)] == [1, 0, 0]
    assert [int(law(-1, 2**30, 31)) for law in (tfl2, tfl1, away)] == [0, 0, -1]
    assert [int(law(-2, 2**30, 32)) for law in (tfl2, tfl1, away)] == [-1, 0, -1]


def test_left_shift_wraps_at_32_bits():
    assert int(multiply_by_quantized_multiplier(2**30, 2**30, 29)) == 0
    assert int(tfl2(2**30, 2**30, 29)) == 2**31


@pytest.mark.parametrize(
    "scale, expected",
    [
        (0.0, (0, 31)),
        (1.0, (2**30, 30)),
        (0.5, (2**30, 31)),
        (0.75, (3 * 2**29, 31)),
        (1 - 2.0**-40, (2**30, 30)),  # rounds to 2^31, which is renormalised
        (2.0**-32, (2**30, 62)),
        (2.0**-33, (0, 31)),  # exponent -32
        (2.0**-32 * (1 - 2.0**-40), (2**30, 62)),  # renormalised into range
        (2.0**31 * (1 - 2.0**-20), (2**31 - 2**11, 0)),
    ],
)
def test_quantize_multiplier_corners(scale, expected):
    assert quantize_multiplier(scale) == expected


def test_quantize_multiplier_is_within_half_a_unit():
    rng = np.random.default_rng(seeds.seed(7))
    for scale in 2.0 ** rng.uniform(-32, 30, 2000):
        m, s = quantize_multiplier(float(scale))
        assert 2**30 <= m < 2**31 and 0 <= s <= 62
        assert abs(Fraction(m, 2**s) - Fraction(float(scale))) <= Fraction(1, 2 ** (s + 1)), scale


@pytest.mark.parametrize("scale", [-1.0, 2.0**31, math.inf, math.nan])
def test_quantize_multiplier_rejects_scales_out_of_range(scale):
    with pytest.raises(ValueError, match=r"^Scale .* is not in 0 to 2\^31$"):
        quantize_multiplier(scale)


def test_wrap32_returns_the_low_bits_as_a_signed_number():
    values = [2**31, -(2**31) - 1, 2**32 + 5, -1]
    assert wrap32(values).tolist() == [-(2**31), 2**31 - 1, 5, -1]
