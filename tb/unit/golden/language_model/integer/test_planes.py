"""Planes of activations and products of them, against Python's integers."""

import numpy as np
import pytest

from golden.language_model.integer.fixed import Multiplier
from golden.language_model.integer.planes import MOST, multiply, project, split
from support.seeds import seed


def test_every_activation_has_two_planes_of_int8():
    x = np.arange(-MOST, MOST + 1)
    hi, lo = split(x)
    assert (256 * hi + lo == x).all()
    for plane in (hi, lo):
        assert plane.min() >= -128 and plane.max() <= 127


def test_products_are_exact_at_the_largest_operands():
    weight = np.full((2, 4096), -128)
    weight[1] = 127
    assert multiply(np.full((1, 4096), -MOST), weight).tolist() == [
        [4096 * 128 * MOST, -4096 * 127 * MOST]]


@pytest.mark.parametrize("before", [0, 3])
def test_projection_rounds_and_saturates_in_the_stated_order(before):
    rng = np.random.default_rng(seed(23))
    x, weight = rng.integers(-MOST, MOST + 1, (5, 70)), rng.integers(-128, 128, (9, 70))
    factor = Multiplier(rng.integers(-1 << 26, 1 << 26, 9), rng.integers(16, 40, 9))
    bias, exponent = rng.integers(-1 << 31, 1 << 31, 9), rng.integers(0, 9, (5, 1))

    def limited(value):
        return min(max(value, -(1 << 31)), (1 << 31) - 1)

    def rounded(value, shift):
        return value + (1 << shift >> 1) >> shift

    expected = [[limited(limited(rounded(
        limited(rounded(sum(int(a) * int(w) for a, w in zip(row, column)), before)) * int(m),
        int(s) - before - int(e[0]))) + int(b))
        for column, m, s, b in zip(weight, *factor, bias)] for row, e in zip(x, exponent)]
    assert project(x, weight, factor, bias=bias, before=before,
                   exponent=exponent).tolist() == expected
