"""Planes of activations and products of them, against Python's integers."""

import numpy as np
import pytest

from golden.language_model.integer.fixed import Multiplier
from golden.language_model.integer.planes import ACTIVATION_LIMIT, multiply, project, split
from support.language_models.plain_integers import drain
from support.seeds import seed


def test_every_activation_has_two_planes_of_int8():
    x = np.arange(-ACTIVATION_LIMIT, ACTIVATION_LIMIT + 1)
    hi, lo = split(x)
    assert (256 * hi + lo == x).all()
    for plane in (hi, lo):
        assert plane.min() >= -128 and plane.max() <= 127


def test_products_are_exact_at_the_largest_operands():
    weight = np.full((2, 4096), -128)
    weight[1] = 127
    assert multiply(np.full((1, 4096), -ACTIVATION_LIMIT), weight).tolist() == [
        [4096 * 128 * ACTIVATION_LIMIT, -4096 * 127 * ACTIVATION_LIMIT]]


@pytest.mark.parametrize("pre_shift", [0, 3])
def test_projection_rounds_and_saturates_in_the_stated_order(pre_shift):
    rng = np.random.default_rng(seed(23))
    x = rng.integers(-ACTIVATION_LIMIT, ACTIVATION_LIMIT + 1, (5, 70))
    weight = rng.integers(-128, 128, (9, 70))
    factor = Multiplier(rng.integers(-1 << 26, 1 << 26, 9), rng.integers(0, 63, 9))
    bias, exponent = rng.integers(-1 << 31, 1 << 31, 9), rng.integers(-9, 19, (5, 1))
    expected = [[drain(row, column, m, s, b, pre_shift, e)
                 for column, m, s, b in zip(*(part.tolist() for part in (weight, *factor, bias)))]
                for row, (e,) in zip(x.tolist(), exponent.tolist())]
    assert project(x, weight, factor, bias=bias, pre_shift=pre_shift,
                   exponent=exponent).tolist() == expected
