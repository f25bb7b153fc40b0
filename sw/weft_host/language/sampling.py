"""Choice of the next text token from logits."""

import numpy as np
import numpy.typing as npt

from ..errors import InputError

__all__ = ["Sampler"]


class Sampler:
    """Choice of text tokens.

    Parameters
    ----------
    temperature : :class:`float`
        Divisor of the logits; 0 chooses the likeliest text token, the first one of equals.
    top_p : :class:`float`
        Choose among the likeliest text tokens whose probabilities sum up to this number.
    seed : :class:`int`
        Seed of the random numbers.

    Raises
    ------
    InputError
        If a number is out of range.
    """

    def __init__(self, temperature: float = 0.0, top_p: float = 1.0, seed: int = 0) -> None:
        if not 0 <= temperature < float("inf"):
            raise InputError(f"temperature must be a number from 0 on, not {temperature}")
        if not 0 < top_p <= 1:
            raise InputError(f"top_p must be above 0 and at most 1, not {top_p}")
        self._temperature, self._top_p = temperature, top_p
        self._random = np.random.default_rng(seed)

    def choose(self, logits: npt.NDArray[np.float64]) -> int:
        """Return the id of the next text token."""
        if not self._temperature:
            return int(logits.argmax())
        with np.errstate(over="ignore"):        # a tiny temperature makes all but one impossible
            scaled = (logits - logits.max()) / self._temperature
        order = np.argsort(-scaled, kind="stable")
        weights = np.exp(scaled[order])
        cumulated = np.cumsum(weights / weights.sum())
        kept = int(np.searchsorted(cumulated, self._top_p)) + 1
        chosen = self._random.random() * cumulated[min(kept, len(order)) - 1]
        return int(order[min(int(np.searchsorted(cumulated, chosen, side="right")),
                             len(order) - 1)])
