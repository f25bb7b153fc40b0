"""The host's end of the host link, on any line that carries bytes."""

from .client import LinkClient
from .codec import Answer, AnswerParser, encode_request

__all__ = ["Answer", "AnswerParser", "LinkClient", "encode_request"]
