"""Tables with interpolation against the functions."""

import numpy as np
import pytest

from golden.language_model.integer.tables import (
    ONE,
    exponential,
    gelu_gate,
    interpolate,
    sigmoid,
)
from support.language_models import plain_integers as plain
from support.seeds import seed


def gelu_factor(x):
    return 0.5 + 0.5 * np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))


@pytest.mark.parametrize("integers, function, lowest, error", [
    (exponential, lambda d: np.exp(-d), 0, 5.0e-4),
    (sigmoid, lambda x: 1 / (1 + np.exp(-x)), -40, 7e-5),
    (gelu_gate, gelu_factor, -40, 1.5e-4),
])
@pytest.mark.parametrize("fraction", [4, 12, 19, 24])
def test_error_is_below_its_bound(integers, function, lowest, error, fraction):
    rng = np.random.default_rng(seed(24))
    x = np.floor(rng.uniform(lowest, 40, 4000) * 2.0**fraction).astype(np.int64)
    x[:3] = 0, 1, 16 << fraction
    found = integers(x, fraction) / ONE
    assert np.abs(found - function(x / 2.0**fraction)).max() <= error


def test_exponential_is_one_at_zero_and_zero_from_sixteen_on():
    assert exponential(np.array([0, 16 << 12, 1 << 31]), 12).tolist() == [ONE, 0, 0]


def test_entries_are_met_and_points_between_are_rounded():
    table = np.arange(257) * 10
    assert interpolate(table, np.array([0, 16, 17, 4095, 4096, 9999]), 8).tolist() == [
        0, 10, 11, 2559, 2560, 2560]


def test_functions_are_monotonic():
    x = np.arange(-70000, 70001)
    assert (np.diff(sigmoid(x, 12)) >= 0).all()
    assert (np.diff(exponential(x[70000:], 12)) <= 0).all()


@pytest.mark.parametrize("integers, plainly, lowest", [
    (exponential, plain.exponential, 0), (sigmoid, plain.sigmoid, -18),
    (gelu_gate, plain.gelu_gate, -18)])
@pytest.mark.parametrize("fraction", [4, 5, 12, 15, 20, 21, 24])
def test_equal_the_law_in_plain_python(integers, plainly, lowest, fraction):
    rng = np.random.default_rng(seed(33))
    x = np.floor(rng.uniform(lowest, 18, 2000) * 2.0**fraction).astype(np.int64)
    x[:4] = 0, 16 << fraction, (16 << fraction) - 1, 1
    assert integers(x, fraction).tolist() == [plainly(value, fraction) for value in x.tolist()]
