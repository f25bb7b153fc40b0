"""Drains of a layer's accumulators into the scratchpad, and stores of the results."""

from weft.spec.integers import ceil_div

from ..lower.layer import Layer
from ..lower.quantize import average_multiplier
from ..plan.kernel_blocks import tile_width
from ..plan.layer_plan import LayerPlan
from ..plan.resident_tensor import ResidentTensor
from .instruction_stream import InstructionStream
from .parameter_loader import ParameterLoader
from .resident_transfer import store_rectangle
from .step import StepMemory
from .work_items import OutputBlock

__all__ = ["OutputWriter"]

_Range = tuple[int, int]


class OutputWriter:
    """Emitter of the drains and stores of a layer.

    If the output stays on chip, tiles are drained to their final address, and also stored if the
    output has a host address. Otherwise they are drained to output buffers, which are used
    alternately, and stored group by group.

    Parameters
    ----------
    stream : :class:`InstructionStream`
        Stream to which the instructions are appended.
    layer, plan : :class:`Layer`, :class:`LayerPlan`
        Layer and division of its work.
    memory : :class:`StepMemory`
        Memory of the step.
    target : :class:`ResidentTensor` or :class:`None`
        Output in the scratchpad; its pixels may be parts of the layer's output positions.

    Attributes
    ----------
    parameters : :class:`ParameterLoader`
        Emitter of the requantiser parameters.
    """

    def __init__(self, stream: InstructionStream, layer: Layer, plan: LayerPlan,
                 memory: StepMemory, target: ResidentTensor | None) -> None:
        self._stream, self._layer, self._plan = stream, layer, plan
        self._buffers, self._host, self._target = memory.buffers.outputs, memory.host, target
        self.parameters = ParameterLoader(stream, layer, plan, memory.host.constants,
                                          memory.buffers.parameters[0])
        self._width = tile_width(layer, stream.config)
        self._tiles = ceil_div(layer.out_c, self._width)
        # pixels of the resident tensor in one output position
        self._pixels = 1 if target is None else layer.out_c // target.channels
        self._groups = 0

    def drain(self, outputs: OutputBlock, tiles: range, tile: int, acc: int) -> None:
        """Emit the drain of an output tile and, after the last tile of its group, the store.

        Parameters
        ----------
        outputs : :class:`OutputBlock`
            Positions of the outputs.
        tiles : :class:`range`
            Output tiles of the group.
        tile : :class:`int`
            Output tile.
        acc : :class:`int`
            First accumulator row of the tile.
        """
        layer, width = self._layer, self._width
        columns = outputs.x1 - outputs.x0
        channels = min(width, outputs.c1 - tile * width)
        first = tiles[0] * width
        group = min(tiles[-1] * width + width, outputs.c1) - first
        buffer = 0
        if self._target is None:
            buffer = self._buffers[self._groups % len(self._buffers)]
            pixel = group * layer.out_size
            row_pitch = columns * pixel
            address = buffer + (tile * width - first) * layer.out_size
        else:
            pixel, row_pitch = layer.out_c, self._target.row_pitch
            address = self._target.pixel_address(outputs.y0, outputs.x0 * self._pixels) \
                + tile * width
        for (y0, y1), (x0, x1), scale in self._rectangles(outputs):
            if scale is None:
                channel = self.parameters.tile_parameters(tiles, tile, channels)
            else:
                channel = self.parameters.pooling_parameters(channels, scale)
            self._stream.drain(
                mode=int(layer.mode), channels=channels, channel=channel,
                out_addr=address + (y0 - outputs.y0) * row_pitch + (x0 - outputs.x0) * pixel,
                acc_addr=acc + (y0 - outputs.y0) * columns + x0 - outputs.x0, acc_pitch=columns,
                y_count=y1 - y0, y_pitch=row_pitch, x_count=x1 - x0, x_pitch=pixel,
                zero_point=layer.zero_point, clamp_min=layer.clamp_min, clamp_max=layer.clamp_max)
        if tile != tiles[-1]:
            return
        if self._target is None:
            self._store(outputs, buffer, first, group)
        elif self._host.target is not None and tile == self._tiles - 1:
            store_rectangle(self._stream, self._target, self._host.target, outputs.y0, outputs.y1,
                            outputs.x0 * self._pixels, outputs.x1 * self._pixels)
        self._groups += 1
        self.parameters.end_group()

    def _rectangles(self, outputs: OutputBlock) -> list[
            tuple[_Range, _Range, tuple[int, int] | None]]:
        """Return rectangles of positions with their multiplier and shift.

        The windows of an average have fewer elements at the edges of the image, so that their
        divisor differs. A layer with parameters of its own has ``None`` instead of multiplier and
        shift.
        """
        layer = self._layer
        if layer.kind != "average":
            scale = (int(layer.multiplier[0]), int(layer.shift[0])) if layer.pooling else None
            return [((outputs.y0, outputs.y1), (outputs.x0, outputs.x1), scale)]
        rows = _equal_windows(outputs.y0, outputs.y1, layer.stride_h, layer.kernel_h,
                              layer.pad_top, layer.in_h)
        columns = _equal_windows(outputs.x0, outputs.x1, layer.stride_w, layer.kernel_w,
                                 layer.pad_left, layer.in_w)
        return [((y0, y1), (x0, x1), average_multiplier(height * width))
                for y0, y1, height in rows for x0, x1, width in columns]

    def _store(self, outputs: OutputBlock, buffer: int, first: int, group: int) -> None:
        """Store ``group`` channels from channel ``first`` to host memory."""
        layer, stream = self._layer, self._stream
        assert self._host.target is not None, "an output that is not on chip is in host memory"
        size = layer.out_size
        rows, columns = outputs.y1 - outputs.y0, outputs.x1 - outputs.x0
        pixel = layer.out_c * size
        host = self._host.target + first * size + pixel * (
            (outputs.image * layer.out_h + outputs.y0) * layer.out_w + outputs.x0)
        contiguous = columns == layer.out_w or rows == 1
        if group == layer.out_c:
            if contiguous:
                stream.store(host, buffer, rows * columns * pixel)
            else:
                stream.store(host, buffer, columns * pixel, rows, layer.out_w * pixel,
                             columns * pixel)
        elif contiguous:
            stream.store(host, buffer, group * size, rows * columns, pixel, group * size)
        else:
            for row in range(rows):
                stream.store(host + row * layer.out_w * pixel,
                             buffer + row * columns * group * size, group * size, columns, pixel,
                             group * size)


def _equal_windows(start: int, stop: int, stride: int, kernel: int, pad: int,
                   size: int) -> list[tuple[int, int, int]]:
    """Divide positions into ranges whose windows cover the same number of elements.

    The result holds the first position of each range, the position after its last one, and the
    number of elements along this dimension.
    """
    found: list[tuple[int, int, int]] = []
    for position in range(start, stop):
        origin = position * stride - pad
        count = min(origin + kernel, size) - max(origin, 0)
        if found and found[-1][2] == count:
            found[-1] = found[-1][0], position + 1, count
        else:
            found.append((position, position + 1, count))
    return found
