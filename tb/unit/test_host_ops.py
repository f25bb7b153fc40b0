"""Operators on the host: softmax byte for byte as the reference computes it."""

import numpy as np
import pytest

from golden.softmax import softmax as golden_softmax
from weft_host.host_ops import softmax


@pytest.mark.parametrize("seed", range(5))
def test_softmax_equals_the_reference(seed):
    draw = np.random.default_rng(seed)
    for _ in range(60):
        scale = float(np.float32(10 ** draw.uniform(-4, 1.5)))
        beta = float(draw.choice([1.0, 0.5, 2.0]))
        shape = (int(draw.integers(1, 4)), int(draw.integers(1, 40)))
        values = draw.integers(-128, 128, shape, dtype=np.int8)
        expected = golden_softmax(values, s_in=scale, beta=beta)
        wrong = np.argwhere(softmax(values, scale, beta) != expected)
        assert not len(wrong), f"seed {seed}, scale {scale}, beta {beta}: first at {wrong[0]}"


def test_softmax_at_the_corners():
    for values in ([[-128]], [[127, -128]], [[5] * 300], [list(range(-128, 128))]):
        values = np.array(values, np.int8)
        for scale in (1e-6, 0.00390625, 0.125, 1.0, 1000.0):
            assert (softmax(values, scale) == golden_softmax(values, s_in=scale)).all(), scale
