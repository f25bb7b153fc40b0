"""Host side of the host link, on any line that transfers bytes."""

from .client import Line, LinkClient
from .codec import Answer, AnswerParser, encode_request

__all__ = ["Answer", "AnswerParser", "Line", "LinkClient", "encode_request"]
