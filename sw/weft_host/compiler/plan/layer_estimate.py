"""Estimated duration of a layer, from the division of its work."""

from weft.spec.config import Config
from weft.spec.integers import ceil_div

from ..lower.layer import Layer
from . import cost
from .kernel_blocks import filter_phases, tile_width
from .layer_blocking import Blocking, Buffering, beats_per_tile

__all__ = ["LayerEstimate"]

OVERLAP_LOSS = 10
"""Busy cycles of all units but the slowest for which one cycle of waiting is added."""
END_HIDDEN = 4
"""Largest divisor of the end of a layer whose output stays on chip, where the next layer can start
after the first blocks."""


class LayerEstimate:
    """Estimated duration of a layer with a division of its work, for any choice of buffers.

    The estimate is the busy time of the slowest unit, plus the start-up before that unit and the
    rest after it, plus a share of the other units' time for the waits between units.
    """

    def __init__(self, layer: Layer, config: Config, blocking: Blocking) -> None:
        # the times are those of one block of positions at first, and then of all blocks
        width, groups, count = tile_width(layer, config), blocking.groups, blocking.position_blocks
        tiles = ceil_div(layer.out_c, width)
        positions, passes, loads = blocking.positions, blocking.passes, blocking.input_loads
        per_load, all_passes = blocking.tiles_per_load, sum(passes)
        pieces = tiles * sum([ceil_div(part, per_load) for part in passes])
        vectors = positions
        if blocking.row_filters:
            _, lead = filter_phases(layer, layer.kernel_w)
            vectors += blocking.y_count * lead
        least = cost.HELD_PASS if layer.pooling else config.tile_cycles
        matmul = tiles * all_passes * max(least, vectors) + pieces * cost.MATMUL_GAP
        params = 0 if layer.pooling else tiles * cost.params_cycles(
            width, per_channel=layer.per_channel)
        vector = tiles * cost.drain_cycles(config, positions, width, layer.out_size)
        store = 0 if blocking.output_on_chip else groups * cost.COPY_START + positions * (
            ceil_div(min(blocking.group * width, layer.out_c) * layer.out_size, config.bus_bytes)
            + (1 if groups > 1 else 0))
        input_load = _input_load_cycles(layer, config, blocking)
        weights = 0 if layer.pooling \
            else tiles * all_passes * beats_per_tile(config) + pieces * 4
        resident = blocking.weights_resident
        # the parameters of a tile are read again if those of another tile have replaced them
        channel_groups = ceil_div(layer.out_c, blocking.channels) if layer.channelwise else 1
        instructions = loads * (1 + 2 * bool(layer.pad_top)) + count * (
            groups + tiles * 2 + pieces * (1 if resident else 2))
        self._load = loads * input_load + weights * (1 if resident else count)
        self._group_loads = count * groups * 2 * cost.COPY_START
        self._matmul, self._loads, self._input_load = matmul * count, loads, input_load
        self._vector = vector * count + params * (1 if tiles == channel_groups else count)
        self._store, self._fetch = store * count, cost.FETCH * instructions
        self._drains, self._stores = count * tiles, count * groups
        # the first operands arrive in pieces before the array starts; the last group of results
        # follows
        self._start = 0 if blocking.input_on_chip else input_load // 4 \
            + min(per_load, passes[0]) * config.tile_bytes // config.bus_bytes
        self._end = cost.MATMUL_END + config.rows + config.cols // 2
        # with the output on chip, the next layer starts after the first blocks
        self._end_divisor = min(count, END_HIDDEN) if blocking.output_on_chip else 1
        self.least = self.cycles(Buffering(input_buffers=2, output_buffers=2,
                                           parameters_resident=True))
        """Estimate with the buffers that are best for speed."""

    def cycles(self, buffering: Buffering) -> int:
        """Return the estimated duration with these buffers."""
        load, matmul, vector, store = self._load, self._matmul, self._vector, self._store
        if not buffering.parameters_resident:
            load += self._group_loads
        if buffering.input_buffers == 1 and self._loads > 1:
            matmul += self._loads * self._input_load
        if buffering.output_buffers == 1 and self._stores > 1:
            vector += store
        end = (vector // self._drains + store // self._stores + self._end) // self._end_divisor
        slowest = max(load, matmul, vector, store, self._fetch)
        others = load + matmul + vector + store + self._fetch - slowest
        return int(slowest + others // OVERLAP_LOSS + self._start + end)


def _input_load_cycles(layer: Layer, config: Config, blocking: Blocking) -> int:
    """Return the cycles in which one input buffer is filled."""
    if blocking.input_on_chip:
        return 0
    height, width = blocking.input_height, blocking.input_width
    if not blocking.sliced and blocking.channels < layer.in_c:      # pixel by pixel
        cycles = min(height, width) * cost.COPY_START + height * width * (
            ceil_div(blocking.channels, config.bus_bytes) + 1)
    else:
        cycles = cost.copy_cycles(config, height, width * blocking.channels)
    if layer.pad_top or layer.pad_left:
        cycles += 4 * cost.FILL_START
    return cycles
