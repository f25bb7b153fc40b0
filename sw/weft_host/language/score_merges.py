"""Division by scores: SentencePiece's byte-pair encoding."""

import heapq
from collections.abc import Mapping

__all__ = ["ScoreMerges"]


class ScoreMerges:
    """Merges neighbours as long as they form a token, the ones with the highest score first.

    Of equal scores, the leftmost one is merged. Characters that are no tokens become the tokens of
    their bytes, or the unknown token. Sources: ``bpe_model.cc`` of SentencePiece, and
    ``llm_tokenizer_spm`` in llama.cpp.

    Parameters
    ----------
    scores : dict of :class:`float`
        Scores by the texts of the tokens that may be formed.
    ids : dict of :class:`int`
        Ids by text.
    byte_ids : dict of :class:`int`
        Ids of bytes; empty or incomplete if the vocabulary lacks them.
    unknown_id : :class:`int` or :class:`None`
    """

    def __init__(self, *, scores: Mapping[str, float], ids: Mapping[str, int],
                 byte_ids: Mapping[int, int], unknown_id: int | None) -> None:
        self._scores, self._ids = scores, ids
        self._byte_ids, self._unknown_id = byte_ids, unknown_id

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text, in which spaces are visible characters already.

        Raises
        ------
        ValueError
            If the vocabulary has no token for a character. The message is the character.
        """
        found: list[int] = []
        for part in self._merge(text):
            index = self._ids.get(part)
            if index is not None:
                found.append(index)
                continue
            data = part.encode()
            if all(byte in self._byte_ids for byte in data):
                found += [self._byte_ids[byte] for byte in data]
            elif self._unknown_id is not None:
                found.append(self._unknown_id)
            else:
                raise ValueError(part)
        return found

    def _merge(self, text: str) -> list[str]:
        """Return the text in parts that cannot be merged further."""
        parts: list[str] = list(text)           # a merged part is empty
        before = list(range(-1, len(parts) - 1))
        after = list(range(1, len(parts) + 1))
        queue: list[tuple[float, int, str]] = []

        def offer(left: int) -> None:
            right = after[left] if left >= 0 else len(parts)
            if right < len(parts):
                merged = parts[left] + parts[right]
                score = self._scores.get(merged)
                if score is not None:
                    heapq.heappush(queue, (-score, left, merged))

        for left in range(len(parts) - 1):
            offer(left)
        while queue:
            _, left, merged = heapq.heappop(queue)
            right = after[left]
            if not parts[left] or right >= len(parts) or parts[left] + parts[right] != merged:
                continue                        # one of the two was merged otherwise
            parts[left], parts[right] = merged, ""
            after[left] = after[right]
            if after[right] < len(parts):
                before[after[right]] = left
            offer(before[left])
            offer(left)
        return [part for part in parts if part]
