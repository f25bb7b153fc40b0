"""Emission of a planned layer, in an order that is right if executed one by one."""

from collections.abc import Iterator

from weft.spec.integers import ceil_div

from ..lower.layer import Layer
from ..plan.kernel_blocks import pass_grids, tile_width, vector_width
from ..plan.layer_plan import LayerPlan
from ..plan.resident_tensor import ResidentTensor
from .accumulators import AccumulatorAllocator
from .instruction_stream import InstructionStream
from .output_writer import OutputWriter
from .step import StepMemory
from .weight_loader import LoadedPasses, WeightLoader
from .work_items import OutputBlock, WorkItem, work_items

__all__ = ["emit_layer"]

FIRST_PIECES = 4
"""Pieces of the first input block. The array starts when the first piece is loaded."""


def emit_layer(stream: InstructionStream, layer: Layer, plan: LayerPlan, memory: StepMemory,
               source: ResidentTensor | None, target: ResidentTensor | None) -> Iterator[int]:
    """Emit a layer.

    Parameters
    ----------
    stream : :class:`InstructionStream`
        Stream to which the instructions are appended.
    layer, plan : :class:`Layer`, :class:`LayerPlan`
        Layer and division of its work.
    memory : :class:`StepMemory`
        Memory of the step.
    source, target : :class:`ResidentTensor` or :class:`None`
        Input and output in the scratchpad, with the shapes that the layer uses.

    Yields
    ------
    :class:`int`
        After each block of outputs, the number of bytes of the output, from the first one, that
        are complete.
    """
    yield from _LayerEmitter(stream, layer, plan, memory, source, target).run()


class _LayerEmitter:
    def __init__(self, stream: InstructionStream, layer: Layer, plan: LayerPlan,
                 memory: StepMemory, source: ResidentTensor | None,
                 target: ResidentTensor | None) -> None:
        self.stream, self.layer, self.plan = stream, layer, plan
        self.config = stream.config
        self.width = tile_width(layer, self.config)
        self.input_buffers = len(memory.buffers.inputs)
        self.weights = WeightLoader(stream, layer, plan, memory.host.constants, memory.weights)
        self.outputs = OutputWriter(stream, layer, plan, memory, target)
        self.accumulators = AccumulatorAllocator(self.config)
        self.work_items = work_items(layer, plan, self.config, memory, source)

    def run(self) -> Iterator[int]:
        self.outputs.parameters.begin()
        if self.plan.sliced:        # before the weights, whose loads are then merged into one
            self._require(self.work_items[0], self.layer.out_h, self.layer.out_w)
            self.outputs.parameters.load_resident()
        following: WorkItem | None
        for following, item in zip([*self.work_items[1:], None], self.work_items):
            self._emit(item, following)
            if following is None or following.outputs is not item.outputs:
                yield self._complete_bytes(item.outputs)

    def _emit(self, item: WorkItem, following: WorkItem | None) -> None:
        """Emit one item, and the loads for the following one."""
        outputs, tiles = item.outputs, item.tiles
        is_first = item is self.work_items[0]
        packets = self.weights.packets(tiles, item.number)
        if item.divided and item.number == 0:
            self.accumulators.switch_half()
        if not is_first:
            self._require(item, outputs.y1, outputs.x1)
        for number, tile in enumerate(tiles):
            if item.divided:       # partial sums of all tiles stay in one half
                acc = self.accumulators.half_start + number * outputs.positions
            else:
                acc = self.accumulators.allocate(outputs.positions)
            for passes in packets.of(tile):
                if is_first and number == 0:
                    for y0, y1, x0, x1 in self._first_pieces(outputs):
                        self._require(item, y1, x1)
                        self._matmul(item, tile, acc, passes, (y0, y1, x0, x1))
                else:
                    self._matmul(item, tile, acc, passes,
                                 (outputs.y0, outputs.y1, outputs.x0, outputs.x1))
            if is_first and number == 0 and not self.plan.sliced:
                self.outputs.parameters.load_resident()
            if number == 0 and following is not None and (
                    following.input is item.input or self.input_buffers > 1):
                # the input of the next item is loaded before most weights of this one
                self._require(following, following.outputs.y1, following.outputs.x1)
            if item.is_last:
                self.outputs.drain(outputs, tiles, tile, acc)

    def _complete_bytes(self, outputs: OutputBlock) -> int:
        """Return the bytes of the output, from the first one, that are complete after a block."""
        layer = self.layer
        if outputs.c1 < layer.out_c or outputs.c0 > 0:
            return 0
        rows = outputs.image * layer.out_h + (
            outputs.y1 if outputs.x1 == layer.out_w else outputs.y0)
        pixels = rows * layer.out_w
        if layer.out_h == 1:
            pixels = outputs.image * layer.out_w + outputs.x1
        return pixels * layer.out_c * layer.out_size

    def _first_pieces(self, outputs: OutputBlock) -> list[tuple[int, int, int, int]]:
        """Divide the positions of the first block into pieces ``(y0, y1, x0, x1)``."""
        y0, y1, x0, x1 = outputs.y0, outputs.y1, outputs.x0, outputs.x1
        if y1 - y0 > 1:
            size = ceil_div(y1 - y0, FIRST_PIECES)
            return [(y, min(y + size, y1), x0, x1) for y in range(y0, y1, size)]
        size = max(ceil_div(x1 - x0, FIRST_PIECES), self.config.rows)
        return [(y0, y1, x, min(x + size, x1)) for x in range(x0, x1, size)]

    def _require(self, item: WorkItem, y1: int, x1: int) -> None:
        """Load the input of all positions before row ``y1``, or before ``x1`` of a single row."""
        layer, block, source = self.layer, item.kernel, item.input
        if source.single_row:
            last = (x1 - 1) * layer.stride_w - layer.pad_left \
                + (block.x1 - 1) * layer.dilation_w - source.x
        else:
            last = (y1 - 1) * layer.stride_h - layer.pad_top \
                + (block.y1 - 1) * layer.dilation_h - source.y
        source.require(self.stream, last + 1)

    def _matmul(self, item: WorkItem, tile: int, acc: int, passes: LoadedPasses,
                positions: tuple[int, int, int, int]) -> None:
        """Emit the MATMULs for some passes of a tile over a rectangle of positions."""
        layer, config, plan = self.layer, self.config, self.plan
        source, block, outputs = item.input, item.kernel, item.outputs
        y0, y1, x0, x1 = positions
        acc += (y0 - outputs.y0) * (outputs.x1 - outputs.x0) + x0 - outputs.x0
        origin, channels = self._origin(item, tile, y0, x0)
        done = 0
        for grid in pass_grids(layer, block, source.row_pitch, vector_width(layer, config),
                               pixel=source.channels, row_filters=plan.row_filters):
            for row, rows, chunk, chunks in passes.rectangles(done, grid.rows, grid.chunks):
                number = done + row * grid.chunks + chunk
                is_last_chunk = chunk + chunks == grid.chunks
                used = channels if layer.channelwise else grid.tail if is_last_chunk \
                    else config.rows
                filters = {"depthwise": 1, "lead": grid.lead} if plan.row_filters else {}
                self.stream.matmul(
                    overread=config.rows - used, maximum=int(layer.maximum),
                    accumulate=int(item.number > 0 or number > 0),
                    hold=int(layer.pooling), blank=config.rows - plan.lines, **filters,
                    act_addr=origin + grid.offset + row * grid.row_pitch
                    + chunk * grid.chunk_pitch,
                    acc_addr=acc, wgt_addr=passes.buffer_tile(number), row_count=rows,
                    row_pitch=grid.row_pitch, chunk_count=chunks, chunk_pitch=grid.chunk_pitch,
                    y_count=y1 - y0, y_pitch=layer.stride_h * source.row_pitch, x_count=x1 - x0,
                    x_pitch=layer.stride_w * source.channels)
            done += grid.passes

    def _origin(self, item: WorkItem, tile: int, y: int, x: int) -> tuple[int, int]:
        """Return the address of the first vector for a position, and the channels of the tile.

        The number of channels is that of the inputs of a channelwise layer's tile.
        """
        layer, source, block = self.layer, item.input, item.kernel
        row = y * layer.stride_h - layer.pad_top + block.y0 * layer.dilation_h - source.y
        column = x * layer.stride_w - layer.pad_left + block.x0 * layer.dilation_w - source.x
        origin = source.address + row * source.row_pitch + column * source.channels
        if layer.channelwise:
            depth = layer.depth_multiplier
            first = tile * self.width // depth
            last = (min(tile * self.width + self.width, item.outputs.c1) - 1) // depth
            return origin + first - source.c0, last - first + 1
        return origin + (block.c0 if self.plan.sliced else 0), 0
