"""Laws in a ``tokenizer.json``: normaliser, pre-tokenizer and decoder, recognised by comparison."""

import dataclasses
import typing

from .bounded_json import Object
from .pre_tokenizers import PATTERNS, name_of

__all__ = ["Law", "byte_level_law", "is_byte_level", "sentencepiece_law"]

_SPACE = "\u2581"       # the visible space of SentencePiece


@dataclasses.dataclass(frozen=True, kw_only=True)
class Law:
    """Law that divides a text; the attributes are those of :class:`.vocabulary.Vocabulary`."""

    kind: str
    pre_tokenizer: str = ""
    normalisation: typing.Literal["", "NFC"] = ""
    space_prefix: typing.Literal["sections", "start", "none"] = "none"
    unsupported: tuple[tuple[str, str], ...] = ()


def _steps(file: Object, name: str, members: str) -> list[Object]:
    """Return the steps of a law: those of a sequence, a single one, or none."""
    if name not in file:
        return []
    law = file.member(name)
    return law.array_of_objects(members) if law.string("type", "") == "Sequence" else [law]


def _unknown(kind: str, what: str, shown: typing.Any) -> Law:
    """Return the law with the property ``what`` that is not known."""
    text = str(shown)
    return Law(kind=kind, unsupported=((what, "is not known: " + (
        text if len(text) < 160 else f"{text[:156]} ...")),))


def is_byte_level(file: Object) -> bool:
    """Return whether the pre-tokenizer maps bytes to characters."""
    return any(step.string("type", "") == "ByteLevel"
               for step in _steps(file, "pre_tokenizer", "pretokenizers"))


def byte_level_law(file: Object) -> Law:
    """Return the law of a byte-level vocabulary."""
    normalisers = _steps(file, "normalizer", "normalizers")
    for step in normalisers:
        if step.string("type", "") != "NFC":
            return _unknown("byte_level", "normalizer", step.values)
    patterns: list[str] = []
    steps = _steps(file, "pre_tokenizer", "pretokenizers")
    for index, step in enumerate(steps):
        kind = step.string("type", "")
        if kind == "ByteLevel" and index == len(steps) - 1 and not step.boolean(
                "add_prefix_space", False):
            if step.boolean("use_regex", True):
                patterns.append(PATTERNS["gpt-2"][0])
        elif kind == "Digits" and step.boolean("individual_digits", False):
            patterns.append(r"\p{N}")
        elif (kind == "Split" and step.string("behavior", "") == "Isolated"
                and not step.boolean("invert", False)):
            patterns.append(step.member("pattern").string("Regex", ""))
        else:
            return _unknown("byte_level", "pre_tokenizer", step.values)
    name = name_of(tuple(patterns))
    if name is None:
        return _unknown("byte_level", "pre_tokenizer", patterns)
    return Law(kind="byte_level", pre_tokenizer=name, normalisation="NFC" if normalisers else "")


def sentencepiece_law(file: Object) -> Law:
    """Return the law of a vocabulary that was converted from SentencePiece."""
    kind = "sentencepiece"
    prefix: typing.Literal["sections", "start", "none"] = "none"
    replaced = False
    for step in _steps(file, "normalizer", "normalizers"):
        if step.values == {"type": "Prepend", "prepend": _SPACE} and not replaced:
            prefix = "sections"
        elif step.values == {"type": "Replace", "pattern": {"String": " "}, "content": _SPACE}:
            replaced = True
        else:
            return _unknown(kind, "normalizer", step.values)
    for step in _steps(file, "pre_tokenizer", "pretokenizers"):
        scheme = step.string("prepend_scheme", "always")
        if (step.string("type", "") != "Metaspace" or step.string("replacement", "") != _SPACE
                or step.boolean("split", True) or replaced
                or scheme not in ("always", "first", "never")):
            return _unknown(kind, "pre_tokenizer", step.values)
        replaced = True
        if step.boolean("add_prefix_space", True):
            prefix = typing.cast(typing.Literal["sections", "start", "none"], {
                "always": "sections", "first": "start", "never": "none"}[scheme])
    if not replaced or not file.member("model").boolean("byte_fallback", False):
        return _unknown(kind, "model", "it is neither byte-level nor one of SentencePiece with a "
                        "fallback to bytes")
    return Law(kind=kind, space_prefix=prefix)
