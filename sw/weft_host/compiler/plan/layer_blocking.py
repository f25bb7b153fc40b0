"""Division of a layer's work, and the buffers that it requires."""

import dataclasses
import itertools
import typing
from collections.abc import Iterator

from weft.spec.config import Config
from weft.spec.integers import ceil_div, round_up

from ..limits import MAX_COUNT
from ..lower.layer import Layer
from .kernel_blocks import tile_width
from .layer_plan import LayerPlan, parameter_bytes

__all__ = ["SHORT_LOAD", "Blocking", "BufferSizes", "Buffering", "beats_per_tile",
           "tiles_per_load", "weights_resident"]

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
    tiles_per_load, weights_resident
        See :class:`LayerPlan`.
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
    tiles_per_load: int
    weights_resident: bool

    @property
    def positions(self) -> int:
        """Positions of the largest block."""
        return self.y_count * self.x_count


def beats_per_tile(config: Config) -> int:
    """Return the number of bus beats that transfer one tile."""
    return ceil_div(config.tile_bytes, config.bus_bytes)


class Buffering(typing.NamedTuple):
    """Choice of buffers; see :class:`LayerPlan` for the attributes."""

    input_buffers: int
    output_buffers: int
    parameters_resident: bool


class BufferSizes:
    """Sizes of the buffers for a division of a layer's work.

    Parameters
    ----------
    layer, config, blocking : :class:`Layer`, :class:`weft.spec.config.Config`, :class:`Blocking`
        Layer, configuration that executes it, and division of its work.
    """

    def __init__(self, layer: Layer, config: Config, blocking: Blocking) -> None:
        self._layer, self._blocking = layer, blocking
        self._outputs = blocking.groups if blocking.sliced \
            else 2 if blocking.position_blocks * blocking.groups > 1 else 1
        self.input_bytes = _input_bytes(layer, config, blocking)
        self.output_bytes = _output_bytes(layer, config, blocking)
        self.parameter_bytes = {
            resident: _parameter_bytes(layer, config, blocking, resident)
            for resident in ((True, False) if blocking.groups > 2 else (True,))}

    def choices(self) -> Iterator[tuple[Buffering, int]]:
        """Yield all choices of buffers, and the bytes of the scratchpad that each needs.

        The choices are two input buffers or one; several output buffers or one; and parameters
        that are loaded once for the whole layer, or group by group.
        """
        for inputs, outputs, resident in itertools.product(
                (2, 1) if self._blocking.input_loads > 1 else (1,),
                (self._outputs, 1) if self._outputs > 1 else (1,), self.parameter_bytes):
            yield Buffering(inputs, outputs, resident), (
                inputs * self.input_bytes + outputs * self.output_bytes
                + self.parameter_bytes[resident])

    def plan(self, buffering: Buffering, cycles: int) -> LayerPlan:
        """Return the plan with one of the choices and its estimated duration."""
        blocking = self._blocking
        return LayerPlan(
            kernel_y=blocking.kernel_y, kernel_x=blocking.kernel_x, channels=blocking.channels,
            y_count=blocking.y_count, x_count=blocking.x_count, group=blocking.group,
            whole_input=blocking.whole_input, input_buffers=buffering.input_buffers,
            output_buffers=buffering.output_buffers, input_bytes=self.input_bytes,
            output_bytes=self.output_bytes,
            parameter_bytes=self.parameter_bytes[buffering.parameters_resident],
            parameters_resident=buffering.parameters_resident,
            weights_resident=blocking.weights_resident, tiles_per_load=blocking.tiles_per_load,
            cycles=cycles, input_on_chip=blocking.input_on_chip,
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


def weights_resident(layer: Layer, config: Config, passes: tuple[int, ...],
                     position_blocks: int) -> bool:
    """Return whether all weights stay in the weight buffer from their first use on.

    Weights that are used for one block of positions only do not stay.
    """
    if layer.pooling or position_blocks <= 1:
        return layer.pooling
    tiles = sum(passes) * ceil_div(layer.out_c, tile_width(layer, config))
    return tiles <= min(config.wgt_tiles, MAX_COUNT)


def tiles_per_load(config: Config, passes: tuple[int, ...], positions: int) -> int:
    """Return the largest number of tiles in one load of weights."""
    tile_beats = beats_per_tile(config)
    memory_bound = positions < 2 * config.tile_bytes // config.bus_bytes
    limit = max(1, min(config.wgt_tiles, MAX_COUNT) // (4 if memory_bound else 2))
    if positions >= config.rows:
        return limit
    # loads of one tile each: neighbouring loads are merged into one instruction, and so are MATMULs
    longest = max(passes)
    if longest * tile_beats < SHORT_LOAD:
        return min(limit, ceil_div(2 * SHORT_LOAD, tile_beats))
    return min(limit, longest)
