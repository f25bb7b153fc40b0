"""Streams of 4-bit weights, as LOAD_RING_4BIT reads them."""

import numpy as np
import numpy.typing as npt

from weft.spec.config import Config
from weft.spec.four_bit import (
    BLOCK_WEIGHTS,
    CODE_BEATS,
    CODE_BITS,
    HEADER_BEATS,
    OFFSET_BITS,
    PACKET_BEATS,
    SLOPE_BITS,
)
from weft.spec.integers import ceil_div

from .quantize import Expansion

__all__ = ["MOST_BLOCKS", "packed_stream"]

MOST_BLOCKS = (1 << 16) - 2
"""Largest number of blocks of weights of a stream."""


def packed_stream(config: Config, expansion: Expansion) -> bytes:
    """Return the stream of a projection, or of some of its outputs.

    Its blocks have the order of the tiles: all of the inputs of the first ``cols`` outputs first.
    Outputs beyond the last one have weights of 0.
    """
    outputs, inputs, _ = expansion.codes.shape
    cols, width = config.cols, config.bus_bytes
    groups = ceil_div(outputs, cols)
    words = np.zeros((groups * cols, inputs), np.uint32)
    words[:outputs] = _words(expansion)
    codes = np.zeros((groups * cols, inputs, BLOCK_WEIGHTS), np.uint8)
    codes[:outputs] = expansion.codes
    # bytes of the header: (block, part of a line, byte of the word, column)
    by_block = words.reshape(groups, cols, inputs).transpose(0, 2, 1).reshape(-1, cols)
    header = (by_block[:, None] >> 8 * np.arange(HEADER_BEATS)[:, None] & 0xFF).reshape(
        -1, HEADER_BEATS, cols // width, width).transpose(0, 2, 1, 3)
    # (block, tile, half, line, column); memory holds the last array row of a tile first
    tiles = codes.reshape(groups, cols, -1, config.rows).transpose(0, 2, 3, 1)[:, :, ::-1]
    halves = tiles.reshape(-1, BLOCK_WEIGHTS // config.rows, 2, config.rows // 2, cols)
    packed = halves[:, :, 0] | halves[:, :, 1] << CODE_BITS
    stream = np.zeros((len(by_block) + 1, cols // width, PACKET_BEATS, width), np.uint8)
    stream[:-1, :, :HEADER_BEATS] = header
    stream[1:, :, HEADER_BEATS:] = packed.reshape(-1, cols // width, CODE_BEATS, width)
    return stream.tobytes()


def _words(expansion: Expansion) -> npt.NDArray[np.uint32]:
    """Return slopes and offsets; the offsets include half of the weight's last bit."""
    half_bit = 8
    offsets = expansion.offsets + half_bit
    limit = 1 << OFFSET_BITS - 1
    assert 0 <= expansion.slopes.min() and expansion.slopes.max() < 1 << SLOPE_BITS
    assert -limit <= offsets.min() and offsets.max() < limit
    words: npt.NDArray[np.uint32] = (
        expansion.slopes | (offsets & 2 * limit - 1) << SLOPE_BITS).astype(np.uint32)
    return words
