"""Estimated duration of a layer, from the division of its work."""

from weft.spec.config import Config
from weft.spec.integers import ceil_div

from ..lower.layer import Layer
from . import cost
from .kernel_blocks import filter_phases, tile_width
from .layer_blocking import Blocking, beats_per_tile
from .layer_plan import LayerPlan

__all__ = ["estimated_cycles"]

OVERLAP_LOSS = 10
"""Busy cycles of all units but the slowest for which one cycle of waiting is added."""
END_HIDDEN = 4
"""Largest divisor of the end of a layer whose output stays on chip, where the next layer can start
after the first blocks."""


def estimated_cycles(layer: Layer, config: Config, plan: LayerPlan, blocking: Blocking) -> int:
    """Return the estimated duration of a layer.

    The estimate is the busy time of the slowest unit, plus the start-up before that unit and the
    rest after it, plus a share of the other units' time for the waits between units.
    """
    # the times are those of one block of positions at first, and then of all blocks
    width, groups, count = tile_width(layer, config), blocking.groups, blocking.position_blocks
    tiles = ceil_div(layer.out_c, width)
    positions, passes, loads = blocking.positions, blocking.passes, blocking.input_loads
    pieces = tiles * sum(ceil_div(part, plan.tiles_per_load) for part in passes)
    vectors = positions
    if plan.row_filters:
        _, lead = filter_phases(layer, layer.kernel_w)
        vectors += blocking.y_count * lead
    least = cost.HELD_PASS if layer.pooling else config.rows
    matmul = tiles * sum(passes) * max(least, vectors) + pieces * cost.MATMUL_GAP
    params = 0 if layer.pooling else tiles * cost.params_cycles(
        width, per_channel=layer.per_channel)
    vector = tiles * cost.drain_cycles(config, positions, width, layer.out_size)
    store = groups * cost.COPY_START + positions * (
        ceil_div(min(plan.group * width, layer.out_c) * layer.out_size, config.bus_bytes)
        + (1 if groups > 1 else 0))
    if plan.output_on_chip:
        store = 0
    input_load = _input_load_cycles(layer, config, plan, blocking)
    weights = 0 if layer.pooling else tiles * sum(passes) * beats_per_tile(config) + pieces * 4
    load = loads * input_load + weights * (1 if plan.weights_resident else count)
    if not plan.parameters_resident:
        load += count * groups * 2 * cost.COPY_START
    matmul, vector, store = matmul * count, vector * count, store * count
    # the parameters of a tile are read again if those of another tile have replaced them
    channel_groups = ceil_div(layer.out_c, plan.channels) if layer.channelwise else 1
    vector += params * (1 if tiles == channel_groups else count)
    if plan.input_buffers == 1 and loads > 1:
        matmul += loads * input_load
    if plan.output_buffers == 1 and count * groups > 1:
        vector += store
    instructions = loads * (1 + 2 * bool(layer.pad_top)) + count * (
        groups + tiles * 2 + pieces * (1 if plan.weights_resident else 2))
    # the first operands arrive in pieces before the array starts; the last group of results follows
    start = 0 if plan.input_on_chip else input_load // 4 \
        + min(plan.tiles_per_load, passes[0]) * config.tile_bytes // config.bus_bytes
    end = vector // (count * tiles) + store // (count * groups) + cost.MATMUL_END \
        + config.rows + config.cols // 2
    if plan.output_on_chip:     # the next layer starts after the first blocks
        end //= min(count, END_HIDDEN)
    units = load, matmul, vector, store, cost.FETCH * instructions
    return int(max(units) + (sum(units) - max(units)) // OVERLAP_LOSS + start + end)


def _input_load_cycles(layer: Layer, config: Config, plan: LayerPlan, blocking: Blocking) -> int:
    """Return the cycles in which one input buffer is filled."""
    if plan.input_on_chip:
        return 0
    height, width = blocking.input_height, blocking.input_width
    if not plan.sliced and plan.channels < layer.in_c:      # pixel by pixel
        cycles = min(height, width) * cost.COPY_START + height * width * (
            ceil_div(plan.channels, config.bus_bytes) + 1)
    else:
        cycles = cost.copy_cycles(config, height, width * plan.channels)
    if layer.pad_top or layer.pad_left:
        cycles += 4 * cost.FILL_START
    return cycles
