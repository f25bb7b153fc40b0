"""Texts to ids and back, for vocabularies of both kinds and formats."""

import dataclasses
import json
import unicodedata

import numpy as np
import pytest
import tokenizers

from support.language_models import (
    BYTE_LEVEL,
    SENTENCEPIECE,
    SHAPES,
    random_tensors,
    vocabulary,
    write_folder,
)
from support.language_models.hf_folders import tokenizer_json
from support.seeds import seed
from weft_host import InputError, ModelError
from weft_host.compiler.frontend.llm import (
    TokenType,
    UnsupportedModelError,
    Vocabulary,
    read_language_model,
)
from weft_host.compiler.frontend.llm.pre_tokenizers import PATTERNS
from weft_host.language import Tokenizer

TEXTS = ("", " ", "a", "Once upon a time", "  two  spaces ",
         "Don't, THEY'RE 12345 and\n\n more\r\n", "<s> </s><|im_start|>user\nhi<|im_end|>",
         "Über 漢字 と\u0301 🎉👩‍🚀", "\x00\x01\x7f\u0085\u2028\ufeff",
         "x" * 300, "tab\tand 1/3 ½ ٣ Ⅷ", "e\u0301 \u00e9")
ALPHABET = [*map(chr, range(32, 127)), *"\n\t\r  \u00a0\u3000éßЖ漢か한\u0301\u200d🎉½٣",
            "<s>", "<|im_end|>", "'re", "The weft", " the"]


def make(kind, **changes):
    """Return the vocabulary of a GGUF file for the random vocabulary of a kind."""
    words = vocabulary(kind)
    v = Vocabulary(
        kind=kind, tokens=words.tokens, types=np.array(words.types, np.uint8), bos_id=words.bos,
        eos_id=words.eos, end_ids=frozenset([words.eos]), add_bos=kind == SENTENCEPIECE,
        unknown_id=0 if kind == SENTENCEPIECE else None,
        merges=words.merges if kind == BYTE_LEVEL else (),
        scores=np.array(words.scores, np.float32) if kind == SENTENCEPIECE else None,
        pre_tokenizer="gpt-2" if kind == BYTE_LEVEL else "",
        space_prefix="sections" if kind == SENTENCEPIECE else "none")
    return dataclasses.replace(v, **changes)


def random_texts(count, offset):
    rng = np.random.default_rng(seed(offset))
    for _ in range(count):
        yield "".join(rng.choice(ALPHABET, rng.integers(1, 30)))


KINDS = {"byte_level": make(BYTE_LEVEL), "scores": make(SENTENCEPIECE),
         "ranks": make(SENTENCEPIECE, scores=None, merges=vocabulary(SENTENCEPIECE).merges),
         **{pre: make(BYTE_LEVEL, pre_tokenizer=pre) for pre in ("smollm", "qwen2", "llama-bpe",
                                                                 "tekken")}}


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("special", [True, False])
def test_any_text_survives_the_round_trip(name, special):
    tokenizer = Tokenizer(KINDS[name])
    for text in (*TEXTS, *random_texts(60, 91)):
        ids = tokenizer.encode(text, special=special, add_bos=False)
        assert all(type(index) is int and 0 <= index < len(tokenizer) for index in ids)
        assert tokenizer.decode(ids, special=True) == text


@pytest.mark.parametrize("kind, family", [(BYTE_LEVEL, "gpt2"), (BYTE_LEVEL, "qwen2"),
                                          (SENTENCEPIECE, "llama")])
def test_ids_are_those_of_the_package_tokenizers_on_the_whole_file(kind, family):
    words = vocabulary(kind)
    reference = tokenizers.Tokenizer.from_str(json.dumps(tokenizer_json(words, family)))
    changes = {"pre_tokenizer": "qwen2", "normalisation": "NFC"} if family == "qwen2" else {}
    v = make(kind, **changes)
    for law in (v, dataclasses.replace(v, scores=None, merges=words.merges)):
        tokenizer = Tokenizer(law)
        for text in (*TEXTS[1:], *random_texts(60, 92)):
            assert tokenizer.encode(text) == reference.encode(text).ids


def test_a_vocabulary_may_normalise_the_text():
    tokenizer = Tokenizer(make(BYTE_LEVEL, normalisation="NFC"))
    text = "e\u0301<|im_end|>n\u0303"
    assert tokenizer.decode(tokenizer.encode(text), special=True) == unicodedata.normalize(
        "NFC", text)


def test_names_of_special_tokens_are_plain_text_on_request():
    tokenizer = Tokenizer(KINDS["byte_level"])
    assert tokenizer.encode("<|im_end|>") == [2]
    ids = tokenizer.encode("<|im_end|>", special=False)
    assert 2 not in ids and tokenizer.decode(ids) == "<|im_end|>"


def test_tokens_that_a_user_defined_are_always_found():
    types = KINDS["byte_level"].types.copy()
    types[2] = TokenType.USER_DEFINED
    tokenizer = Tokenizer(make(BYTE_LEVEL, types=types))
    assert tokenizer.encode("a<|im_end|>", special=False)[-1] == 2
    assert tokenizer.decode([2]) == "<|im_end|>"


def test_special_tokens_are_left_out_unless_requested():
    tokenizer = Tokenizer(KINDS["byte_level"])
    ids = tokenizer.encode("<|im_start|>a<|im_end|>")
    assert tokenizer.decode(ids) == "a"
    assert tokenizer.decode(ids, special=True) == "<|im_start|>a<|im_end|>"
    assert tokenizer.is_special(1) and not tokenizer.is_special(ids[1])


@pytest.mark.parametrize("add_bos, add_eos, expected", [
    (None, None, [1]), (False, None, []), (True, True, [1, 2]), (None, True, [1, 2])])
def test_an_empty_text_has_only_the_added_tokens(add_bos, add_eos, expected):
    assert Tokenizer(KINDS["scores"]).encode("", add_bos=add_bos, add_eos=add_eos) == expected


def test_the_file_decides_about_added_tokens():
    assert Tokenizer(KINDS["byte_level"]).encode("") == []
    assert Tokenizer(make(BYTE_LEVEL, add_bos=True, add_eos=True)).encode("") == [1, 2]
    tokenizer = Tokenizer(make(BYTE_LEVEL, add_bos=True, bos_id=None), "m.gguf")
    assert tokenizer.encode("") == []
    with pytest.raises(InputError, match="^m.gguf has no BOS token; encode without it$"):
        tokenizer.encode("", add_bos=True)


def test_a_space_is_put_in_front_of_each_section_or_of_the_start():
    text = "the</s>the"
    texts = {}
    for prefix in ("sections", "start", "none"):
        tokenizer = Tokenizer(make(SENTENCEPIECE, space_prefix=prefix))
        ids = tokenizer.encode(text)
        texts[prefix] = b"".join(map(tokenizer.piece, ids))
        assert tokenizer.decode(ids[1:], special=True) == text
    assert texts == {"sections": b"<s> the</s> the", "start": b"<s> the</s>the",
                     "none": b"<s>the</s>the"}


def test_a_continuation_keeps_its_first_space():
    tokenizer = Tokenizer(KINDS["scores"])
    ids = tokenizer.encode("the", add_bos=False)
    assert tokenizer.decode(ids) == "the" and tokenizer.decode(ids, continuation=True) == " the"


@pytest.mark.parametrize("index, shown", [(-1, "-1"), (340, "340"), (2**70, str(2**70))])
def test_an_id_out_of_range_is_refused(index, shown):
    tokenizer = Tokenizer(KINDS["byte_level"])
    message = f"^Text token {shown} does not exist; the vocabulary has the ids 0 to 339$"
    for call in (tokenizer.piece, lambda i: tokenizer.decode([3, i]), tokenizer.stream().feed):
        with pytest.raises(InputError, match=message):
            call(index)


@pytest.mark.parametrize("index", ["5", 5.0, None])
def test_an_id_that_is_no_integer_is_refused(index):
    with pytest.raises(InputError, match="^The id of a text token is .* instead of an integer$"):
        Tokenizer(KINDS["byte_level"]).decode([index])


def test_integers_of_numpy_are_ids():
    assert Tokenizer(KINDS["byte_level"]).decode(np.array([2, 40])) != ""


def test_half_of_a_surrogate_pair_is_refused():
    with pytest.raises(InputError, match="^The text has half of a surrogate pair at character 1, "
                       "which is no character$"):
        Tokenizer(KINDS["byte_level"]).encode("a\ud800")


def test_a_character_without_text_token_is_refused():
    words = vocabulary(BYTE_LEVEL)
    tokens = tuple("removed" if text == "z" else text for text in words.tokens)
    merges = tuple(pair for pair in words.merges if "z" not in "".join(pair))
    tokenizer = Tokenizer(make(BYTE_LEVEL, tokens=tokens, merges=merges), "m.gguf")
    with pytest.raises(InputError, match="^The vocabulary of m.gguf has no text token for 'z'$"):
        tokenizer.encode("fuzzy")


def test_a_character_without_text_token_is_the_unknown_token_or_refused():
    words = vocabulary(SENTENCEPIECE)
    types = np.where(np.array(words.types) == 6, 5, words.types).astype(np.uint8)    # no bytes
    tokenizer = Tokenizer(make(SENTENCEPIECE, types=types))
    assert tokenizer.encode("a\u4e00", add_bos=False)[-1] == 0
    tokenizer = Tokenizer(make(SENTENCEPIECE, types=types, unknown_id=None), "m.gguf")
    with pytest.raises(InputError, match="^The vocabulary of m.gguf has no text token for '一'$"):
        tokenizer.encode("a\u4e00")


def test_an_unknown_law_is_refused_by_name():
    v = make(BYTE_LEVEL, unsupported=(("tokenizer.ggml.pre", "pre-tokenizer 'poro'; supported are "
                                       "gpt-2"),))
    with pytest.raises(UnsupportedModelError) as error:
        Tokenizer(v, "m.gguf")
    assert str(error.value) == ("m.gguf has 1 unsupported property; it was not read:\n"
                                "  tokenizer.ggml.pre: pre-tokenizer 'poro'; supported are gpt-2")


@pytest.mark.parametrize("changes, problem", [
    ({"merges": (("a", "nope"),)}, "merge 0 of 'a' and 'nope' needs the text token 'nope', which "
     "the vocabulary lacks"),
    ({"types": np.full(340, TokenType.BYTE, np.uint8)}, "the token of a byte has the name "
     "'<|endoftext|>' instead of one like '<0x0A>'")])
def test_a_vocabulary_that_contradicts_itself_is_refused(changes, problem):
    with pytest.raises(ModelError) as error:
        Tokenizer(make(BYTE_LEVEL, **changes), "m.gguf")
    assert str(error.value) == f"m.gguf is damaged: {problem}; obtain the file again"


def test_a_model_without_vocabulary_is_refused(tmp_path):
    words = vocabulary(BYTE_LEVEL)
    shape = SHAPES["llama"]
    tensors = random_tensors(shape, len(words.tokens), np.random.default_rng(seed(93)))
    write_folder(tmp_path / "m", shape, tensors, words)
    assert len(Tokenizer.from_model(read_language_model(tmp_path / "m"))) == 340
    (tmp_path / "m" / "tokenizer.json").unlink()
    with pytest.raises(ModelError) as error:
        Tokenizer.from_model(read_language_model(tmp_path / "m"))
    assert str(error.value) == (f"{tmp_path / 'm'} has no vocabulary; pass ids instead of text, or "
                                "add tokenizer.json to a folder")


def test_every_pre_tokenizer_can_be_built():
    for pre in PATTERNS:
        assert Tokenizer(make(BYTE_LEVEL, pre_tokenizer=pre)).encode("don't 12")


@pytest.mark.parametrize("pre, text, words", [
    ("gpt-2", "don't DON'T 1234 a,b  c\n", ["don", "'t", " DON", "'", "T", " 1234", " a", ",", "b",
                                            " ", " c", "\n"]),
    ("smollm", "a 1234 b", ["a", " ", "1", "2", "3", "4", " b"]),
    ("qwen2", "DON'T 12 a,b\n\nc", ["DON", "'T", " ", "1", "2", " a", ",b", "\n\n", "c"]),
    ("llama-bpe", "DON'T 12345 x", ["DON", "'T", " ", "123", "45", " x"]),
    ("tekken", "HelloWorld 12", ["Hello", "World", " ", "1", "2"])])
def test_pre_tokenizers_divide_into_words(pre, text, words):
    tokenizer = Tokenizer(make(BYTE_LEVEL, pre_tokenizer=pre))
    law = tokenizer._law._back_end.pre_tokenizer
    spans = [text[first:last] for _, (first, last) in law.pre_tokenize_str(text)]
    assert spans == words
