"""Measures of quality: perplexity, divergence, share of equal first choices."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from golden.language_model.parameters import Array

__all__ = ["equal_first_choices", "kl_divergence", "log_probabilities", "perplexity"]


def log_probabilities(logits: Array) -> npt.NDArray[np.float64]:
    """Return the natural logarithms of the softmax over the last axis."""
    x = logits.astype(np.float64)
    x = x - x.max(axis=-1, keepdims=True)
    result: npt.NDArray[np.float64] = x - np.log(np.exp(x).sum(axis=-1, keepdims=True))
    return result


def perplexity(logits: Array, ids: Sequence[int]) -> float:
    """Return exp of the mean negative log-likelihood of each id after the first.

    Parameters
    ----------
    logits : ``(len(ids), vocabulary)``; row i predicts id i + 1, and the last row is not used.
    ids : at least two text tokens.
    """
    known = log_probabilities(logits[:-1])[np.arange(len(ids) - 1), np.asarray(ids)[1:]]
    return float(np.exp(-known.mean()))


def kl_divergence(reference: Array, logits: Array) -> npt.NDArray[np.float64]:
    """Return the Kullback-Leibler divergence at each position, in nats.

    Parameters
    ----------
    reference, logits : ``(positions, vocabulary)``.
    """
    p, q = log_probabilities(reference), log_probabilities(logits)
    result: npt.NDArray[np.float64] = (np.exp(p) * (p - q)).sum(axis=-1)
    return result


def equal_first_choices(reference: Array, logits: Array) -> float:
    """Return the share of positions with the same likeliest text token."""
    return float((reference.argmax(axis=-1) == logits.argmax(axis=-1)).mean())
