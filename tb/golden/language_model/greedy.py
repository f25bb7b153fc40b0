"""Continuation of a text by the likeliest text token."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["continue_greedily"]


def continue_greedily(evaluate: Callable[[Sequence[int]], npt.ArrayLike], ids: Sequence[int],
                      count: int) -> list[int]:
    """Return ``count`` text tokens after ``ids``, the likeliest one (the first of equals) each.

    Parameters
    ----------
    evaluate : callable
        Returns the logits, ``(positions, vocabulary)``, of text tokens that follow those of earlier
        calls.
    ids : the text tokens of the first call.
    """
    found: list[int] = []
    step: Sequence[int] = ids
    for _ in range(count):
        found.append(int(np.asarray(evaluate(step))[-1].argmax()))
        step = found[-1:]
    return found
