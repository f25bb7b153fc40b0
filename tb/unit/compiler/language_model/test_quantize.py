"""Projections of the same inputs that become one matrix."""

import numpy as np
import pytest

from support.seeds import seed
from weft_host.compiler.language_model.factors import Factors
from weft_host.compiler.language_model.quantize import Expansion, Matrix, merged


def matrix(rng, outputs, *, coded, pre_shift=0):
    """Return a matrix with 64 inputs."""
    expansion = None
    weight = rng.integers(-127, 128, (outputs, 64)).astype(np.int8)
    if coded:
        expansion = Expansion(rng.integers(0, 16, (outputs, 2, 32)).astype(np.uint8),
                              rng.integers(0, 2000, (outputs, 2)),
                              rng.integers(-1000, 1000, (outputs, 2)))
        weight = expansion.weights()
    return Matrix(weight, Factors(rng.integers(0, 1 << 26, outputs), rng.integers(0, 63, outputs)),
                  rng.integers(-99, 99, outputs), pre_shift, expansion)


@pytest.mark.parametrize("coded, pre_shifts, sizes", [
    ((True, True, True), (0, 0, 0), [12]), ((False, False, False), (1, 1, 1), [12]),
    ((True, True, True), (0, 0, 1), [7, 5]), ((True, False, False), (0, 0, 0), [3, 9]),
    ((False, True, False), (0, 0, 0), [3, 4, 5]), ((True, True, False), (0, 0, 0), [7, 5]),
])
def test_neighbours_with_equal_shifts_and_storage_become_one(coded, pre_shifts, sizes):
    rng = np.random.default_rng(seed())
    parts = [matrix(rng, outputs, coded=is_coded, pre_shift=pre_shift)
             for outputs, is_coded, pre_shift in zip((3, 4, 5), coded, pre_shifts)]
    found = merged(*parts)
    assert [len(one.weight) for one in found] == sizes
    for name in ("weight", "bias"):
        assert (np.concatenate([getattr(one, name) for one in found])
                == np.concatenate([getattr(one, name) for one in parts])).all()
    assert (np.concatenate([one.factors.multiplier for one in found])
            == np.concatenate([one.factors.multiplier for one in parts])).all()
    assert (np.concatenate([one.factors.shift for one in found])
            == np.concatenate([one.factors.shift for one in parts])).all()
    for one in found:
        if one.expansion is not None:
            assert (one.expansion.weights() == one.weight).all()
    assert sum(len(one.weight) for one in found if one.expansion is not None) == sum(
        len(one.weight) for one in parts if one.expansion is not None)
