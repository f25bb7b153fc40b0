"""Bytes of the text that each text token stands for."""

import re

from ..compiler.frontend.llm import TokenType, Vocabulary

__all__ = ["SPACE", "byte_characters", "token_bytes"]

SPACE = "\u2581"
"""Character that stands for a space in vocabularies of SentencePiece."""

_BYTE = re.compile("<0x[0-9A-Fa-f]{2}>")


def byte_characters() -> list[str]:
    """Return the character of each byte in byte-level vocabularies.

    Printable characters of Latin-1 stand for themselves, the other bytes for the characters from
    U+0100. Source: ``bytes_to_unicode`` in OpenAI's ``gpt-2/src/encoder.py``.
    """
    printable = {*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte if byte in printable else next(others)) for byte in range(256)]


def token_bytes(vocabulary: Vocabulary) -> list[bytes]:
    """Return the bytes of the text of every id; special tokens stand for their names.

    Raises
    ------
    ValueError
        If the name of a token for a byte is not of the form ``<0x0A>``.
    """
    byte_of = {character: byte for byte, character in enumerate(byte_characters())}
    found = []
    for text, kind in zip(vocabulary.tokens, vocabulary.types.tolist()):
        if kind in (TokenType.CONTROL, TokenType.UNKNOWN, TokenType.USER_DEFINED):
            found.append(text.encode())
        elif kind == TokenType.BYTE:
            if not _BYTE.fullmatch(text):
                raise ValueError(f"the token of a byte has the name {text[:40]!r} instead of one "
                                 "like '<0x0A>'")
            found.append(bytes.fromhex(text[3:5]))
        elif vocabulary.kind == "byte_level":
            # a character outside of the mapping occurs in tokens that were added by hand
            found.append(bytes(byte_of[c] for c in text) if all(c in byte_of for c in text)
                         else text.encode())
        else:
            found.append(text.replace(SPACE, " ").encode())
    return found
