"""Rounding shift and limits of the fixed-point instructions against Python's integers."""

import numpy as np

from support.language_models import plain_integers as plain
from support.seeds import seed
from weft_host.numerics.rounding_shift import limit, round_shift, saturate


def test_shifts_are_those_of_plain_python():
    rng = np.random.default_rng(seed(70))
    x = rng.integers(-1 << 62, 1 << 62, 400) >> rng.integers(0, 62, 400)
    shift = rng.integers(-20, 90, 400)
    expected = [plain.rounded(a, max(0, s)) for a, s in zip(x.tolist(), shift.tolist())]
    assert round_shift(x, shift).tolist() == expected
    for amount in (-1, 0, 1, 15, 62, 63):
        assert round_shift(x, amount).tolist() == [plain.rounded(a, max(0, amount))
                                                   for a in x.tolist()]


def test_limits_are_those_of_plain_python():
    x = np.array([-(1 << 40), -(1 << 31), -32640, -128, 0, 127, 128, 32640, 1 << 31, 1 << 40])
    assert saturate(x).tolist() == [plain.limit32(a) for a in x.tolist()]
    assert limit(x, 127).tolist() == [plain.limit16(a, 127) for a in x.tolist()]
