"""Vocabularies of ``tokenizer.json`` and of the files beside it."""

import json

import numpy as np
import pytest

from support.language_models import (
    BYTE_LEVEL,
    SENTENCEPIECE,
    SHAPES,
    random_tensors,
    vocabulary,
    write_folder,
)
from support.seeds import seed
from weft_host.compiler.frontend.llm import TokenType, read_language_model
from weft_host.compiler.verdict import ModelError

SPACE = "\u2581"
SPLIT = {"type": "Split", "pattern": {"Regex": "a+"}, "behavior": "Isolated", "invert": False}
BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "m"


def write(folder, kind=BYTE_LEVEL, name="gpt2", change=None):
    """Write a random model; ``change`` alters the content of ``tokenizer.json``."""
    words = vocabulary(kind)
    tensors = random_tensors(SHAPES[name], len(words.tokens), np.random.default_rng(seed(81)))
    write_folder(folder, SHAPES[name], tensors, words)
    if change:
        path = folder / "tokenizer.json"
        file = json.loads(path.read_text())
        change(file)
        path.write_text(json.dumps(file))
    return words


def read(folder):
    return read_language_model(folder).vocabulary


def test_holds_tokens_merges_and_special_ids(folder):
    words = write(folder)
    v = read(folder)
    assert v.tokens == words.tokens and v.merges == words.merges and v.kind == "byte_level"
    assert (v.bos_id, v.eos_id, v.padding_id, v.add_bos) == (1, 2, None, False)
    assert v.types[:4].tolist() == [TokenType.CONTROL] * 3 + [TokenType.NORMAL]
    assert v.end_ids == {0, 2} and v.chat_template == "{{ messages[0]['content'] }}"
    assert v.unsupported == () and v.pre_tokenizer == "gpt-2" and v.normalisation == ""


def test_holds_the_law_of_sentencepiece(folder):
    words = write(folder, SENTENCEPIECE, "llama")
    v = read(folder)
    assert (v.kind, v.space_prefix, v.scores) == ("sentencepiece", "sections", None)
    assert v.add_bos and not v.add_eos and v.unknown_id == 0
    assert (v.types == TokenType.BYTE).sum() == 256 and v.merges == words.merges


def test_the_post_processor_states_the_tokens_around_a_text(folder):
    end = {"SpecialToken": {"id": "</s>", "type_id": 0}}

    def append(file):
        template = file["post_processor"]
        template["single"].append(end)
        file["post_processor"] = {"type": "Sequence", "processors": [
            {"type": "ByteLevel"}, template]}

    write(folder, SENTENCEPIECE, "llama", append)
    v = read(folder)
    assert v.add_bos and v.add_eos
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "bos_token": "<s>", "eos_token": "</s>", "add_bos_token": False, "add_eos_token": False}))
    v = read(folder)
    assert not v.add_bos and not v.add_eos and (v.bos_id, v.eos_id) == (1, 2)


def test_merges_may_be_texts(folder):
    words = write(folder, change=lambda file: file["model"].update(
        merges=[" ".join(pair) for pair in file["model"]["merges"]]))
    assert read(folder).merges == words.merges


def test_ids_that_end_a_text_come_from_all_files(folder):
    write(folder)
    (folder / "generation_config.json").write_text('{"eos_token_id": [5, 7, 100000, "x"]}')
    assert read(folder).end_ids == {0, 2, 5, 7}


@pytest.mark.parametrize("template, found", [
    ("t", "t"), ([{"name": "tool", "template": "a"}, {"name": "default", "template": "b"}], "b"),
    (None, None), (5, None)])
def test_the_chat_template_in_its_forms(folder, template, found):
    write(folder)
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": template}))
    assert read(folder).chat_template == found
    (folder / "chat_template.jinja").write_text("from its own file")
    assert read(folder).chat_template == "from its own file"


def test_gaps_between_ids_are_unused_tokens(folder):
    def remove(file):
        del file["model"]["vocab"][vocabulary(BYTE_LEVEL).tokens[5]]
        file["model"]["merges"] = []
    write(folder, change=remove)
    assert read(folder).types[5] == TokenType.UNUSED


def metaspace(scheme, **more):
    return lambda file: file.update(normalizer=None, pre_tokenizer={
        "type": "Metaspace", "replacement": SPACE, "prepend_scheme": scheme, "split": False} | more)


@pytest.mark.parametrize("change, prefix", [
    (metaspace("always"), "sections"), (metaspace("first"), "start"), (metaspace("never"), "none"),
    (metaspace("always", add_prefix_space=False), "none"),
    (lambda file: file.update(normalizer=file["normalizer"]["normalizers"][1]), "none")])
def test_the_space_in_front_of_a_text(folder, change, prefix):
    write(folder, SENTENCEPIECE, "llama", change)
    v = read(folder)
    assert (v.unsupported, v.space_prefix) == ((), prefix)


def pre_tokenizers(*steps):
    return lambda file: file.update(pre_tokenizer={"type": "Sequence", "pretokenizers": steps})


DIGITS = {"type": "Digits", "individual_digits": True}


@pytest.mark.parametrize("change, name", [
    (pre_tokenizers(DIGITS, BYTES), "smollm"), (pre_tokenizers(BYTES), "gpt-2")])
def test_pre_tokenizers_are_recognised(folder, change, name):
    write(folder, change=change)
    assert read(folder).pre_tokenizer == name


@pytest.mark.parametrize("kind, change, name, reason", [
    (BYTE_LEVEL, pre_tokenizers(SPLIT, BYTES | {"use_regex": False}), "pre_tokenizer",
     "is not known: ['a+']"),
    (BYTE_LEVEL, pre_tokenizers(SPLIT | {"invert": True}, BYTES), "pre_tokenizer",
     "is not known: {'type': 'Split', 'pattern': {'Regex': 'a+'}, "),
    (BYTE_LEVEL, pre_tokenizers(BYTES, DIGITS), "pre_tokenizer",
     "is not known: {'type': 'ByteLevel', "),
    (BYTE_LEVEL, lambda file: file.update(pre_tokenizer=BYTES | {"add_prefix_space": True}),
     "pre_tokenizer", "is not known: {'type': 'ByteLevel', 'add_prefix_space': True, "),
    (BYTE_LEVEL, lambda file: file.update(normalizer={"type": "Lowercase"}), "normalizer",
     "is not known: {'type': 'Lowercase'}"),
    (BYTE_LEVEL, lambda file: file.update(model={"type": "WordPiece", "vocab": {}}), "model.type",
     "'WordPiece'; supported is 'BPE'"),
    (BYTE_LEVEL, lambda file: file["added_tokens"][0].update(rstrip=True), "added_tokens.rstrip",
     "is not supported"),
    (SENTENCEPIECE, metaspace("always", split=True), "pre_tokenizer",
     "is not known: {'type': 'Metaspace', "),
    (SENTENCEPIECE, lambda file: file.update(normalizer={"type": "NFKC"}), "normalizer",
     "is not known: {'type': 'NFKC'}"),
    (SENTENCEPIECE, lambda file: file["model"].update(byte_fallback=False), "model",
     "is not known: it is neither byte-level nor one of SentencePiece with a fallback to bytes")])
def test_an_unknown_law_leaves_the_weights_readable(folder, kind, change, name, reason):
    write(folder, kind, "llama", change)
    (found, text), = read(folder).unsupported
    assert found == name and text.startswith(reason)


def put(**values):
    return lambda file: file["model"]["vocab"].update(values)


@pytest.mark.parametrize("change, problem", [
    (put(Zz=10**9), "text token 'Zz' has the id 1000000000, but the embedding has 340 rows"),
    (put(Zz=-1), "text token 'Zz' has the id -1, but the embedding has 340 rows"),
    (put(Zz=1), "the texts '<|im_start|>' and 'Zz' have the same id 1"),
    (lambda file: file["model"].update(merges=["abc"]), "merge 0 is 'abc' instead of two texts"),
    (lambda file: file["model"].update(merges=[["a", 5]]), "merge 0 is \"['a', 5]\" instead of two "
     "texts"),
    (lambda file: file.update(added_tokens=[], model={"vocab": {}}), "it has no text tokens")])
def test_a_vocabulary_that_contradicts_itself_is_refused(folder, change, problem):
    write(folder, change=change)
    with pytest.raises(ModelError) as error:
        read(folder)
    assert str(error.value) == (f"{folder / 'tokenizer.json'} is damaged: {problem}; obtain the "
                                "file again")
