"""Expansion of a stream of 4-bit weights."""

import numpy as np
import numpy.typing as npt

from weft.spec.config import Config
from weft.spec.four_bit import (
    BLOCK_WEIGHTS,
    CODE_BEATS,
    CODE_BITS,
    HEADER_BEATS,
    PACKET_BEATS,
    SLOPE_BITS,
)

__all__ = ["expand_stream"]

_BLOCKS = 256           # that one numpy operation handles, so that they remain in the cache


def expand_stream(config: Config, stream: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return the bytes that LOAD_RING_4BIT appends to the ring.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        Rows and columns of the array, and bytes of a beat.
    stream : uint8 array of (blocks * PACKET_BEATS * cols,)
        The stream, with one block more than there are weights.
    """
    width, cols = config.bus_bytes, config.cols
    packets = stream.reshape(-1, cols // width, PACKET_BEATS, width)
    # (block, column) and (block, code byte)
    low, middle, high = (packets[:-1, :, beat].reshape(-1, cols).astype(np.uint32)
                         for beat in range(HEADER_BEATS))
    words = low | middle << 8 | high << 16
    codes = packets[1:, :, HEADER_BEATS:].reshape(-1, CODE_BEATS * cols)
    slope = (words & (1 << SLOPE_BITS) - 1).astype(np.uint16)
    offset = (words << 32 - 2 * SLOPE_BITS).view(np.int32) >> 32 - SLOPE_BITS
    result = np.empty((len(words), BLOCK_WEIGHTS * cols), np.int8)
    for first in range(0, len(words), _BLOCKS):
        part = slice(first, first + _BLOCKS)
        _expand(config, slope[part], offset[part].astype(np.int16), codes[part], result[part])
    return result.view(np.uint8).reshape(-1)


def _expand(config: Config, slope: npt.NDArray[np.uint16], offset: npt.NDArray[np.int16],
            codes: npt.NDArray[np.uint8], result: npt.NDArray[np.int8]) -> None:
    """Expand some blocks into ``result``: the lower half of each tile, then the upper half."""
    tiles = BLOCK_WEIGHTS // config.rows
    shape = (len(codes), tiles, config.rows // 2, config.cols)
    target = result.reshape(len(codes), tiles, 2, config.rows // 2, config.cols)
    slope, offset = slope[:, None, None], offset[:, None, None]
    for half in range(2):
        code = codes >> CODE_BITS if half else codes & (1 << CODE_BITS) - 1
        # (slope * code + 8 * offset) >> 7 in 16 bits
        product = code.reshape(shape) * slope
        product >>= 3
        weight = product.view(np.int16)
        weight += offset
        weight >>= 4
        target[:, :, half] = np.clip(weight, -128, 127, out=weight)
