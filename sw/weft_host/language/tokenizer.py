"""Tokenizer of a language model."""

import operator
import unicodedata
from collections.abc import Iterable

from ..compiler.frontend.llm import LanguageModelFile, TokenType, Vocabulary
from ..compiler.frontend.llm.pre_tokenizers import PATTERNS
from ..compiler.frontend.llm.unsupported import Unsupported
from ..compiler.frontend.llm.vocabulary import SPECIAL
from ..compiler.verdict import ModelError
from ..errors import InputError, WeftError
from .pieces import SPACE, token_bytes
from .rank_merges import RankMerges
from .score_merges import ScoreMerges
from .sections import SpecialTokens
from .text_stream import TextStream

__all__ = ["Tokenizer"]


class Tokenizer:
    """Conversion between texts and the ids of a vocabulary.

    Special tokens are found in a text by their names first; the text between them is divided by
    the vocabulary's law. ``decode(encode(text), special=True)`` is the text again (after its
    Unicode normalisation, if the vocabulary has one), apart from a BOS or EOS that was added.

    Parameters
    ----------
    vocabulary : :class:`weft_host.compiler.frontend.llm.Vocabulary`
        From :attr:`LanguageModelFile.vocabulary
        <weft_host.compiler.frontend.llm.LanguageModelFile.vocabulary>`.
    source : :class:`str`
        Path of the model, for messages.

    Attributes
    ----------
    vocabulary : :class:`weft_host.compiler.frontend.llm.Vocabulary`

    Raises
    ------
    UnsupportedModelError
        If the law of the vocabulary is not known, such as the name of its pre-tokenizer.
    ModelError
        If the vocabulary contradicts itself.
    """

    def __init__(self, vocabulary: Vocabulary, source: str = "the model") -> None:
        unsupported = Unsupported(source)
        for name, reason in vocabulary.unsupported:
            unsupported.add(name, reason)
        unsupported.raise_if_any()
        self.vocabulary = vocabulary
        self._source = source
        types = vocabulary.types.tolist()
        self._special_ids = frozenset(
            index for index, kind in enumerate(types)
            if kind in (TokenType.CONTROL, TokenType.UNKNOWN))
        self._added = SpecialTokens({text: index for index, (text, kind) in enumerate(
            zip(vocabulary.tokens, types)) if kind == TokenType.USER_DEFINED})
        self._all_special = SpecialTokens({text: index for index, (text, kind) in enumerate(
            zip(vocabulary.tokens, types)) if kind in SPECIAL})
        try:
            self._pieces = token_bytes(vocabulary)
            self._law = self._build_law(types)
        except (WeftError, ValueError) as error:
            raise ModelError(f"{source} is damaged: {error}; obtain the file again") from error

    @classmethod
    def from_model(cls, model: LanguageModelFile) -> "Tokenizer":
        """Return the tokenizer of a model.

        Raises
        ------
        ModelError
            If the model has no vocabulary, or one that contradicts itself.
        UnsupportedModelError
            If the law of the vocabulary is not known.
        """
        if model.vocabulary is None:
            raise ModelError(f"{model.source} has no vocabulary; pass ids instead of text, or add "
                             "tokenizer.json to a folder")
        return cls(model.vocabulary, model.source)

    def _build_law(self, types: list[int]) -> RankMerges | ScoreMerges:
        v = self.vocabulary
        ids = {text: index for index, text in enumerate(v.tokens)
               if types[index] not in (TokenType.CONTROL, TokenType.UNKNOWN)}
        if v.kind == "byte_level":
            return RankMerges(ids=ids, merges=v.merges, patterns=PATTERNS[v.pre_tokenizer],
                              ignore_merges=v.ignore_merges)
        if v.scores is None:
            unknown = None if v.unknown_id is None else v.tokens[v.unknown_id]
            if unknown is not None and v.unknown_id is not None:
                ids[unknown] = v.unknown_id
            return RankMerges(ids=ids, merges=v.merges, byte_level=False, unknown=unknown)
        texts = {text: index for text, index in ids.items() if types[index] != TokenType.BYTE}
        scores = v.scores.tolist()
        return ScoreMerges(
            ids=texts, scores={text: scores[index] for text, index in texts.items()},
            byte_ids={self._pieces[index][0]: index for index, kind in enumerate(types)
                      if kind == TokenType.BYTE}, unknown_id=v.unknown_id)

    def __len__(self) -> int:
        return len(self._pieces)

    @property
    def has_space_prefix(self) -> bool:
        """True if a space is put in front of a text before it is divided."""
        return self.vocabulary.space_prefix != "none"

    @property
    def prefixes_sections(self) -> bool:
        """True if a space is also put in front of the text after each special token."""
        return self.vocabulary.space_prefix == "sections"

    @property
    def end_ids(self) -> frozenset[int]:
        """Ids that end a text or a turn."""
        return self.vocabulary.end_ids

    def is_special(self, token: int) -> bool:
        """Return whether an id is a control token, which is no part of a text."""
        return token in self._special_ids

    def piece(self, token: int) -> bytes:
        """Return the bytes that an id stands for; they may be a part of a character.

        Raises
        ------
        InputError
            If the id is not one of the vocabulary.
        """
        try:
            index = operator.index(token)
        except TypeError:
            raise InputError(f"The id of a text token is {token!r} instead of an integer") from None
        if not 0 <= index < len(self._pieces):
            raise InputError(f"Text token {index} does not exist; the vocabulary has the ids 0 to "
                             f"{len(self._pieces) - 1}")
        return self._pieces[index]

    def encode(self, text: str, *, special: bool = True, add_bos: bool | None = None,
               add_eos: bool | None = None) -> list[int]:
        """Return the ids of a text.

        An empty text has no ids but the added ones.

        Parameters
        ----------
        text : :class:`str`
        special : :class:`bool`
            Whether names of control tokens in the text, such as ``<|im_start|>``, become these
            tokens. Pass ``False`` for a text of unknown origin: the names are then divided as any
            other text.
        add_bos, add_eos : :class:`bool` or :class:`None`
            Whether to add these tokens; ``None`` does as the model's file states.

        Raises
        ------
        InputError
            If the text has a character that the vocabulary cannot represent, or if the vocabulary
            lacks a token that was requested.
        """
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InputError(f"The text has half of a surrogate pair at character {error.start}, "
                             "which is no character") from None
        v = self.vocabulary
        found = self._added_id(add_bos, v.add_bos, v.bos_id, "BOS")
        at_start = True
        for section in (self._all_special if special else self._added).split(text):
            if isinstance(section, int):
                found.append(section)
                at_start = at_start or self.prefixes_sections
            else:
                found += self._encode_section(section, at_start)
                at_start = False
        return found + self._added_id(add_eos, v.add_eos, v.eos_id, "EOS")

    def _added_id(self, requested: bool | None, default: bool, index: int | None,
                  name: str) -> list[int]:
        if index is None:
            if requested:
                raise InputError(f"{self._source} has no {name} token; encode without it")
            return []
        return [index] if (default if requested is None else requested) else []

    def _encode_section(self, text: str, at_start: bool) -> list[int]:
        """Return the ids of a text without special tokens."""
        v = self.vocabulary
        if v.normalisation:
            text = unicodedata.normalize(v.normalisation, text)
        if v.kind == "sentencepiece":
            prefix = " " if at_start and self.has_space_prefix else ""
            text = (prefix + text).replace(" ", SPACE)
        try:
            found = self._law.encode(text)
        except ValueError as error:
            raise InputError(f"The vocabulary of {self._source} has no text token for "
                             f"{str(error)!r}") from None
        if isinstance(self._law, RankMerges) and v.unknown_id not in found:
            # that law leaves out the characters that it does not know
            covered = b"".join(map(self._pieces.__getitem__, found))
            if covered != text.replace(SPACE, " ").encode() and covered != text.encode():
                missing = next((c for c in text if not self._law.encode(c)), text[:20])
                raise InputError(f"The vocabulary of {self._source} has no text token for "
                                 f"{missing!r}")
        return found

    def decode(self, ids: Iterable[int], *, special: bool = False,
               continuation: bool = False) -> str:
        """Return the text of ids. Bytes that are no UTF-8 become U+FFFD.

        Parameters
        ----------
        ids : iterable of :class:`int`
        special : :class:`bool`
            Whether control tokens are shown by their names instead of left out.
        continuation : :class:`bool`
            Whether the ids continue a text, so that a space at their front belongs to it.

        Raises
        ------
        InputError
            If an id is not one of the vocabulary.
        """
        stream = self.stream(special=special, continuation=continuation)
        return "".join([*map(stream.feed, ids), stream.finish()])

    def stream(self, *, special: bool = False, continuation: bool = True) -> TextStream:
        """Return a decoder for ids that arrive one at a time."""
        return TextStream(self, special=special, continuation=continuation)
