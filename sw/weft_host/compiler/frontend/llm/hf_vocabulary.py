"""Vocabulary of a Hugging Face folder: ``tokenizer.json`` and the files beside it.

The laws of ``tokenizer.json`` are compared with the ones that Weft knows, and the data is kept; the
file itself is never passed on, so its regular expressions are not executed.
"""

import os
import pathlib
import re
import typing

import numpy as np

from ...verdict import ModelError
from .bounded_json import Object, parse_json
from .hf_tokenizer_laws import byte_level_law, is_byte_level, sentencepiece_law
from .mapped_file import read_text
from .vocabulary import END_NAMES, TokenType, Vocabulary

__all__ = ["read_vocabulary"]

LARGEST_TOKENIZER, LARGEST_SETTINGS = 64 << 20, 4 << 20     # bytes
_BYTE = re.compile(r"<0x[0-9A-F]{2}>")


def read_vocabulary(folder: pathlib.Path, config: Object, most: int) -> Vocabulary | None:
    """Read the vocabulary, or return ``None`` if the folder has no ``tokenizer.json``.

    Parameters
    ----------
    folder : path
    config : :class:`.bounded_json.Object`
        The content of ``config.json``.
    most : :class:`int`
        Rows of the embedding.

    Raises
    ------
    ModelError
        If a file is damaged or contradicts another one.
    """
    path = folder / "tokenizer.json"
    if not path.exists():
        return None
    file = parse_json(read_text(path, LARGEST_TOKENIZER), str(path))
    settings, generation = (_optional(folder / name) for name in (
        "tokenizer_config.json", "generation_config.json"))
    model = file.member("model")
    vocabulary = model.member("vocab").values if isinstance(
        model.values.get("vocab"), dict) else None
    kind = model.string("type", "BPE")
    if kind == "BPE" and vocabulary is None:
        raise model.wrong("vocab", "an object of ids by text")
    if kind != "BPE" or vocabulary is None:
        # the tokenizer refuses it by this name; the weights can be read nevertheless
        return Vocabulary(kind=kind, tokens=(), types=np.zeros(0, np.uint8), unsupported=(
            ("model.type", f"{kind[:40]!r}; supported is 'BPE'"),))
    tokens, types = _tokens(file, vocabulary, most)
    law = byte_level_law(file) if is_byte_level(file) else sentencepiece_law(file)
    if law.kind == "sentencepiece":
        types[[i for i, text in enumerate(tokens) if _BYTE.fullmatch(text)]] = TokenType.BYTE
    ids = {text: index for index, text in enumerate(tokens)}
    names = {role: _token_text(settings, f"{role}_token") for role in ("bos", "eos", "unk", "pad")}
    bos, eos = (_id_of(names[role], ids, config, f"{role}_token_id", len(tokens))
                for role in ("bos", "eos"))
    ends = {index for text, index in ids.items()
            if text in END_NAMES and types[index] == TokenType.CONTROL}
    ends |= _end_ids(generation, len(tokens)) | _end_ids(config, len(tokens))
    if eos is not None:
        ends.add(eos)
    added = _added_around(file, ids)
    return Vocabulary(
        kind=law.kind, tokens=tokens, types=types, merges=_merges(model),
        pre_tokenizer=law.pre_tokenizer, normalisation=law.normalisation,
        ignore_merges=model.boolean("ignore_merges", False), space_prefix=law.space_prefix,
        bos_id=bos, eos_id=eos, unknown_id=ids.get(model.string("unk_token", "")),
        padding_id=ids.get(names["pad"] or ""), end_ids=frozenset(ends),
        add_bos=settings.boolean("add_bos_token", bos is not None and bos in added[0]),
        add_eos=settings.boolean("add_eos_token", eos is not None and eos in added[1]),
        chat_template=_chat_template(folder, settings),
        unsupported=law.unsupported + _stripping(file))


def _optional(path: pathlib.Path) -> Object:
    if not path.exists():
        return Object({}, str(path))
    return parse_json(read_text(path, LARGEST_SETTINGS), str(path))


def _tokens(file: Object, vocabulary: dict[str, typing.Any],
            most: int) -> tuple[tuple[str, ...], typing.Any]:
    """Return the texts by id, and their types."""
    texts: dict[int, str] = {}
    types: dict[int, TokenType] = {}

    def put(text: str, index: typing.Any, kind: TokenType) -> None:
        if type(index) is not int or not 0 <= index < most:
            raise ModelError(f"{file.source} is damaged: text token {text[:40]!r} has the id "
                             f"{str(index)[:40]}, but the embedding has {most} rows; obtain the "
                             "file again")
        if texts.get(index, text) != text:
            raise ModelError(f"{file.source} is damaged: the texts {texts[index][:40]!r} and "
                             f"{text[:40]!r} have the same id {index}; obtain the file again")
        texts[index], types[index] = text, kind

    for text, index in vocabulary.items():
        put(text, index, TokenType.NORMAL)
    for entry in file.array_of_objects("added_tokens"):
        special = entry.boolean("special", False)
        put(entry.string("content"), entry.values.get("id"),
            TokenType.CONTROL if special else TokenType.USER_DEFINED)
    if not texts:
        raise ModelError(f"{file.source} is damaged: it has no text tokens; obtain the file again")
    count = max(texts) + 1
    kinds = np.array([types.get(i, TokenType.UNUSED) for i in range(count)], np.uint8)
    return tuple(texts.get(i, f"<unused {i}>") for i in range(count)), kinds


def _stripping(file: Object) -> tuple[tuple[str, str], ...]:
    """Return the options of special tokens that would change the text around them."""
    return tuple({option: (f"added_tokens.{option}", "is not supported")
                  for entry in file.array_of_objects("added_tokens")
                  for option in ("lstrip", "rstrip", "single_word")
                  if entry.boolean(option, False)}.values())


def _merges(model: Object) -> tuple[tuple[str, str], ...]:
    """Return the merges, which are texts with a space in between or pairs of texts."""
    found = []
    for index, merge in enumerate(model.array("merges")):
        pair = merge.split(" ") if isinstance(merge, str) else merge
        if not (isinstance(pair, list) and len(pair) == 2
                and all(isinstance(text, str) for text in pair)):
            raise ModelError(f"{model.source} is damaged: merge {index} is {str(merge)[:40]!r} "
                             "instead of two texts; obtain the file again")
        found.append((pair[0], pair[1]))
    return tuple(found)


def _token_text(settings: Object, name: str) -> str | None:
    """Return the text of a special token, which is stored as a text or as an object."""
    value = settings.values.get(name)
    if isinstance(value, dict):
        value = value.get("content")
    return value if isinstance(value, str) else None


def _id_of(text: str | None, ids: dict[str, int], config: Object, name: str,
           count: int) -> int | None:
    if text is not None and text in ids:
        return ids[text]
    value = config.values.get(name)
    if isinstance(value, list) and value:
        value = value[0]
    return value if type(value) is int and 0 <= value < count else None


def _end_ids(file: Object, count: int) -> set[int]:
    """Return the ids in ``eos_token_id``, a number or a list of numbers."""
    value = file.values.get("eos_token_id")
    values = value if isinstance(value, list) else [] if value is None else [value]
    return {item for item in values if type(item) is int and 0 <= item < count}


def _added_around(file: Object, ids: dict[str, int]) -> tuple[set[int], set[int]]:
    """Return the special tokens that the post-processor puts before and after a text."""
    processor = file.member("post_processor")
    parts = (processor.array_of_objects("processors") if processor.string("type", "") == "Sequence"
             else [processor])
    before: set[int] = set()
    after: set[int] = set()
    for part in parts:
        if part.string("type", "") != "TemplateProcessing":
            continue
        side = before
        for item in part.array_of_objects("single"):
            if "Sequence" in item:
                side = after
            elif "SpecialToken" in item:
                side |= {ids.get(item.member("SpecialToken").string("id"), -1)}
    return before, after


def _chat_template(folder: pathlib.Path, settings: Object) -> str | None:
    """Return the template of a conversation from its own file or from the settings."""
    path = folder / "chat_template.jinja"
    if os.path.exists(path):
        return read_text(path, LARGEST_SETTINGS)
    value = settings.values.get("chat_template")
    if isinstance(value, list):         # several named templates
        named = {entry.get("name"): entry.get("template") for entry in value
                 if isinstance(entry, dict)}
        value = named.get("default")
    return value if isinstance(value, str) else None
