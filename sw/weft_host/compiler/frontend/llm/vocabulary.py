"""Vocabulary of a language model, as its file holds it."""

import dataclasses
import enum
import typing

import numpy as np
import numpy.typing as npt

__all__ = ["END_NAMES", "SPECIAL", "TokenType", "Vocabulary"]

END_NAMES = frozenset(("<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|endoftext|>",
                       "<|eom_id|>", "<EOT>", "</s>"))
"""Texts of control tokens that end a text or a turn in every vocabulary that has them."""


class TokenType(enum.IntEnum):
    """Kind of a text token, with the numbers of ``tokenizer.ggml.token_type``."""

    UNDEFINED = 0
    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


SPECIAL = (TokenType.UNKNOWN, TokenType.CONTROL, TokenType.USER_DEFINED)
"""Types of text tokens that are found in a text before it is divided."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """Text tokens of a model, and the law that divides a text into them.

    Attributes
    ----------
    kind : :class:`str`
        ``"sentencepiece"``, ``"byte_level"``, or the file's name of another kind.
    tokens : tuple of :class:`str`
        Texts by id, as in the file.
    types : uint8 array, shape ``(len(tokens),)``
        :class:`TokenType` of each id.
    scores : float32 array, shape ``(len(tokens),)``, or :class:`None`
        Scores that decide which neighbours are merged first.
    merges : tuple of pairs of :class:`str`
        Neighbours that are merged, the first ones first.
    pre_tokenizer : :class:`str`
        Name of the division into words before merging; see
        :data:`weft_host.compiler.frontend.llm.pre_tokenizers.PATTERNS`.
    normalisation : :class:`str`
        Unicode normalisation form of the text, ``"NFC"``, or an empty string.
    ignore_merges : :class:`bool`
        Whether a word that is a token is not divided.
    space_prefix : :class:`str`
        Sections of a text that a space is put in front of: ``"sections"`` for all between
        special tokens, ``"start"`` for one at the start of the text, or ``"none"``.
    bos_id, eos_id, unknown_id, padding_id : :class:`int` or :class:`None`
        Ids of special tokens.
    end_ids : frozenset of :class:`int`
        Ids that end a text or a turn.
    add_bos, add_eos : :class:`bool`
        Whether the model expects these tokens around a text.
    chat_template : :class:`str` or :class:`None`
        Jinja template of a conversation.
    unsupported : tuple of pairs of :class:`str`
        Properties of the law that Weft does not know, each with the reason. The ids of texts are
        then unknown, but not the weights.
    """

    kind: str
    tokens: tuple[str, ...]
    types: npt.NDArray[np.uint8]
    scores: npt.NDArray[np.float32] | None = None
    merges: tuple[tuple[str, str], ...] = ()
    pre_tokenizer: str = ""
    normalisation: typing.Literal["", "NFC"] = ""
    ignore_merges: bool = False
    space_prefix: typing.Literal["sections", "start", "none"] = "none"
    bos_id: int | None = None
    eos_id: int | None = None
    unknown_id: int | None = None
    padding_id: int | None = None
    end_ids: frozenset[int] = frozenset()
    add_bos: bool = False
    add_eos: bool = False
    chat_template: str | None = None
    unsupported: tuple[tuple[str, str], ...] = ()
