"""How the taps and channels of a kernel become chunks of a vector, and weights become tiles."""

import dataclasses

import numpy as np

__all__ = ["Block", "Run", "blocks", "identity_tile", "pack", "runs"]


@dataclasses.dataclass(frozen=True)
class Block:
    """A part of a kernel: rows ``y0`` to ``y1``, columns ``x0`` to ``x1``, channels ``c0`` to
    ``c1`` (the ends excluded). What it reads lies in the scratchpad at one time."""

    y0: int
    y1: int
    x0: int
    x1: int
    c0: int
    c1: int

    @property
    def channels(self):
        """Input channels in the block, and bytes of a pixel of it in the scratchpad."""
        return self.c1 - self.c0


@dataclasses.dataclass(frozen=True)
class Run:
    """Passes that one MATMUL can make: ``rows`` by ``chunks`` tiles from byte ``offset`` on.

    ``tail`` is how many bytes of the last chunk of a row are not surplus.
    """

    offset: int
    rows: int
    row_pitch: int
    chunks: int
    chunk_pitch: int
    tail: int

    @property
    def tiles(self):
        """Passes in the run."""
        return self.rows * self.chunks


def _spans(size, step):
    return [(start, min(start + step, size)) for start in range(0, size, step)]


def blocks(layer, step_y, step_x, step_c):
    """The kernel of a layer cut into blocks of at most these sizes.

    For a channelwise layer the channels are those of one output group, from 0.
    """
    channels = step_c if layer.channelwise else layer.in_c
    return [Block(*y, *x, *c) for c in _spans(channels, step_c)
            for y in _spans(layer.kernel_h, step_y) for x in _spans(layer.kernel_w, step_x)]


def runs(layer, block, row_pitch, width):
    """The runs of a block whose pixels lie ``row_pitch`` bytes a row in the scratchpad.

    Parameters
    ----------
    layer, block : :class:`Layer`, :class:`Block`
        What is computed.
    row_pitch : :class:`int`
        Bytes from one input row to the next.
    width : :class:`int`
        Bytes of a vector: ``rows`` of the array; for a channelwise layer, the channels in a tile.
    """
    down = layer.dilation_h * row_pitch
    right = layer.dilation_w * block.channels
    height, taps = block.y1 - block.y0, block.x1 - block.x0
    if layer.channelwise:
        return [Run(0, height, down, taps, right, width)]
    if layer.dilation_w == 1 or taps == 1:
        # the taps of a kernel row are neighbours: one string of bytes
        size = taps * block.channels
        chunks = -(-size // width)
        return [Run(0, height, down, chunks, width, size - (chunks - 1) * width)]
    chunks = -(-block.channels // width)
    tail = block.channels - (chunks - 1) * width
    if chunks == 1:
        return [Run(0, height, down, taps, right, tail)]
    return [Run(y * down, taps, right, chunks, width, tail) for y in range(height)]


def pack(layer, block, config):
    """The weights of a block as ``(column tiles, tiles, rows, cols)`` bytes, in shifting order."""
    rows, cols = config.rows, config.cols
    taps = layer.weights[:, block.y0:block.y1, block.x0:block.x1, block.c0:block.c1]
    channels, height, width, depth = taps.shape
    if layer.dilation_w == 1 or width == 1:
        strings = taps.reshape(channels, height, width * depth)
    else:
        strings = taps.reshape(channels, height * width, depth)
    chunks = -(-strings.shape[2] // rows)
    padded = np.zeros((-(-channels // cols) * cols, strings.shape[1], chunks * rows), np.int8)
    padded[:channels, :, :strings.shape[2]] = strings
    tiles = padded.reshape(-1, cols, strings.shape[1] * chunks, rows)
    # line i holds the weights of array row rows - 1 - i
    return np.ascontiguousarray(tiles.transpose(0, 2, 3, 1)[:, :, ::-1])


def identity_tile(config):
    """The tile that passes channel c of a vector to column c, in shifting order."""
    return np.ascontiguousarray(np.eye(config.rows, config.cols, dtype=np.int8)[::-1])
