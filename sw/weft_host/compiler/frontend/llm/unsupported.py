"""Properties of a language model that Weft does not support, reported in one list."""

from collections.abc import Callable, Iterable

from ....errors import WeftError
from ...verdict import ModelError, UnsupportedError, Verdict

__all__ = ["Unsupported", "UnsupportedModelError"]

MOST_LINES = 50     # of a message; the attribute `verdicts` has all


class UnsupportedModelError(UnsupportedError):
    """A language model is intact, but has properties that Weft does not support.

    Parameters
    ----------
    source : :class:`str`
        Path of the model.
    verdicts : tuple of :class:`weft_host.compiler.Verdict`
        One verdict for each property; ``operator`` is the name of the property.
    """

    def __init__(self, source: str, verdicts: tuple[Verdict, ...]) -> None:
        self.verdicts = verdicts
        count = len(verdicts)
        lines = [f"{source} has {count} unsupported propert{'y' if count == 1 else 'ies'}; "
                 "it was not read:",
                 *(f"  {v.operator}: {v.reason}" for v in verdicts[:MOST_LINES]),
                 *([f"  and {count - MOST_LINES} more"] if count > MOST_LINES else [])]
        WeftError.__init__(self, "\n".join(lines))


class Unsupported:
    """List of the unsupported properties that were found so far.

    Parameters
    ----------
    source : :class:`str`
        Path of the model.
    others : callable or :class:`None`
        Returns further properties and their reasons, which are not an obstacle alone, such as those
        of the tokenizer: weights can be read without it. It is called if there are any properties
        to report, so that one list has all.
    """

    def __init__(self, source: str,
                 others: Callable[[], Iterable[tuple[str, str]]] | None = None) -> None:
        self.source = source
        self._others = others
        self._reasons: dict[str, str] = {}

    def add(self, name: str, reason: str) -> None:
        """Add the property ``name``. Only the first reason for a property is kept."""
        self._reasons.setdefault(name, reason)

    def raise_if_any(self) -> None:
        """Raise the list.

        Raises
        ------
        UnsupportedModelError
            If any property was added.
        """
        if self._reasons:
            try:
                for name, reason in self._others() if self._others else ():
                    self.add(name, reason)
            except ModelError:          # damage is reported once the model is supported
                pass
            raise UnsupportedModelError(self.source, tuple(
                Verdict(index=index, operator=name, where="unsupported", reason=reason)
                for index, (name, reason) in enumerate(self._reasons.items())))
