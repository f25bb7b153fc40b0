"""Search for the plan of a layer with the least estimated duration."""

import dataclasses
import itertools
from collections.abc import Iterator

from weft.spec.config import Config
from weft.spec.integers import ceil_div
from weft.spec.isa import Mode

from ..limits import MAX_COUNT
from ..lower.layer import Layer
from ..verdict import CapacityError
from .kernel_blocks import (
    KernelBlock,
    count_passes,
    divide_kernel,
    tile_width,
    uses_row_filters,
    weight_lines,
)
from .layer_blocking import (
    SHORT_LOAD,
    Blocking,
    BufferSizes,
    beats_per_tile,
    tiles_per_load,
    weights_resident,
)
from .layer_estimate import LayerEstimate
from .layer_plan import LayerPlan

__all__ = ["plan_layer"]

_SHAPE = [field.name for field in dataclasses.fields(Layer)
          if field.type in (int, str, Mode) and field.name not in ("name", "index", "target")]
_MOST_FOUND = 4096
_found: dict[tuple[object, ...], LayerPlan] = {}      # plans of earlier searches


def plan_layer(layer: Layer, config: Config, *, budget: int | None = None,
               input_on_chip: bool = False, output_on_chip: bool = False) -> LayerPlan:
    """Return the plan with the least estimated duration.

    Parameters
    ----------
    layer, config : :class:`Layer`, :class:`weft.spec.config.Config`
        Layer and configuration that executes it.
    budget : :class:`int` or :class:`None`
        Bytes of the scratchpad for buffers and parameters; ``None`` for the whole scratchpad.
    input_on_chip, output_on_chip : :class:`bool`
        The input is in the scratchpad before the step; the output stays there. Neither counts
        against the budget.

    Raises
    ------
    CapacityError
        If not even the smallest piece of the layer fits.
    """
    budget = config.spad_bytes if budget is None else budget
    key = (*_shape(layer), config, budget, input_on_chip, output_on_chip)
    if key not in _found:
        if len(_found) >= _MOST_FOUND:
            _found.clear()
        _found[key] = _search_plan(layer, config, budget, input_on_chip, output_on_chip)
    return _found[key]


def _shape(layer: Layer) -> tuple[object, ...]:
    """Return all that a plan depends on; many networks repeat the same layer."""
    return (layer.per_channel, *(getattr(layer, name) for name in _SHAPE))


def _search_plan(layer: Layer, config: Config, budget: int, input_on_chip: bool,
                 output_on_chip: bool) -> LayerPlan:
    search = _Search(layer, config, budget, input_on_chip, output_on_chip)
    best: LayerPlan | None = None
    for kernel in search.kernel_divisions():
        plan = search.best_plan(kernel, best)
        best = plan or best
        if plan is not None and plan.sliced:
            return plan
        undivided = (kernel.kernel_y, kernel.kernel_x) == (layer.kernel_h, layer.kernel_w) and (
            kernel.channels == layer.in_c or layer.channelwise)
        # a divided kernel costs more loads: it is tried only if undivided kernels leave the array
        # idle
        if best is not None and undivided and not input_on_chip and search.keeps_array_busy(best):
            break
    if best is None:
        raise CapacityError(
            f"layer {layer.name} ({layer.describe()}) does not fit {config.name}: its smallest "
            f"piece needs {search.least} bytes of scratchpad, and {budget} are available")
    return best


def _divisions(size: int) -> list[int]:
    """Return the part sizes of a division of ``size`` into 1, 2, 3, ... roughly equal parts.

    The sizes are in descending order, and none occurs twice.
    """
    counts = [*range(1, 17), 20, 24, 28, 32, 40, 48, 64, 96, 128, 192, 256, 384, 512, 1024, size]
    return sorted({ceil_div(size, count) for count in counts if count <= size}, reverse=True)


@dataclasses.dataclass(frozen=True)
class _KernelDivision:
    """Division of the kernel into blocks; see :class:`Blocking` for the attributes."""

    kernel_y: int
    kernel_x: int
    channels: int
    blocks: list[KernelBlock]
    passes: tuple[int, ...]
    sliced: bool


class _Search:
    """Candidates for the plan of one layer, and their sizes.

    Attributes
    ----------
    least : :class:`int`
        Bytes of scratchpad that the smallest candidate so far needs.
    """

    def __init__(self, layer: Layer, config: Config, budget: int, input_on_chip: bool,
                 output_on_chip: bool) -> None:
        self.layer, self.config, self.budget = layer, config, budget
        self.input_on_chip, self.output_on_chip = input_on_chip, output_on_chip
        self.row_filters = uses_row_filters(layer, config)
        self.width = tile_width(layer, config)
        self.tiles = ceil_div(layer.out_c, self.width)
        self.half = config.acc_rows // 2
        self.least = 1 << 62
        # With few positions, the weight loads determine the time, and the array at best keeps pace
        # with them. With slices of this many channels, little work remains after the last load, and
        # the next layer waits for little. Neighbouring tiles of a slice become one instruction.
        self.slice = config.rows * max(1, min(
            ceil_div(SHORT_LOAD, beats_per_tile(config)), min(config.wgt_tiles, MAX_COUNT) // 4))
        self.may_slice = (layer.pointwise and not layer.channelwise and layer.in_c > self.slice
                          and layer.out_h * layer.out_w < config.tile_cycles)

    def keeps_array_busy(self, plan: LayerPlan) -> bool:
        """Return whether the array waits only for its first operands."""
        wanted = min(self.layer.out_h * self.layer.out_w,
                     2 * max(self.config.rows, self.config.tile_bytes // self.config.bus_bytes))
        return plan.y_count * plan.x_count >= min(wanted, self.half)

    def best_plan(self, kernel: _KernelDivision, best: LayerPlan | None) -> LayerPlan | None:
        """Return the fastest plan with this division of the kernel.

        The result is ``None`` if none fits, or if none is faster than ``best``. Of plans with equal
        estimates, it is the first one. Buffers are tried only if the best ones would make a plan
        faster than the fastest one so far.
        """
        found, cycles = None, best.cycles if best else None
        for blocking in self._blockings(kernel):
            estimate = LayerEstimate(self.layer, self.config, blocking)
            if cycles is not None and estimate.least >= cycles:
                continue
            sizes = BufferSizes(self.layer, self.config, blocking)
            for buffering, size in sizes.choices():
                self.least = min(self.least, size)
                if size > self.budget:
                    continue
                expected = estimate.cycles(buffering)
                if cycles is None or expected < cycles:
                    found, cycles = (sizes, buffering), expected
        if found is None or cycles is None:
            return None
        return found[0].plan(found[1], cycles)

    # the candidates, in the order in which they are tried

    def kernel_divisions(self) -> Iterator[_KernelDivision]:
        """Yield divisions of the kernel: channel slices if they may help, then the undivided
        kernel, and so on to single taps."""
        for kernel_y, kernel_x, channels in self._kernel_sizes():
            if max(kernel_y, kernel_x) <= MAX_COUNT:
                blocks = divide_kernel(self.layer, kernel_y, kernel_x, channels)
                passes = tuple(count_passes(self.layer, block, self.config,
                                            row_filters=self.row_filters) for block in blocks)
                yield _KernelDivision(kernel_y, kernel_x, channels, blocks, passes,
                                      self.may_slice and channels == self.slice)

    def _kernel_sizes(self) -> Iterator[tuple[int, int, int]]:
        """Yield the largest number of rows, columns and channels of a block of the kernel."""
        layer = self.layer
        if self.may_slice:
            yield 1, 1, self.slice
        if self.input_on_chip:      # nothing is loaded, so that smaller blocks save nothing
            yield layer.kernel_h, layer.kernel_w, layer.out_c if layer.channelwise else layer.in_c
            # tile by tile, so that the parameters of each tile are read once
            if layer.channelwise and layer.depth_multiplier == 1 and layer.out_c > self.width:
                yield layer.kernel_h, layer.kernel_w, self.width
            return
        taps = [(y, layer.kernel_w) for y in _divisions(layer.kernel_h)]
        taps += [(1, x) for x in _divisions(layer.kernel_w)[1:]]
        for (kernel_y, kernel_x), channels in itertools.product(taps, self._channel_counts()):
            yield kernel_y, kernel_x, channels

    def _channel_counts(self) -> list[int]:
        """Return the choices for the number of channels of a block of the kernel."""
        layer = self.layer
        if layer.channelwise and layer.depth_multiplier > 1:
            return [layer.out_c]
        if layer.channelwise:
            return [min(size * self.width, layer.out_c) for size in _divisions(self.tiles)]
        chunks = ceil_div(layer.in_c, self.config.rows)
        return [min(size * self.config.rows, layer.in_c) for size in _divisions(chunks)]

    def _blockings(self, kernel: _KernelDivision) -> Iterator[Blocking]:
        """Yield all combinations of position blocks, groups of output tiles and input extents."""
        for y_count, x_count in self._position_blocks(kernel):
            lines = self._lines(kernel, y_count * x_count)
            for group in self._groups(kernel, y_count * x_count):
                for whole_input in self._input_extents(kernel):
                    yield self._blocking(kernel, y_count, x_count, lines, group, whole_input)

    def _position_blocks(self, kernel: _KernelDivision) -> Iterator[tuple[int, int]]:
        """Yield the sizes of blocks of positions that half of the accumulators can hold."""
        layer = self.layer
        for x_count in _divisions(layer.out_w):
            for y_count in _divisions(layer.out_h):
                undivided = (y_count, x_count) == (layer.out_h, layer.out_w)
                if y_count * x_count <= self.half and (undivided or not kernel.sliced):
                    yield y_count, x_count

    def _groups(self, kernel: _KernelDivision, positions: int) -> list[int]:
        """Return the choices for the number of output tiles that are stored together."""
        if self.layer.channelwise:
            groups = [ceil_div(kernel.channels, self.width)]
        elif kernel.sliced:     # as many as VECTOR holds parameters for
            groups = [min(self.tiles, self.config.param_channels // self.config.cols)]
        else:
            groups = _divisions(self.tiles)
        if self.output_on_chip:     # smaller groups would only save buffers, and there are none
            groups = groups[:1]
        if len(kernel.passes) > 1:      # the partial sums of a group are in the accumulators
            groups = [group for group in groups if positions * group <= self.half]
        return groups

    def _input_extents(self, kernel: _KernelDivision) -> list[bool]:
        """Return the choices for :attr:`Blocking.whole_input`."""
        if self.input_on_chip or kernel.sliced:
            return [True]
        undivided = len(kernel.passes) == 1 and (
            not self.layer.channelwise or kernel.channels == self.layer.out_c)
        return [False, True] if undivided else [False]

    def _lines(self, kernel: _KernelDivision, positions: int) -> int:
        """Return the number of lines of a tile to load: with few positions, those with weights."""
        config = self.config
        lines = weight_lines(self.layer, kernel.blocks, config)
        size = lines * config.cols
        beats = size // config.bus_bytes if size % config.bus_bytes == 0 \
            else ceil_div(size, config.bus_bytes) + 1
        return lines if positions < config.rows and beats < beats_per_tile(config) \
            else config.rows

    def _blocking(self, kernel: _KernelDivision, y_count: int, x_count: int, lines: int,
                  group: int, whole_input: bool) -> Blocking:
        layer = self.layer
        blocks = layer.batch * ceil_div(layer.out_h, y_count) * ceil_div(layer.out_w, x_count)
        groups = ceil_div(self.tiles, group)
        if whole_input:
            kernel_y, kernel_x, rows, columns = (
                layer.kernel_h, layer.kernel_w, layer.out_h, layer.out_w)
            loads = layer.batch
        else:
            kernel_y, kernel_x, rows, columns = (
                kernel.kernel_y, kernel.kernel_x, y_count, x_count)
            loads = blocks * (groups if layer.channelwise or len(kernel.passes) > 1 else 1)
        loads *= 0 if self.input_on_chip else 1 if kernel.sliced else len(kernel.passes)
        return Blocking(
            kernel_y=kernel.kernel_y, kernel_x=kernel.kernel_x, channels=kernel.channels,
            sliced=kernel.sliced, passes=kernel.passes, y_count=y_count, x_count=x_count,
            lines=lines, group=group, whole_input=whole_input, position_blocks=blocks,
            groups=groups, input_loads=loads, input_on_chip=self.input_on_chip,
            output_on_chip=self.output_on_chip, row_filters=self.row_filters,
            tiles_per_load=tiles_per_load(self.config, kernel.passes, y_count * x_count),
            weights_resident=weights_resident(layer, self.config, kernel.passes, blocks),
            input_height=(rows - 1) * layer.stride_h + (kernel_y - 1) * layer.dilation_h + 1,
            input_width=(columns - 1) * layer.stride_w + (kernel_x - 1) * layer.dilation_w + 1)
