"""Merging by scores, compared with a search of all neighbours at each step."""

import numpy as np
import pytest

from support.seeds import seed
from weft_host.language.score_merges import ScoreMerges


def naive(text, scores):
    """Merge the pair with the highest score, the leftmost of equals, until none is a token."""
    parts = list(text)
    while True:
        best = None
        for at, (left, right) in enumerate(zip(parts, parts[1:])):
            score = scores.get(left + right)
            if score is not None and (best is None or score > best[0]):
                best = score, at
        if best is None:
            return parts
        at = best[1]
        parts[at:at + 2] = [parts[at] + parts[at + 1]]


@pytest.mark.parametrize("distinct", [True, False])
def test_merges_as_a_search_of_all_neighbours_does(distinct):
    rng = np.random.default_rng(seed(101))
    for _ in range(100):
        texts = {"".join(rng.choice(list("abc"), size)) for size in rng.integers(1, 6, 30)}
        texts |= set("abc")
        scores = {text: float(rng.normal() if distinct else rng.integers(0, 3)) for text in texts}
        ids = {text: i for i, text in enumerate(sorted(texts))}
        law = ScoreMerges(scores=scores, ids=ids, byte_ids={}, unknown_id=None)
        text = "".join(rng.choice(list("abc"), 40))
        assert law.encode(text) == [ids[part] for part in naive(text, scores)]


def test_unknown_characters_become_bytes_then_the_unknown_token_then_an_error():
    every = {byte: 1000 + byte for byte in range(256)}
    options = dict(scores={}, ids={"a": 1})
    assert ScoreMerges(**options, byte_ids=every, unknown_id=0).encode("aé") == [1, 1195, 1169]
    del every[0xA9]
    assert ScoreMerges(**options, byte_ids=every, unknown_id=0).encode("aé") == [1, 0]
    with pytest.raises(ValueError, match="^é$"):
        ScoreMerges(**options, byte_ids=every, unknown_id=None).encode("aé")


def test_a_long_text_takes_bounded_time():
    scores = {"a" * size: -float(size) for size in range(1, 20)}
    law = ScoreMerges(scores=scores, ids={text: 1 for text in scores}, byte_ids={}, unknown_id=0)
    assert len(law.encode("a" * 20000)) < 20000
