"""The weights of a layer: where they lie in host memory, and when they are loaded."""

import dataclasses

import numpy as np

from ..plan import kernel_blocks
from ..plan.kernel_blocks import tile_width
from ..plan.layer_plan import param_block

__all__ = ["Passes", "Packets", "Weights"]


@dataclasses.dataclass(frozen=True)
class Passes:
    """Passes ``start`` to before ``stop`` of an output tile, whose weights are in the buffer.

    ``first`` is the buffer's tile that holds the weights of pass ``start``; with ``hold`` it
    serves every pass.
    """

    start: int
    stop: int
    first: int
    hold: bool = False

    def address(self, index):
        """The buffer's tile for pass ``index``."""
        return self.first if self.hold else self.first + index - self.start

    def within(self, base, rows, chunks):
        """``(row, rows, chunk, chunks)`` of the rectangles that make up these passes in a run.

        The run has ``rows`` x ``chunks`` passes, from pass ``base`` on.
        """
        at, stop = max(0, self.start - base), min(rows * chunks, self.stop - base)
        while at < stop:
            row, chunk = divmod(at, chunks)
            if chunk == 0 and stop - at >= chunks:
                count = (stop - at) // chunks
                yield row, count, 0, chunks
                at += count * chunks
            else:
                count = min(chunks - chunk, stop - at)
                yield row, 1, chunk, count
                at += count


class Packets:
    """The weights of one step, loaded when the first tile that needs them is asked for."""

    def __init__(self, weights, tiles, part, passes):
        self._weights, self._tiles, self._part, self._passes = weights, tiles, part, passes
        self._loaded = {}

    def of(self, tile):
        """The :class:`Passes` of an output tile, in order; loads what is not there yet."""
        weights, passes = self._weights, self._passes
        if weights.hold is not None:
            yield Passes(0, passes, weights.hold, True)
            return
        if weights.plan.weights_resident:
            yield Passes(0, passes, weights.resident(tile, self._part))
            return
        number = tile - self._tiles[0]
        if passes <= weights.plan.packet:
            # several whole tiles in a packet
            size = weights.plan.packet // passes
            group = number // size
            if group not in self._loaded:
                count = min(size, len(self._tiles) - group * size)
                self._loaded[group] = weights.load(
                    weights.offset(self._tiles[group * size], self._part), count * passes)
            yield Passes(0, passes, self._loaded[group] + number % size * passes)
            return
        pieces = -(-passes // weights.plan.packet)
        size = -(-passes // pieces)
        for start in range(0, passes, size):
            stop = min(start + size, passes)
            first = weights.load(weights.offset(tile, self._part) + start, stop - start)
            yield Passes(start, stop, first)


class Weights:
    """Loads the weights of a layer.

    In host memory a layer's constants are the parameters of its output tiles, then the tiles of
    weights: group by group, in it block of the kernel by block, in it output tile by output tile.
    That is the order in which they are used, so a packet is one run of bytes.
    """

    def __init__(self, stream, layer, plan, place, ring):
        self.stream, self.layer, self.plan, self.ring = stream, layer, plan, ring
        self.config = stream.config
        self._tiles = -(-layer.out_c // tile_width(layer, self.config))
        self._tile_bytes = plan.lines * self.config.cols        # in host memory
        self.hold = None
        if layer.pooling:
            self._base = place.constants
            self.hold = self.load(0, 1)
            return
        self._base = place.constants + self._tiles * param_block(layer, self.config)
        self._passes = [self._count(layer, part, plan, self.config)
                        for part in self._blocks(layer, plan)]
        self._resident = {}

    @staticmethod
    def _blocks(layer, plan):
        return kernel_blocks.blocks(layer, *plan.tiling())

    @staticmethod
    def _count(layer, part, plan, config):
        return sum(run.tiles for run in kernel_blocks.runs(
            layer, part, 1, tile_width(layer, config) if layer.channelwise else config.rows,
            filtered=plan.filtered))

    @classmethod
    def constants(cls, layer, plan, config):
        """The bytes that :class:`Weights` and :class:`Outputs` load."""
        if layer.pooling:
            return kernel_blocks.identity_tile(config).tobytes()
        width = tile_width(layer, config)
        tiles = -(-layer.out_c // width)
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
            kernel_blocks.pack_depthwise(layer, part, config, filtered=plan.filtered)
            if layer.channelwise
            else kernel_blocks.pack(layer, part, config)[:, :, config.rows - plan.lines:]
            for part in cls._blocks(layer, plan)]
        for first in range(0, tiles, plan.group):
            sections += [part[first:first + plan.group].tobytes() for part in packed]
        return b"".join(sections)

    def step(self, tiles, part):
        """The :class:`Packets` of output tiles ``tiles`` and a block of the kernel."""
        if self.hold is None:
            return Packets(self, tiles, part, self._passes[part])
        block = self._blocks(self.layer, self.plan)[part]
        return Packets(self, tiles, part, (block.y1 - block.y0) * (block.x1 - block.x0))

    def offset(self, tile, part):
        """Place of an output tile's weights among those of the layer, in tiles."""
        first = tile - tile % self.plan.group
        count = min(self.plan.group, self._tiles - first)
        return first * sum(self._passes) + count * sum(self._passes[:part]) \
            + (tile - first) * self._passes[part]

    def resident(self, tile, part):
        """The buffer's tile with the first weights of an output tile; they stay there."""
        if not self._resident:
            # all that fits is taken at once, so that no turn of the ring cuts through it
            self._resident = {"first": self.ring.take(self._tiles * sum(self._passes))}
        place = self.offset(tile, part)
        if place not in self._resident:
            count = self._passes[part]
            self.load(place, count, self._resident["first"] + place)
            self._resident[place] = self._resident["first"] + place
        return self._resident[place]

    def load(self, place, count, first=None):
        """Load ``count`` tiles from ``place`` of the layer on; their first in the buffer."""
        whole, size = self.config.tile_bytes, self._tile_bytes
        if first is None:
            first = self.ring.take(count)
        host, local = self._base + place * size, first * whole + whole - size
        if size == whole:
            self.stream.load("const", host, local, count * size, weights=True)
        else:
            self.stream.load("const", host, local, size, count, size, whole, weights=True)
        return first
