"""Measures on distributions that are known."""

import numpy as np
import pytest

from golden.language_model.measures import (
    equal_first_choices,
    kl_divergence,
    log_probabilities,
    perplexity,
)


def test_equal_logits_have_the_perplexity_of_the_vocabulary():
    assert perplexity(np.full((5, 7), 3.0), [0, 1, 2, 3, 4]) == pytest.approx(7)


def test_perplexity_looks_up_the_next_text_token():
    logits = np.log([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8], [1.0, 1.0, 1.0]])
    assert perplexity(logits, [2, 1, 2]) == pytest.approx((1 / (0.25 * 0.8)) ** 0.5)


def test_divergence_of_known_distributions():
    p, q = np.array([[0.5, 0.5]]), np.array([[0.25, 0.75]])
    expected = 0.5 * np.log(2) + 0.5 * np.log(0.5 / 0.75)
    assert kl_divergence(np.log(p), np.log(q) + 5) == pytest.approx([expected])
    assert kl_divergence(p, p) == pytest.approx([0])


def test_share_of_equal_first_choices():
    a, b = np.array([[1, 0], [0, 1], [2, 1], [1, 2]]), np.array([[3, 0], [1, 0], [2, 1], [1, 2]])
    assert equal_first_choices(a, b) == 0.75


def test_logarithms_of_large_logits_are_finite():
    assert np.allclose(log_probabilities(np.float32([[1e30, 1e30]])), np.log(0.5))
