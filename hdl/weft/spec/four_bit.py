"""4-bit weights: the instruction that loads them, and the sizes of their stream.

A configuration has the instruction if its parameter ``weights_4bit`` is set.
``docs/decisions/0029-four-bit-weights.md`` defines the stream.
"""

from .config import UNITS
from .instruction_format import HEADER, Field, Instruction

__all__ = ["BLOCK_WEIGHTS", "CODE_BEATS", "CODE_BITS", "FOUR_BIT_INSTRUCTIONS", "HEADER_BEATS",
           "OFFSET_BITS", "PACKET_BEATS", "SHIFT_BITS", "SLOPE_BITS"]

BLOCK_WEIGHTS = 32
"""Weights of a channel that have a slope and an offset in common."""
CODE_BITS, SLOPE_BITS, OFFSET_BITS = 4, 12, 12
"""Widths of a code, of a slope (without sign), and of an offset (with sign)."""
SHIFT_BITS = 7
"""Fraction bits of the slope: a weight is ``(slope * code + 8 * offset) >> 7``, limited to int8."""

HEADER_BEATS = (SLOPE_BITS + OFFSET_BITS) // 8
"""Beats of a packet with slopes and offsets."""
CODE_BEATS = BLOCK_WEIGHTS * CODE_BITS // 8
"""Beats of a packet with codes."""
PACKET_BEATS = HEADER_BEATS + CODE_BEATS
"""Beats of a packet, and bytes of a block of the stream for each column of the array."""

FOUR_BIT_INSTRUCTIONS: tuple[Instruction, ...] = (
    Instruction("LOAD_RING_4BIT", 0x14, UNITS.index("LOAD"),
                "Expands 4-bit weights from host memory to int8, and appends them to the ring. Its "
                f"stream consists of count blocks of {PACKET_BEATS} * cols bytes. The first block "
                "contains slopes and offsets only; each further block appends 32 / rows tiles. A "
                "weight is (slope * code + 8 * offset) >> 7, limited to -128 to 127. LOAD waits "
                "while the ring is full.", (
        *HEADER,
        Field("count", 16, 16, "blocks of the stream, at least 1: one more than the blocks of "
                               "weights"),
        Field("host_addr", 32, 32, "byte address of the stream in host memory, relative to "
                                   "MEM_BASE; a multiple of the bytes of a beat"),
    )),
)
