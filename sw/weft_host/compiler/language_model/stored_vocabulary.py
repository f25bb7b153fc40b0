"""Vocabulary of a language model in a program file."""

import dataclasses
import typing
from typing import Any

import numpy as np

from ..frontend.llm.bounded_json import Object
from ..frontend.llm.pre_tokenizers import PATTERNS
from ..frontend.llm.vocabulary import TokenType, Vocabulary

__all__ = ["stored_vocabulary", "vocabulary_of"]

_KINDS = ("sentencepiece", "byte_level")
_IDS = ("bos_id", "eos_id", "unknown_id", "padding_id")
_FLAGS = ("ignore_merges", "add_bos", "add_eos")


def stored_vocabulary(vocabulary: Vocabulary) -> dict[str, Any]:
    """Return a vocabulary as plain data."""
    plain = {field.name: getattr(vocabulary, field.name)
             for field in dataclasses.fields(vocabulary)}
    return plain | {
        "types": vocabulary.types.tolist(), "end_ids": sorted(vocabulary.end_ids),
        "scores": None if vocabulary.scores is None else vocabulary.scores.tolist()}


def _strings(stored: Object, name: str) -> tuple[str, ...]:
    values = stored.array(name)
    if not all(isinstance(value, str) for value in values):
        raise stored.wrong(name, "a list of texts")
    return tuple(values)


def _pairs(stored: Object, name: str) -> tuple[tuple[str, str], ...]:
    values = stored.array(name)
    if not all(isinstance(pair, list) and len(pair) == 2
               and all(isinstance(text, str) for text in pair) for pair in values):
        raise stored.wrong(name, "a list of pairs of texts")
    return tuple((pair[0], pair[1]) for pair in values)


def _integers(stored: Object, name: str, limit: int) -> list[int]:
    values = stored.array(name)
    if not all(type(value) is int and 0 <= value < limit for value in values):
        raise stored.wrong(name, f"a list of numbers below {limit}")
    return values


def vocabulary_of(stored: Object, most: int) -> Vocabulary:
    """Return the vocabulary that :func:`stored_vocabulary` made plain data of.

    Parameters
    ----------
    stored : the data, which is not trusted.
    most : rows of the embedding.

    Raises
    ------
    ModelError
        If a member is missing, has another type, or contradicts another one.
    """
    tokens, unsupported = _strings(stored, "tokens"), _pairs(stored, "unsupported")
    types = _integers(stored, "types", max(TokenType) + 1)
    if len(tokens) > most or len(types) != len(tokens):
        raise stored.wrong("types", f"a number for each of at most {most} text tokens")
    kind, pre_tokenizer = stored.string("kind"), stored.string("pre_tokenizer")
    # a vocabulary with unsupported properties is not used
    if not unsupported and (kind not in _KINDS or not tokens):
        raise stored.wrong("kind", f"one of {', '.join(_KINDS)}, with text tokens")
    if not unsupported and kind == "byte_level" and pre_tokenizer not in PATTERNS:
        raise stored.wrong("pre_tokenizer", "the name of a pre-tokenizer")
    normalisation, prefix = stored.string("normalisation"), stored.string("space_prefix")
    if normalisation not in ("", "NFC") or prefix not in ("sections", "start", "none"):
        raise stored.wrong("normalisation", "'' or 'NFC', and a known space_prefix")
    scores = None
    if "scores" in stored:
        values = stored.array("scores")
        if len(values) != len(tokens) or not all(type(x) in (int, float) for x in values):
            raise stored.wrong("scores", "a number for each text token")
        with np.errstate(over="ignore"):
            scores = np.array(values, np.float64).astype(np.float32)
        if not np.isfinite(scores).all():
            raise stored.wrong("scores", "finite numbers")
    last = len(tokens) - 1
    ids: dict[str, Any] = {name: stored.integer(name, 0, last) if name in stored else None
                           for name in _IDS}
    flags: dict[str, Any] = {name: stored.boolean(name, False) for name in _FLAGS}
    return Vocabulary(
        kind=kind, tokens=tokens, types=np.array(types, np.uint8), scores=scores,
        merges=_pairs(stored, "merges"), pre_tokenizer=pre_tokenizer,
        normalisation=typing.cast(Any, normalisation), space_prefix=typing.cast(Any, prefix),
        end_ids=frozenset(_integers(stored, "end_ids", len(tokens))), unsupported=unsupported,
        chat_template=stored.string("chat_template") if "chat_template" in stored else None,
        **ids, **flags)
