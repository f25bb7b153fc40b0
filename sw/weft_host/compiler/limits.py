"""Limits of the instruction set that several compiler stages observe."""

from weft.spec import isa

__all__ = ["MAX_COUNT", "MAX_TOKENS"]

MAX_COUNT = (1 << isa.BY_NAME["LOAD"].field("count").width) - 1
"""Largest value of a count field. Tile numbers in the weight buffer are limited to it, too."""

MAX_TOKENS = 255
"""Largest number of tokens from one unit to another that the hardware can count."""
