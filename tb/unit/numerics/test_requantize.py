"""Rounding laws in numpy, compared with the same laws in Python integers."""

import random

import numpy as np
import pytest

from support.seeds import seed
from weft.spec.isa import Mode
from weft_host.numerics.requantize import requantize, to_int8, wrap32

EDGES = (0, 1, -1, 2, -2, 3, -3, (1 << 31) - 1, -(1 << 31), -(1 << 31) + 1, 1 << 30, -(1 << 30))
MULTIPLIERS = (0, 1, 1 << 30, (1 << 30) + 1, (1 << 31) - 1)


def law(acc, multiplier, shift, mode):
    """Return the result of a rounding law, in integers of unlimited size."""
    product = acc * multiplier
    if mode == Mode.AWAY:
        size = abs(product) + (1 << shift - 1 if shift else 0) >> shift
        return -size if product < 0 else size
    if mode == Mode.TFL1 or shift < 31:
        return product + (1 << shift - 1 if shift else 0) >> shift
    high = product + (1 << 30) >> 31
    rest = shift - 31
    return high if rest == 0 else high + (1 << rest - 1) - (high < 0) >> rest


@pytest.mark.parametrize("mode", [Mode.TFL2, Mode.TFL1, Mode.AWAY])
def test_matches_the_laws_for_every_shift(mode):
    draw = random.Random(seed(int(mode)))
    cases = [(acc, multiplier, shift) for acc in EDGES for multiplier in MULTIPLIERS
             for shift in range(64)]
    cases += [(draw.randrange(-1 << 31, 1 << 31), draw.randrange(1 << 31), draw.randrange(64))
              for _ in range(20_000)]
    # values at and beside a tie
    for _ in range(20_000):
        multiplier, shift = draw.randrange(1 << 30, 1 << 31), draw.randrange(31, 60)
        acc = ((2 * draw.randint(-200, 200) + 1 << shift - 1) // multiplier) + draw.randint(-1, 1)
        if -1 << 31 <= acc < 1 << 31:
            cases.append((acc, multiplier, shift))
    acc, multiplier, shift = (np.array(column) for column in zip(*cases))
    found = requantize(acc.astype(np.int32), multiplier, shift, mode)
    expected = [law(*case, mode) for case in cases]
    for case, got, want in zip(cases, found.tolist(), expected):
        assert got == want, f"seed {seed()}, acc, multiplier, shift {case}: {want} != {got}"


def test_a_mode_without_requantisation_is_rejected():
    with pytest.raises(ValueError, match=r"^mode must be TFL2, TFL1 or AWAY, not <Mode\.RAW: 3>$"):
        requantize(np.zeros(1, np.int32), 1, 31, Mode.RAW)


def test_wraps_and_clamps_at_the_limits():
    assert wrap32([1 << 31, -(1 << 31) - 1, 1 << 32]).tolist() == [-(1 << 31), (1 << 31) - 1, 0]
    assert to_int8([300, -300, 5, 4], -1, -100, 4).tolist() == [4, -100, 4, 3]
