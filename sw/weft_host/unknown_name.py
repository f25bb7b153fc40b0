"""Messages about unknown names, with the closest known name."""

import difflib
from collections.abc import Iterable

__all__ = ["closest", "unknown_name"]


def closest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most similar to ``name``, or ``None`` if none is similar.

    Upper and lower case, and ``-`` and ``_``, count as the same.
    """
    def plain(text: str) -> str:
        return text.lower().replace("-", "_")

    spelled = {plain(entry): entry for entry in known}
    found = difflib.get_close_matches(plain(name), spelled, n=1)
    return spelled[found[0]] if found else None


def unknown_name(problem: str, name: str, known: Iterable[str], advice: str = "") -> str:
    """Return a message about a name that is not among the known ones.

    Parameters
    ----------
    problem : :class:`str`
        Statement that contains the name, without a full stop.
    name : :class:`str`
        The unknown name.
    known : iterable of :class:`str`
        All names that are allowed.
    advice : :class:`str`
        Sentence that lists the names or states a command that lists them. Without it, the message
        lists them.
    """
    names = list(known)
    similar = closest(name, names)
    hint = f"; did you mean {similar!r}?" if similar else ""
    if advice:
        return f"{problem}{hint or '.'} {advice}"
    return f"{problem}{hint}{' There' if hint else '; there'} are {', '.join(names)}"
