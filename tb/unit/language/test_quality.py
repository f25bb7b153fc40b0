"""Measures of logits against values by hand, and against the golden ones."""

import numpy as np
import pytest

from golden.language_model import measures
from support.seeds import seed
from weft_host.language.quality import divergence, equal_first_choices, perplexity


def test_perplexity_of_known_probabilities():
    logits = np.log(np.array([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8], [1.0, 1.0, 1.0]]))
    # the row of a position predicts the id of the next one; the last row is not used
    assert perplexity(logits, np.array([2, 0, 2])) == pytest.approx((0.5 * 0.8) ** -0.5)
    assert perplexity(logits, np.array([0, 1, 1])) == pytest.approx((0.25 * 0.1) ** -0.5)
    assert perplexity(np.zeros((2, 7)), np.array([3, 3])) == pytest.approx(7)


def test_divergence_of_known_probabilities():
    reference = np.log(np.array([[0.5, 0.5], [0.9, 0.1]]))
    logits = np.log(np.array([[0.5, 0.5], [0.5, 0.5]]))
    expected = 0.9 * np.log(0.9 / 0.5) + 0.1 * np.log(0.1 / 0.5)
    assert divergence(reference, logits) == pytest.approx([0, expected])
    assert divergence(logits, reference)[1] == pytest.approx(
        0.5 * np.log(0.5 / 0.9) + 0.5 * np.log(0.5 / 0.1))


def test_equal_first_choices_counts_positions():
    reference = np.array([[1.0, 2.0, 0.0], [3.0, 0.0, 0.0], [0.0, 0.0, 1.0], [5.0, 4.0, 0.0]])
    logits = np.array([[0.0, 9.0, 8.0], [0.0, 0.1, 0.0], [0.0, 0.0, 0.5], [4.0, 4.0, 0.0]])
    assert equal_first_choices(reference, logits) == 0.75


def test_measures_do_not_depend_on_a_common_offset_nor_overflow():
    rng = np.random.default_rng(seed(66))
    reference, logits = rng.normal(0, 3, (2, 6, 11))
    ids = rng.integers(0, 11, 6)
    for offset in (1000.0, -1e4, 0.0):
        assert perplexity(logits + offset, ids) == pytest.approx(
            measures.perplexity(logits, ids.tolist()))
        assert divergence(reference, logits + offset) == pytest.approx(
            measures.kl_divergence(reference, logits))
    single = logits.astype(np.float32)
    assert divergence(reference, single).dtype == np.float64
    assert perplexity(single, ids) == pytest.approx(perplexity(logits, ids), rel=1e-5)
