"""Text of ids that arrive one at a time."""

import numpy as np
import pytest

from support.language_models import BYTE_LEVEL, SENTENCEPIECE, vocabulary
from support.seeds import seed
from weft_host.compiler.frontend.llm import Vocabulary
from weft_host.language import Tokenizer

TEXT = "Über 漢字 🎉👩‍🚀 e\u0301."


def make(kind):
    words = vocabulary(kind)
    return Tokenizer(Vocabulary(
        kind=kind, tokens=words.tokens, types=np.array(words.types, np.uint8), merges=words.merges,
        pre_tokenizer="gpt-2", unknown_id=0 if kind == SENTENCEPIECE else None,
        space_prefix="sections" if kind == SENTENCEPIECE else "none"))


@pytest.mark.parametrize("kind", [BYTE_LEVEL, SENTENCEPIECE])
def test_returns_whole_characters(kind):
    tokenizer = make(kind)
    stream = tokenizer.stream(continuation=False)
    parts = [stream.feed(index) for index in tokenizer.encode(TEXT)]
    assert "".join(parts) == TEXT and stream.finish() == ""
    assert "" in parts and not any("\ufffd" in part for part in parts)


@pytest.mark.parametrize("kind", [BYTE_LEVEL, SENTENCEPIECE])
def test_parts_are_the_text_of_any_ids(kind):
    tokenizer = make(kind)
    rng = np.random.default_rng(seed(95))
    for _ in range(50):
        ids = rng.integers(0, len(tokenizer), 20).tolist()
        stream = tokenizer.stream(special=True)
        text = "".join([*map(stream.feed, ids), stream.finish()])
        assert text == b"".join(map(tokenizer.piece, ids)).decode(errors="replace") or (
            kind == SENTENCEPIECE)
        assert text == tokenizer.decode(ids, special=True, continuation=True)


def test_an_incomplete_character_at_the_end_is_replaced():
    tokenizer = make(BYTE_LEVEL)
    ids = tokenizer.encode("a漢")
    stream = tokenizer.stream()
    assert stream.feed(ids[0]) == "a" and stream.feed(ids[1]) == ""
    assert stream.finish() == "\ufffd" and stream.finish() == ""
    assert tokenizer.decode(ids[:-1]) == "a\ufffd"


def test_a_special_token_in_a_character_ends_it():
    tokenizer = make(BYTE_LEVEL)
    first = tokenizer.encode("漢")[0]
    stream = tokenizer.stream(special=True)
    assert [stream.feed(first), stream.feed(2)] == ["", "\ufffd<|im_end|>"]


def test_only_a_start_loses_its_space():
    tokenizer = make(SENTENCEPIECE)
    ids = tokenizer.encode("the the")
    assert tokenizer.stream().feed(ids[0]).startswith(" ")
    assert tokenizer.stream(continuation=False).feed(ids[0]).startswith("t")
