"""Division of a layer's work, and the buffers that it requires."""

import dataclasses
import itertools
from collections.abc import Iterator

from weft.spec.config import Config
from weft.spec.integers import ceil_div, round_up

from ..limits import MAX_COUNT
from ..lower.layer import Layer
from .kernel_blocks import tile_width
from .layer_plan import LayerPlan, parameter_bytes

__all__ = ["SHORT_LOAD", "Blocking", "beats_per_tile", "plans_with_buffers"]

SHORT_LOAD = 64
"""Beats of a load of weights that is long enough to hide the latency of LOAD and of MATMUL."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Blocking:
    """Division of the work of a layer, without the choice of its buffers.

    Attributes
    ----------
    kernel_y, kernel_x, channels, sliced, y_count, x_count, lines, group, whole_input
        See :class:`LayerPlan`.
    input_on_chip, output_on_chip, row_filters
        See :class:`LayerPlan`.
    passes : tuple of :class:`int`
        Passes of one output tile for each block of the kernel.
    position_blocks : :class:`int`
        Number of blocks of output positions, in all images.
    groups : :class:`int`
        Number of groups of output tiles.
    input_height, input_width : :class:`int`
        Size of the input that is in the scratchpad at one time, halo included.
    input_loads : :class:`int`
        Number of times that an input buffer is filled.
    """

    kernel_y: int
    kernel_x: int
    channels: int
    sliced: bool
    passes: tuple[int, ...]
    y_count: int
    x_count: int
    lines: int
    group: int
    whole_input: bool
    position_blocks: int
    groups: int
    input_height: int
    input_width: int
    input_loads: int
    input_on_chip: bool
    output_on_chip: bool
    row_filters: bool

    @property
    def positions(self) -> int:
        """Positions of the largest block."""
        return self.y_count * self.x_count


def beats_per_tile(config: Config) -> int:
    """Return the number of bus beats that transfer one tile."""
    return ceil_div(config.tile_bytes, config.bus_bytes)


def plans_with_buffers(layer: Layer, config: Config, blocking: Blocking) -> Iterator[LayerPlan]:
    """Yield the plans for all choices of buffers, without the estimate of their duration.

    The choices are two input buffers or one; several output buffers or one; and parameters that are
    loaded once for the whole layer, or group by group.
    """
    outputs = blocking.groups if blocking.sliced \
        else 2 if blocking.position_blocks * blocking.groups > 1 else 1
    input_bytes = _input_bytes(layer, config, blocking)
    output_bytes = _output_bytes(layer, config, blocking)
    weights_resident = _weights_resident(layer, config, blocking)
    tiles_per_load = _tiles_per_load(config, blocking)
    for input_buffers, output_buffers, resident in itertools.product(
            (2, 1) if blocking.input_loads > 1 else (1,),
            (outputs, 1) if outputs > 1 else (1,),
            (True, False) if blocking.groups > 2 else (True,)):
        yield LayerPlan(
            kernel_y=blocking.kernel_y, kernel_x=blocking.kernel_x, channels=blocking.channels,
            y_count=blocking.y_count, x_count=blocking.x_count, group=blocking.group,
            whole_input=blocking.whole_input, input_buffers=input_buffers,
            output_buffers=output_buffers, input_bytes=input_bytes, output_bytes=output_bytes,
            parameter_bytes=_parameter_bytes(layer, config, blocking, resident),
            parameters_resident=resident, weights_resident=weights_resident,
            tiles_per_load=tiles_per_load, input_on_chip=blocking.input_on_chip,
            output_on_chip=blocking.output_on_chip, row_filters=blocking.row_filters,
            sliced=blocking.sliced, lines=blocking.lines)


def _input_bytes(layer: Layer, config: Config, blocking: Blocking) -> int:
    """Return the size of an input buffer."""
    if blocking.input_on_chip:
        return 0
    all_channels = blocking.sliced or layer.channelwise and layer.depth_multiplier > 1
    pixel = layer.in_c if all_channels else blocking.channels
    # the last vector may read ``rows`` bytes further, and a filter one more pixel
    return round_up(blocking.input_height * blocking.input_width * pixel + config.rows
                    + blocking.row_filters * pixel, config.spad_row_bytes)


def _output_bytes(layer: Layer, config: Config, blocking: Blocking) -> int:
    """Return the size of an output buffer."""
    if blocking.output_on_chip:
        return 0
    channels = min(blocking.group * tile_width(layer, config),
                   blocking.channels if layer.channelwise else layer.out_c)
    return round_up(blocking.positions * channels * layer.out_size, config.spad_row_bytes)


def _parameter_bytes(layer: Layer, config: Config, blocking: Blocking, resident: bool) -> int:
    """Return the size of the parameter buffer.

    With ``resident``, it holds the parameters of the whole layer, otherwise those of two groups.
    """
    block, unit = parameter_bytes(layer, config), config.spad_row_bytes
    if layer.pooling:
        return round_up(block, unit)
    if resident:
        return round_up(block * ceil_div(layer.out_c, tile_width(layer, config)), unit)
    return 2 * round_up(block * blocking.group, unit)


def _weights_resident(layer: Layer, config: Config, blocking: Blocking) -> bool:
    """Return whether all weights stay in the weight buffer from their first use on.

    Weights that are used for one block of positions only do not stay.
    """
    tiles = sum(blocking.passes) * ceil_div(layer.out_c, tile_width(layer, config))
    return layer.pooling or blocking.position_blocks > 1 \
        and tiles <= min(config.wgt_tiles, MAX_COUNT)


def _tiles_per_load(config: Config, blocking: Blocking) -> int:
    """Return the largest number of tiles in one load of weights."""
    tile_beats = beats_per_tile(config)
    memory_bound = blocking.positions < 2 * config.tile_bytes // config.bus_bytes
    limit = max(1, min(config.wgt_tiles, MAX_COUNT) // (4 if memory_bound else 2))
    if blocking.positions >= config.rows:
        return limit
    # loads of one tile each: neighbouring loads are merged into one instruction, and so are MATMULs
    longest = max(blocking.passes)
    if longest * tile_beats < SHORT_LOAD:
        return min(limit, ceil_div(2 * SHORT_LOAD, tile_beats))
    return min(limit, longest)
