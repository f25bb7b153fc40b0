"""Text of ids that arrive one at a time."""

import codecs
import typing

if typing.TYPE_CHECKING:
    from .tokenizer import Tokenizer

__all__ = ["TextStream"]


class TextStream:
    """Decoder that returns whole characters only.

    A text token may end in the middle of a character; its bytes are held until the character is
    complete. Bytes that are no UTF-8 become U+FFFD.

    Parameters
    ----------
    tokenizer : :class:`weft_host.language.Tokenizer`
    special : :class:`bool`
        Whether special tokens are shown by their names instead of left out.
    continuation : :class:`bool`
        Whether the ids continue a text, so that a space at their front belongs to it.
    """

    def __init__(self, tokenizer: "Tokenizer", *, special: bool = False,
                 continuation: bool = True) -> None:
        self._tokenizer, self._special = tokenizer, special
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._strip = tokenizer.has_space_prefix and not continuation

    def feed(self, token: int) -> str:
        """Return the text that is complete after the id ``token``; it may be empty.

        Raises
        ------
        InputError
            If the id is not one of the vocabulary.
        """
        piece = self._tokenizer.piece(token)
        if self._tokenizer.is_special(token):
            if self._tokenizer.prefixes_sections:
                self._strip = True
            return self._decoder.decode(piece) if self._special else ""
        if self._strip:
            piece = piece.removeprefix(b" ")
            self._strip = False
        return self._decoder.decode(piece)

    def finish(self) -> str:
        """Return the rest: U+FFFD if the last character is incomplete, else an empty string."""
        rest = self._decoder.decode(b"", final=True)
        self._decoder.reset()
        return rest
