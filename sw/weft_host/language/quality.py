"""Measures of logits: perplexity, divergence, equal first choices."""

import numpy as np
import numpy.typing as npt

__all__ = ["divergence", "equal_first_choices", "perplexity"]

Logits = npt.NDArray[np.floating]


def _log_probabilities(logits: Logits) -> npt.NDArray[np.float64]:
    x = logits.astype(np.float64)
    x = x - x.max(axis=-1, keepdims=True)
    result: npt.NDArray[np.float64] = x - np.log(np.exp(x).sum(axis=-1, keepdims=True))
    return result


def perplexity(logits: Logits, ids: npt.NDArray[np.int64]) -> float:
    """Return the perplexity of the ids after the first one.

    Parameters
    ----------
    logits : ``(positions, vocabulary)``.
    ids : ``(positions,)``, at least two.
    """
    chosen = _log_probabilities(logits[:-1])[np.arange(len(ids) - 1), ids[1:]]
    return float(np.exp(-chosen.mean()))


def divergence(reference: Logits, logits: Logits) -> npt.NDArray[np.float64]:
    """Return the Kullback-Leibler divergence from the reference, for each position, in nats."""
    p, q = _log_probabilities(reference), _log_probabilities(logits)
    result: npt.NDArray[np.float64] = (np.exp(p) * (p - q)).sum(axis=-1)
    return result


def equal_first_choices(reference: Logits, logits: Logits) -> float:
    """Return the share of positions with the same likeliest text token."""
    return float((reference.argmax(axis=-1) == logits.argmax(axis=-1)).mean())
