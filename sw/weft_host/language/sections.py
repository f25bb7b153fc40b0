"""Sections of a text: special tokens and the text between them."""

from collections.abc import Iterator, Mapping

__all__ = ["SpecialTokens"]


class SpecialTokens:
    """Finder of special tokens in a text, the longest one at each position.

    Parameters
    ----------
    ids : dict of :class:`int`
        Ids of the special tokens by their texts.
    """

    def __init__(self, ids: Mapping[str, int]) -> None:
        self._ids = {text: index for text, index in ids.items() if text}
        # lengths of the texts that begin with a character, the longest first
        self._lengths: dict[str, list[int]] = {}
        for text in self._ids:
            self._lengths.setdefault(text[0], []).append(len(text))
        for first, lengths in self._lengths.items():
            self._lengths[first] = sorted(set(lengths), reverse=True)

    def split(self, text: str) -> Iterator[str | int]:
        """Yield the sections of a text in order: ids of special tokens, and texts, never empty."""
        start = at = 0
        while at < len(text):
            found = next((length for length in self._lengths.get(text[at], ())
                          if text[at:at + length] in self._ids), 0)
            if not found:
                at += 1
                continue
            if start < at:
                yield text[start:at]
            yield self._ids[text[at:at + found]]
            start = at = at + found
        if start < len(text):
            yield text[start:]
