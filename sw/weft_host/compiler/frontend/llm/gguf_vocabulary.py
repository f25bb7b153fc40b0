"""Vocabulary of a GGUF file."""

import typing

import numpy as np

from ...verdict import ModelError
from .gguf_metadata import Metadata
from .pre_tokenizers import IGNORE_MERGES, PATTERNS
from .vocabulary import END_NAMES, SPECIAL, TokenType, Vocabulary

__all__ = ["read_vocabulary", "unsupported_properties"]

_KINDS = {"llama": "sentencepiece", "gpt2": "byte_level"}
_KEY = "tokenizer.ggml."


def unsupported_properties(metadata: Metadata) -> list[tuple[str, str]]:
    """Return the properties of the vocabulary that are not supported, with the reasons."""
    found = []
    model, pre = (metadata.string(f"{_KEY}{name}", "") for name in ("model", "pre"))
    if model and model not in _KINDS:
        found.append((f"{_KEY}model", f"{model[:40]!r}; supported are {', '.join(_KINDS)}"))
    if _KINDS.get(model) == "byte_level" and pre not in PATTERNS:
        found.append((f"{_KEY}pre", f"pre-tokenizer {pre[:40]!r}; supported are "
                      f"{', '.join(PATTERNS)}"))
    return found


def read_vocabulary(metadata: Metadata, most: int) -> Vocabulary | None:
    """Read the vocabulary, or return ``None`` if the file has none.

    Parameters
    ----------
    metadata : :class:`.gguf_metadata.Metadata`
    most : :class:`int`
        Rows of the embedding.

    Raises
    ------
    ModelError
        If arrays have different lengths, or an id is out of range.
    """
    if f"{_KEY}model" not in metadata or f"{_KEY}tokens" not in metadata:
        return None
    model = metadata.string(f"{_KEY}model")
    kind = _KINDS.get(model, model)
    tokens = tuple(metadata.strings(f"{_KEY}tokens"))
    count = len(tokens)
    if not 0 < count <= most:
        raise ModelError(f"{metadata.source} is damaged: it has {count} text tokens, but the "
                         f"embedding has {most} rows; obtain the file again")
    types = np.full(count, TokenType.NORMAL, np.uint8)
    if f"{_KEY}token_type" in metadata:
        numbers = metadata.numbers(f"{_KEY}token_type", "iu", count).astype(np.int64)
        if numbers.min() < 0 or numbers.max() > max(TokenType):
            raise ModelError(f"{metadata.source} is damaged: a text token has the unknown type "
                             f"{max(numbers, key=lambda n: abs(int(n) - 3))}; obtain the file "
                             "again")
        types = numbers.astype(np.uint8)
    scores = None
    if kind == "sentencepiece":
        scores = metadata.numbers(f"{_KEY}scores", "f", count).astype(np.float32)
        if not np.isfinite(scores).all():
            raise ModelError(f"{metadata.source} is damaged: text token "
                             f"{int(np.isfinite(scores).argmin())} has a score that is not finite; "
                             "obtain the file again")
    pre = metadata.string(f"{_KEY}pre", "")
    ids = {name: _token_id(metadata, f"{_KEY}{name}_token_id", count)
           for name in ("bos", "eos", "eot", "eom", "unknown", "padding")}
    byte_level = kind == "byte_level"
    ends = {ids["eos"], ids["eot"], ids["eom"]} - {None}
    ends |= {i for i, text in enumerate(tokens) if text in END_NAMES and types[i] in SPECIAL}
    # defaults of llama.cpp: SentencePiece has a BOS and a space prefix, BPE of Llama 3 a BOS
    return Vocabulary(
        kind=kind, tokens=tokens, types=types, scores=scores,
        merges=_merges(metadata) if byte_level else (),
        pre_tokenizer=pre, ignore_merges=byte_level and pre in IGNORE_MERGES,
        space_prefix="sections" if not byte_level and metadata.boolean(
            f"{_KEY}add_space_prefix", True) else "none",
        bos_id=ids["bos"], eos_id=ids["eos"], unknown_id=ids["unknown"],
        padding_id=ids["padding"], end_ids=frozenset(typing.cast(set[int], ends)),
        add_bos=metadata.boolean(f"{_KEY}add_bos_token",
                                 not byte_level or pre in IGNORE_MERGES),
        add_eos=metadata.boolean(f"{_KEY}add_eos_token", False),
        chat_template=(metadata.string("tokenizer.chat_template")
                       if "tokenizer.chat_template" in metadata else None),
        unsupported=tuple(unsupported_properties(metadata)))


def _token_id(metadata: Metadata, key: str, count: int) -> int | None:
    return metadata.integer(key, 0, count - 1) if key in metadata else None


def _merges(metadata: Metadata) -> tuple[tuple[str, str], ...]:
    """Return the merges. Two texts are divided by the first space behind the first character."""
    found = []
    for index, text in enumerate(metadata.strings(f"{_KEY}merges")):
        space = text.find(" ", 1)
        if space < 0 or space == len(text) - 1:
            raise ModelError(f"{metadata.source} is damaged: merge {index} is {text[:40]!r} "
                             "instead of two texts with a space in between; obtain the file again")
        found.append((text[:space], text[space + 1:]))
    return tuple(found)
