"""Integer multipliers from scales: range, precision, and exact averages."""

import math
import re
from fractions import Fraction

import numpy as np
import pytest

from support.seeds import seed
from weft_host.compiler.lower.quantize import (
    average_multiplier,
    mean_multiplier,
    quantize_multiplier,
)


def test_multipliers_are_the_nearest_31_bit_fractions():
    rng = np.random.default_rng(seed(4))
    for real in [1.0, 0.5, 2.0, 1 - 2.0 ** -40, 2.0 ** -31, *(2.0 ** rng.uniform(-30, 20, 500))]:
        multiplier, shift = quantize_multiplier(real)
        assert 1 << 30 <= multiplier < 1 << 31 and 0 <= shift <= 62
        error = abs(Fraction(multiplier) / (Fraction(2) ** shift) - Fraction(real))
        assert error <= Fraction(1, 2) / Fraction(2) ** shift
    assert quantize_multiplier(0) == (0, 31)
    assert quantize_multiplier(2.0 ** -33) == (0, 31)


@pytest.mark.parametrize("real, condition", [
    (-1.0, "finite and not negative"), (math.inf, "finite and not negative"),
    (math.nan, "finite and not negative"), (2.0 ** 31, "below 2^31"),
])
def test_ratios_without_a_multiplier_are_rejected(real, condition):
    message = re.escape(f"a scale ratio of {real} cannot be represented; it must be {condition}")
    with pytest.raises(ValueError, match=f"^{message}$"):
        quantize_multiplier(real)


@pytest.mark.parametrize("count", [*range(1, 130), 1000, 1023, 1024, 1025, 65535, 65537,
                                   (1 << 22) - 1])
def test_averages_are_exact_for_every_sum(count):
    multiplier, shift = average_multiplier(count)
    assert multiplier < 1 << 31 and shift <= 62
    sums = np.unique(np.clip(np.concatenate([
        np.arange(128 * min(count, 200) + 1),
        # quotients change where the remainder is about half of the count
        (np.arange(1, 129)[:, None] * count - count // 2 + np.arange(-2, 3)).reshape(-1)]),
        0, 128 * count)).astype(object)
    expected = [(int(value) + count // 2) // count for value in sums]
    assert [(int(value) * multiplier + (1 << shift - 1)) >> shift for value in sums] == expected


@pytest.mark.parametrize("count", [0, 1 << 22])
def test_averages_of_no_or_too_many_elements_are_rejected(count):
    with pytest.raises(ValueError,
                       match=f"^a window of {count} elements is outside 1 to 4194303$"):
        average_multiplier(count)


@pytest.mark.parametrize("count", [0, 1 << 23])
def test_means_of_no_or_too_many_elements_are_rejected(count):
    with pytest.raises(ValueError, match=rf"^a mean of {count} elements is outside 1 to 8388607$"):
        mean_multiplier(1.0, 0, 1.0, 0, count)
