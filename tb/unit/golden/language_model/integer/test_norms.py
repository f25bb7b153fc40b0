"""Norms against exact arithmetic."""

from decimal import Decimal, localcontext

import numpy as np
import pytest

from golden.language_model.integer.norms import center, normalize_rms, reciprocal_root
from golden.language_model.integer.planes import ACTIVATION_LIMIT
from support.language_models import plain_integers as plain
from support.seeds import seed


def test_reciprocal_root_has_a_relative_error_below_2_to_minus_29_for_every_size_of_its_argument():
    rng = np.random.default_rng(seed(25))
    assert reciprocal_root(0) == (0, 0)
    with localcontext() as context:
        context.prec = 60
        for bits in range(1, 78):
            for square in {1 << bits - 1, (1 << bits) - 1,
                           (1 << bits - 1) + int(rng.random() * (1 << bits - 1))}:
                factor, shift = reciprocal_root(square)
                assert factor < 1 << 31 and 0 <= shift <= 62
                found = Decimal(factor) / Decimal(2) ** shift * Decimal(square).sqrt()
                assert abs(found / ACTIVATION_LIMIT - 1) < Decimal(2) ** -29, square


@pytest.mark.parametrize("scale", [3, 1 << 12, 1 << 30])
@pytest.mark.parametrize("eps", [0, 1 << 20])
def test_norm_is_within_half_a_unit_and_one_hundredth_of_the_exact_one(scale, eps):
    rng = np.random.default_rng(seed(26))
    x = rng.integers(-scale, scale + 1, (4, 576))
    root = np.sqrt((x.astype(np.float64)**2).sum(-1, keepdims=True) + eps)
    assert np.abs(normalize_rms(x, eps) - x * ACTIVATION_LIMIT / root).max() <= 0.51


def test_norm_of_one_large_number_is_the_largest_activation_and_of_zeros_is_zero():
    x = np.array([[0, -(1 << 31), 0, 0], [0, 0, 0, 0]])
    assert normalize_rms(x, 0).tolist() == [[0, -ACTIVATION_LIMIT, 0, 0], [0, 0, 0, 0]]


def test_mean_is_rounded_half_up_and_the_rest_saturates():
    assert center(np.array([[1, 2], [-1, -2], [5, 5]])).tolist() == [[-1, 0], [0, -1], [0, 0]]
    lowest, highest = -(1 << 31), (1 << 31) - 1
    assert center(np.array([[lowest] + [highest] * 3])).tolist() == [[lowest] + [1 << 30] * 3]


@pytest.mark.parametrize("size", [1, 3, 64, 577])
@pytest.mark.parametrize("largest", [1, 5, 1 << 12, 1 << 31])
def test_equal_the_laws_in_plain_python(size, largest):
    rng = np.random.default_rng(seed(32))
    x = rng.integers(-largest, largest, (6, size))
    x[0] = 0
    x[1] = -largest
    for eps in (0, 1, 96_636_764):
        assert normalize_rms(x, eps).tolist() == [plain.norm(row, eps) for row in x.tolist()]
    assert center(x).tolist() == [plain.center(row) for row in x.tolist()]
