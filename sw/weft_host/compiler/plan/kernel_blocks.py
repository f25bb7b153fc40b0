"""How the taps and channels of a kernel become chunks of a vector, and weights become tiles."""

import dataclasses

import numpy as np

__all__ = ["Block", "Run", "blocks", "filters", "identity_tile", "lines", "pack",
           "pack_depthwise", "runs", "tile_width"]


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

    ``tail`` is how many bytes of the last chunk of a row are not surplus. With ``lead`` the tiles
    are filters of ``lead`` + 1 taps along x.
    """

    offset: int
    rows: int
    row_pitch: int
    chunks: int
    chunk_pitch: int
    tail: int
    lead: int = 0

    @property
    def tiles(self):
        """Passes in the run."""
        return self.rows * self.chunks


def _spans(size, step):
    return [(start, min(start + step, size)) for start in range(0, size, step)]


def blocks(layer, step_y, step_x, step_c):
    """The kernel of a layer cut into blocks of at most these sizes.

    For a channelwise layer the channels are those of one output group, from 0; all of the input if
    several outputs read the same.
    """
    channels = layer.in_c
    if layer.channelwise:
        channels = step_c = step_c if layer.depth_multiplier == 1 else layer.in_c
    return [Block(*y, *x, *c) for c in _spans(channels, step_c)
            for y in _spans(layer.kernel_h, step_y) for x in _spans(layer.kernel_w, step_x)]


def tile_width(layer, config):
    """Output channels of one tile: what it reads of a channelwise layer's input fits a vector."""
    if not layer.channelwise:
        return config.cols
    depth = layer.depth_multiplier
    width = min(config.cols, config.rows * depth)
    return width // depth * depth if depth <= width else width


def filters(layer, config):
    """A depthwise layer can run as filters along x, and that takes fewer cycles."""
    phases = min(layer.stride_w, layer.kernel_w)
    taps = -(-layer.kernel_w // phases)
    return (layer.kind == "depthwise" and layer.depth_multiplier == 1 and layer.dilation_w == 1
            and layer.stride_w <= layer.kernel_w and taps <= config.rows
            and phases * (layer.out_w + taps - 1) < layer.kernel_w * layer.out_w)


def runs(layer, block, row_pitch, width, *, pixel=None, filtered=False):
    """The runs of a block whose pixels lie ``row_pitch`` bytes a row in the scratchpad.

    Parameters
    ----------
    layer, block : :class:`Layer`, :class:`Block`
        What is computed.
    row_pitch : :class:`int`
        Bytes from one input row to the next.
    width : :class:`int`
        Bytes of a vector: ``rows`` of the array; for a channelwise layer, the channels in a tile.
    pixel : :class:`int` or :class:`None`
        Bytes from one pixel to the next, if not the channels of the block.
    filtered : :class:`bool`
        Each kernel row is a filter along x, with a stride one filter for each phase.
    """
    down = layer.dilation_h * row_pitch
    right = layer.dilation_w * (pixel or block.channels)
    height, taps = block.y1 - block.y0, block.x1 - block.x0
    if filtered:
        phases = min(layer.stride_w, taps)
        return [Run(0, height, down, phases, right, width, -(-taps // phases) - 1)]
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


def lines(layer, parts, config):
    """How many lines of the tiles of blocks ``parts`` hold weights at most: the last ones."""
    if layer.channelwise:
        return config.rows
    return max(run.tail if run.chunks == 1 else config.rows for part in parts
               for run in runs(layer, part, 1, config.rows))


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


def pack_depthwise(layer, block, config, *, filtered):
    """The same of a depthwise layer: diagonals, a tap each, or filters along x."""
    rows, width, depth = config.rows, tile_width(layer, config), layer.depth_multiplier
    taps = layer.weights[:, block.y0:block.y1, block.x0:block.x1]
    channels, height, across = taps.shape
    count = -(-channels // width)
    if filtered:
        phases = min(layer.stride_w, across)
        lead = -(-across // phases) - 1
        tiles = np.zeros((count, height, phases, rows, config.cols), np.int8)
        for channel in range(channels):
            tile, column = divmod(channel, width)
            for phase in range(phases):
                line = taps[channel, :, phase::phases]
                # tap j is line rows - 1 - lead + j
                tiles[tile, :, phase, rows - 1 - lead:rows - 1 - lead + line.shape[1],
                      column] = line
        return tiles.reshape(count, height * phases, rows, config.cols)
    tiles = np.zeros((count, height * across, rows, config.cols), np.int8)
    for channel in range(channels):
        tile, column = divmod(channel, width)
        row = channel // depth - tile * width // depth
        tiles[tile, :, rows - 1 - row, column] = taps[channel].reshape(-1)
    return tiles


def identity_tile(config):
    """The tile that passes channel c of a vector to column c, in shifting order."""
    return np.ascontiguousarray(np.eye(config.rows, config.cols, dtype=np.int8)[::-1])
