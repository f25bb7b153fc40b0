"""Constants of a layer in host memory, and the loads of its weights."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from weft.spec.config import Config
from weft.spec.integers import ceil_div

from ..lower.layer import Layer
from ..plan.allocators import WeightBufferRing
from ..plan.kernel_blocks import KernelBlock, count_passes, divide_kernel, tile_width
from ..plan.layer_plan import LayerPlan, parameter_bytes
from ..plan.weight_packing import identity_tile, pack_channelwise, pack_convolution
from .instruction_stream import HostSection, InstructionStream

__all__ = ["LoadedPasses", "WeightLoader", "WeightPackets", "kernel_blocks", "layer_constants"]


def kernel_blocks(layer: Layer, plan: LayerPlan) -> list[KernelBlock]:
    """Return the blocks into which a plan divides the kernel of a layer."""
    return divide_kernel(layer, plan.kernel_y, plan.kernel_x, plan.channels)


def layer_constants(layer: Layer, plan: LayerPlan, config: Config) -> bytes:
    """Return the constants of a layer as they lie in host memory.

    These are the parameters of all output tiles, followed by the weights: group by group, in each
    group by block of the kernel, and in each block by output tile. This is the order of their use,
    so that a load of several tiles reads consecutive bytes. A pooling has only the identity tile.
    """
    if layer.pooling:
        return identity_tile(config).tobytes()
    width = tile_width(layer, config)
    tiles = ceil_div(layer.out_c, width)
    bias = np.zeros(tiles * width, "<i4")
    bias[:layer.out_c] = layer.bias
    columns = [bias.view(np.uint8).reshape(tiles, -1)]
    if layer.per_channel:
        scale = np.zeros((tiles * width, 2), "<u4")
        scale[:layer.out_c, 0] = layer.multiplier
        scale[:layer.out_c, 1] = layer.shift
        columns.append(scale.view(np.uint8).reshape(tiles, -1))
    sections = [np.concatenate(columns, axis=1).tobytes()]
    packed = [
        pack_channelwise(layer, block, config, row_filters=plan.row_filters)
        if layer.channelwise
        else pack_convolution(layer, block, config)[:, :, config.rows - plan.lines:]
        for block in kernel_blocks(layer, plan)]
    for first in range(0, tiles, plan.group):
        sections += [part[first:first + plan.group].tobytes() for part in packed]
    return b"".join(sections)


@dataclasses.dataclass(frozen=True)
class LoadedPasses:
    """Consecutive passes of an output tile, whose weights are in the weight buffer.

    Attributes
    ----------
    start, stop : :class:`int`
        First pass, and the pass after the last one.
    first : :class:`int`
        Tile of the weight buffer with the weights of pass ``start``.
    hold : :class:`bool`
        The same tile serves all passes.
    """

    start: int
    stop: int
    first: int
    hold: bool = False

    def buffer_tile(self, number: int) -> int:
        """Return the tile of the weight buffer with the weights of pass ``number``."""
        return self.first if self.hold else self.first + number - self.start

    def rectangles(self, base: int, rows: int, chunks: int) -> Iterator[tuple[int, int, int, int]]:
        """Divide the passes that belong to a grid into rectangles of the grid.

        Parameters
        ----------
        base : :class:`int`
            Number of the grid's first pass.
        rows, chunks : :class:`int`
            Size of the grid, whose passes are numbered row by row.

        Yields
        ------
        (row, rows, chunk, chunks)
            First row and number of rows, first chunk and number of chunks of a rectangle.
        """
        number, stop = max(0, self.start - base), min(rows * chunks, self.stop - base)
        while number < stop:
            row, chunk = divmod(number, chunks)
            if chunk == 0 and stop - number >= chunks:
                count = (stop - number) // chunks
                yield row, count, 0, chunks
                number += count * chunks
            else:
                count = min(chunks - chunk, stop - number)
                yield row, 1, chunk, count
                number += count


class WeightLoader:
    """Emitter of the loads of a layer's weights.

    Parameters
    ----------
    stream : :class:`InstructionStream`
        Stream to which the loads are appended.
    layer, plan : :class:`Layer`, :class:`LayerPlan`
        Layer and division of its work.
    constants : :class:`int`
        Address of :func:`layer_constants` in the section of constants.
    ring : :class:`WeightBufferRing`
        Allocator of the weight buffer.
    """

    def __init__(self, stream: InstructionStream, layer: Layer, plan: LayerPlan, constants: int,
                 ring: WeightBufferRing) -> None:
        self.stream, self.plan, self.ring = stream, plan, ring
        self.config = config = stream.config
        self._tiles = ceil_div(layer.out_c, tile_width(layer, config))
        self._resident: dict[int, int] = {}     # tile of the weight buffer, by offset
        self._resident_first: int | None = None
        self.held_tile: int | None = None
        if layer.pooling:
            # one pass per tap of the window, all with the identity tile
            self._passes = [(block.y1 - block.y0) * (block.x1 - block.x0)
                            for block in kernel_blocks(layer, plan)]
            self._weights = constants
            self.held_tile = self.load(0, 1)
            return
        self._passes = [count_passes(layer, block, config, row_filters=plan.row_filters)
                        for block in kernel_blocks(layer, plan)]
        self._weights = constants + self._tiles * parameter_bytes(layer, config)

    def packets(self, tiles: range, block: int) -> "WeightPackets":
        """Return the weights of the output tiles ``tiles`` for a block of the kernel."""
        return WeightPackets(self, tiles, block, self._passes[block])

    def offset(self, tile: int, block: int) -> int:
        """Return the position of an output tile's weights among those of the layer, in tiles."""
        first = tile - tile % self.plan.group
        count = min(self.plan.group, self._tiles - first)
        return first * sum(self._passes) + count * sum(self._passes[:block]) \
            + (tile - first) * self._passes[block]

    def resident(self, tile: int, block: int) -> int:
        """Return the tile of the weight buffer with an output tile's first weights.

        The weights are loaded on first use and stay there.
        """
        if self._resident_first is None:
            # space for all weights at once, so that the ring does not wrap between them
            self._resident_first = self.ring.allocate(self._tiles * sum(self._passes))
        offset = self.offset(tile, block)
        if offset not in self._resident:
            self._resident[offset] = self.load(offset, self._passes[block],
                                               self._resident_first + offset)
        return self._resident[offset]

    def load(self, offset: int, count: int, first: int | None = None) -> int:
        """Emit a load of ``count`` tiles, and return the first tile in the weight buffer.

        Parameters
        ----------
        offset : :class:`int`
            Position of the weights among those of the layer, in tiles.
        count : :class:`int`
            Number of tiles.
        first : :class:`int` or :class:`None`
            First tile in the weight buffer; ``None`` to allocate it.
        """
        full, size = self.config.tile_bytes, self.plan.lines * self.config.cols
        if first is None:
            first = self.ring.allocate(count)
        host, local = self._weights + offset * size, first * full + full - size
        if size == full:
            self.stream.load(HostSection.CONSTANTS, host, local, count * size, weights=True)
        else:
            self.stream.load(HostSection.CONSTANTS, host, local, size, count, size, full,
                             weights=True)
        return first


class WeightPackets:
    """Weights of several output tiles for one block of the kernel, loaded when they are needed.

    Parameters
    ----------
    loader : :class:`WeightLoader`
        Emitter of the loads.
    tiles : :class:`range`
        Output tiles.
    block : :class:`int`
        Number of the block of the kernel.
    passes : :class:`int`
        Passes of each output tile.
    """

    def __init__(self, loader: WeightLoader, tiles: range, block: int, passes: int) -> None:
        self._loader, self._tiles, self._block, self._passes = loader, tiles, block, passes
        self._loaded: dict[int, int] = {}       # first tile in the weight buffer, by packet

    def of(self, tile: int) -> Iterator[LoadedPasses]:
        """Yield the passes of an output tile in order, each after the load of its weights."""
        loader, passes, limit = self._loader, self._passes, self._loader.plan.tiles_per_load
        if loader.held_tile is not None:
            yield LoadedPasses(0, passes, loader.held_tile, True)
            return
        if loader.plan.weights_resident:
            yield LoadedPasses(0, passes, loader.resident(tile, self._block))
            return
        if passes <= limit:     # a packet holds the weights of several output tiles
            size = limit // passes
            packet, number = divmod(tile - self._tiles[0], size)
            if packet not in self._loaded:
                count = min(size, len(self._tiles) - packet * size)
                self._loaded[packet] = loader.load(
                    loader.offset(self._tiles[packet * size], self._block), count * passes)
            yield LoadedPasses(0, passes, self._loaded[packet] + number * passes)
            return
        size = ceil_div(passes, ceil_div(passes, limit))
        for start in range(0, passes, size):
            stop = min(start + size, passes)
            first = loader.load(loader.offset(tile, self._block) + start, stop - start)
            yield LoadedPasses(start, stop, first)
