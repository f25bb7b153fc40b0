"""Division by the ranks of merges: byte-pair encoding of the package ``tokenizers``."""

from collections.abc import Mapping, Sequence

from tokenizers import Regex, models, pre_tokenizers
from tokenizers import Tokenizer as BackEnd

from ..errors import WeftError

__all__ = ["RankMerges"]


class RankMerges:
    """Merges neighbours in the order of a list.

    Parameters
    ----------
    ids : dict of :class:`int`
        Ids by text. All texts in ``merges`` and what they form must be among them.
    merges : sequence of pairs of :class:`str`
        Pairs in the order in which they are merged.
    patterns : sequence of :class:`str`
        Regular expressions that divide a text into words first.
    byte_level : :class:`bool`
        Whether the characters stand for bytes. If not, characters that are no tokens become the
        tokens ``<0x00>`` to ``<0xFF>`` of their bytes.
    ignore_merges : :class:`bool`
        Whether a word that is a token is not divided.
    unknown : :class:`str` or :class:`None`
        Text of the token for all other characters.
    """

    def __init__(self, *, ids: Mapping[str, int], merges: Sequence[tuple[str, str]],
                 patterns: Sequence[str] = (), byte_level: bool = True,
                 ignore_merges: bool = False, unknown: str | None = None) -> None:
        for index, (left, right) in enumerate(merges):
            missing = next((text for text in (left, right, left + right) if text not in ids), None)
            if missing is not None:
                raise WeftError(f"merge {index} of {left[:40]!r} and {right[:40]!r} needs the text "
                                f"token {missing[:80]!r}, which the vocabulary lacks")
        self._back_end = BackEnd(models.BPE(
            vocab=dict(ids), merges=list(merges), ignore_merges=ignore_merges, unk_token=unknown,
            byte_fallback=not byte_level, fuse_unk=not byte_level))
        if byte_level:
            self._back_end.pre_tokenizer = pre_tokenizers.Sequence([
                *(pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in patterns),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text."""
        ids: list[int] = self._back_end.encode(text, add_special_tokens=False).ids
        return ids
