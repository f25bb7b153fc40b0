"""Division of a layer's kernel into blocks, and of a block into the passes of MATMUL."""

import dataclasses

from weft.spec.config import Config
from weft.spec.integers import ceil_div

from ..lower.layer import Layer

__all__ = ["KernelBlock", "PassGrid", "count_passes", "divide_kernel", "filter_phases",
           "pass_grids", "tile_width", "uses_row_filters", "vector_width", "weight_lines"]


@dataclasses.dataclass(frozen=True)
class KernelBlock:
    """Part of a kernel whose inputs are in the scratchpad at one time.

    Attributes
    ----------
    y0, y1 : :class:`int`
        First kernel row, and the row after the last one.
    x0, x1 : :class:`int`
        First kernel column, and the column after the last one.
    c0, c1 : :class:`int`
        First input channel, and the channel after the last one.
    """

    y0: int
    y1: int
    x0: int
    x1: int
    c0: int
    c1: int

    @property
    def channels(self) -> int:
        """Number of input channels, and bytes of a pixel in the scratchpad."""
        return self.c1 - self.c0


@dataclasses.dataclass(frozen=True)
class PassGrid:
    """Grid of passes that one MATMUL can execute, one tile for each row and chunk.

    Attributes
    ----------
    offset : :class:`int`
        First byte that the first pass reads, relative to the position.
    rows, row_pitch : :class:`int`
        Number of rows, and bytes from one row to the next.
    chunks, chunk_pitch : :class:`int`
        Number of chunks in a row, and bytes from one chunk to the next.
    tail : :class:`int`
        Bytes of the last chunk of a row that are part of the kernel.
    lead : :class:`int`
        With tiles that are filters along x, the number of taps less one.
    """

    offset: int
    rows: int
    row_pitch: int
    chunks: int
    chunk_pitch: int
    tail: int
    lead: int = 0

    @property
    def passes(self) -> int:
        """Number of passes, and of tiles."""
        return self.rows * self.chunks


def _ranges(size: int, step: int) -> list[tuple[int, int]]:
    return [(start, min(start + step, size)) for start in range(0, size, step)]


def divide_kernel(layer: Layer, kernel_y: int, kernel_x: int, channels: int) -> list[KernelBlock]:
    """Divide the kernel of a layer into blocks.

    A block has at most ``kernel_y`` rows, ``kernel_x`` columns and ``channels`` input channels. In
    a channelwise layer, ``channels`` is the size of one group of output channels, and every block
    has the input channels of one group: with a depth multiplier, all input channels.
    """
    depth = layer.in_c
    if layer.channelwise:
        depth = channels = channels if layer.depth_multiplier == 1 else layer.in_c
    return [KernelBlock(*y, *x, *c) for c in _ranges(depth, channels)
            for y in _ranges(layer.kernel_h, kernel_y) for x in _ranges(layer.kernel_w, kernel_x)]


def tile_width(layer: Layer, config: Config) -> int:
    """Return the number of output channels of one tile.

    The inputs of a channelwise layer's tile fit one vector.
    """
    if not layer.channelwise:
        return config.cols
    depth = layer.depth_multiplier
    width = min(config.cols, config.rows * depth)
    return width // depth * depth if depth <= width else width


def vector_width(layer: Layer, config: Config) -> int:
    """Return the largest number of bytes of a vector that one pass uses."""
    return tile_width(layer, config) if layer.channelwise else config.rows


def filter_phases(layer: Layer, taps: int) -> tuple[int, int]:
    """Return the number of filters for a kernel row of ``taps`` taps, and their lead.

    A stride requires one filter per phase. The lead is the number of taps of the longest filter
    less one.
    """
    phases = min(layer.stride_w, taps)
    return phases, ceil_div(taps, phases) - 1


def uses_row_filters(layer: Layer, config: Config) -> bool:
    """Return whether a layer can run as filters along x in fewer cycles than with diagonal tiles.
    """
    phases, lead = filter_phases(layer, layer.kernel_w)
    return (layer.kind == "depthwise" and layer.depth_multiplier == 1 and layer.dilation_w == 1
            and layer.stride_w <= layer.kernel_w and lead < config.rows
            and phases * (layer.out_w + lead) < layer.kernel_w * layer.out_w)


def pass_grids(layer: Layer, block: KernelBlock, row_pitch: int, width: int, *,
               pixel: int | None = None, row_filters: bool = False) -> list[PassGrid]:
    """Return the passes for a block of the kernel, in the order of their tiles.

    Parameters
    ----------
    layer, block : :class:`Layer`, :class:`KernelBlock`
        Layer and block of its kernel.
    row_pitch : :class:`int`
        Bytes from one row of the input to the next in the scratchpad.
    width : :class:`int`
        Bytes of a vector that a pass uses; see :func:`vector_width`.
    pixel : :class:`int` or :class:`None`
        Bytes from one pixel to the next; ``None`` if pixels consist of the block's channels.
    row_filters : :class:`bool`
        The tiles are filters along x.
    """
    down = layer.dilation_h * row_pitch
    right = layer.dilation_w * (pixel or block.channels)
    height, taps = block.y1 - block.y0, block.x1 - block.x0
    if row_filters:
        phases, lead = filter_phases(layer, taps)
        return [PassGrid(0, height, down, phases, right, width, lead)]
    if layer.channelwise:
        return [PassGrid(0, height, down, taps, right, width)]
    if layer.dilation_w == 1 or taps == 1:
        # the taps of a kernel row are consecutive bytes
        size = taps * block.channels
        chunks = ceil_div(size, width)
        return [PassGrid(0, height, down, chunks, width, size - (chunks - 1) * width)]
    chunks = ceil_div(block.channels, width)
    tail = block.channels - (chunks - 1) * width
    if chunks == 1:
        return [PassGrid(0, height, down, taps, right, tail)]
    return [PassGrid(y * down, taps, right, chunks, width, tail) for y in range(height)]


def count_passes(layer: Layer, block: KernelBlock, config: Config, *,
                 row_filters: bool) -> int:
    """Return the number of passes, and of tiles of one output tile, for a block of the kernel."""
    return sum(grid.passes for grid in pass_grids(
        layer, block, 1, vector_width(layer, config), row_filters=row_filters))


def weight_lines(layer: Layer, blocks: list[KernelBlock], config: Config) -> int:
    """Return the largest number of lines with weights in a tile, where they are the last lines."""
    if layer.channelwise:
        return config.rows
    return max(grid.tail if grid.chunks == 1 else config.rows for block in blocks
               for grid in pass_grids(layer, block, 1, config.rows))
