"""Order of the work of a layer: blocks of outputs, groups of output tiles, blocks of the kernel."""

import dataclasses
from collections.abc import Iterator

from weft.spec.config import Config
from weft.spec.integers import ceil_div

from ..lower.layer import Layer
from ..plan.kernel_blocks import KernelBlock, divide_kernel, tile_width
from ..plan.layer_plan import LayerPlan
from ..plan.resident_tensor import ResidentTensor
from .input_buffer import InputBuffer, LayerInput, ResidentInput
from .step import StepMemory

__all__ = ["OutputBlock", "WorkItem", "work_items"]


@dataclasses.dataclass(frozen=True)
class OutputBlock:
    """Block of output positions and, in a channelwise layer, of channels.

    Attributes
    ----------
    image : :class:`int`
        Number of the image.
    y0, y1, x0, x1, c0, c1 : :class:`int`
        Rows, columns and channels of the block, ends excluded.
    kernel : tuple of :class:`KernelBlock`
        Blocks of the kernel that contribute to the outputs.
    """

    image: int
    y0: int
    y1: int
    x0: int
    x1: int
    c0: int
    c1: int
    kernel: tuple[KernelBlock, ...]

    @property
    def positions(self) -> int:
        """Number of positions."""
        return (self.y1 - self.y0) * (self.x1 - self.x0)


@dataclasses.dataclass
class WorkItem:
    """Work for one group of output tiles and one block of the kernel.

    Attributes
    ----------
    outputs : :class:`OutputBlock`
        Outputs to which the work contributes.
    tiles : :class:`range`
        Output tiles of the group.
    number : :class:`int`
        Number of the block of the kernel.
    input : :class:`LayerInput`
        Input that the block of the kernel reads.
    """

    outputs: OutputBlock
    tiles: range
    number: int
    input: LayerInput

    @property
    def kernel(self) -> KernelBlock:
        """Block of the kernel."""
        return self.outputs.kernel[self.number]

    @property
    def divided(self) -> bool:
        """True if the kernel is divided into several blocks, whose partial sums are added up."""
        return len(self.outputs.kernel) > 1

    @property
    def is_last(self) -> bool:
        """True if the block of the kernel completes the outputs of the group."""
        return self.number == len(self.outputs.kernel) - 1


def work_items(layer: Layer, plan: LayerPlan, config: Config, memory: StepMemory,
               source: ResidentTensor | None) -> list[WorkItem]:
    """Return the work of a layer, in the order of execution.

    Parameters
    ----------
    layer, plan : :class:`Layer`, :class:`LayerPlan`
        Layer and division of its work.
    config : :class:`weft.spec.config.Config`
        Configuration that executes it.
    memory : :class:`StepMemory`
        Memory of the step.
    source : :class:`ResidentTensor` or :class:`None`
        Input in the scratchpad, with the shape that the layer reads.
    """
    width = tile_width(layer, config)
    found: list[WorkItem] = []
    buffers = 0
    current: tuple[object, LayerInput] | None = None
    for outputs in _output_blocks(layer, plan):
        start, stop = outputs.c0 // width, ceil_div(outputs.c1, width)
        for first in range(start, stop, plan.group):
            for number in range(len(outputs.kernel)):
                # one input serves all groups if the kernel is not divided, and all blocks of an
                # image if the whole input is loaded
                key: object = (outputs, first, number)
                if plan.whole_input:
                    key = (outputs.image, 0 if plan.sliced else number)
                elif len(outputs.kernel) == 1:
                    key = (outputs, number)
                if current is None or current[0] != key:
                    current = key, _input(layer, plan, memory, source, outputs, number, buffers)
                    buffers += 1
                found.append(WorkItem(outputs, range(first, min(first + plan.group, stop)),
                                       number, current[1]))
    return found


def _output_blocks(layer: Layer, plan: LayerPlan) -> Iterator[OutputBlock]:
    for image in range(layer.batch):
        for c0 in range(0, layer.out_c, plan.channels if layer.channelwise else layer.out_c):
            c1, channels = layer.out_c, plan.channels
            if layer.channelwise:
                c1 = min(c0 + plan.channels, layer.out_c)
                channels = c1 - c0
            kernel = tuple(divide_kernel(layer, plan.kernel_y, plan.kernel_x, channels))
            for y0 in range(0, layer.out_h, plan.y_count):
                for x0 in range(0, layer.out_w, plan.x_count):
                    yield OutputBlock(image, y0, min(y0 + plan.y_count, layer.out_h), x0,
                                      min(x0 + plan.x_count, layer.out_w), c0, c1, kernel)


def _input(layer: Layer, plan: LayerPlan, memory: StepMemory, source: ResidentTensor | None,
           outputs: OutputBlock, number: int, buffers: int) -> LayerInput:
    """Return the input that block ``number`` of the kernel reads.

    ``buffers`` is the number of inputs of earlier work items, and selects the buffer.
    """
    if source is not None:
        return ResidentInput(source)
    block = outputs.kernel[number]
    addresses = memory.buffers.inputs
    y0, y1, x0, x1 = (0, layer.out_h, 0, layer.out_w) if plan.whole_input else (
        outputs.y0, outputs.y1, outputs.x0, outputs.x1)
    c0, channels = (0, layer.in_c) if plan.sliced else (block.c0, block.channels)
    return InputBuffer(
        layer=layer, address=addresses[buffers % len(addresses)],
        image=memory.host.source(0) + outputs.image * layer.in_h * layer.in_w * layer.in_c,
        y=y0 * layer.stride_h - layer.pad_top + block.y0 * layer.dilation_h,
        x=x0 * layer.stride_w - layer.pad_left + block.x0 * layer.dilation_w,
        height=(y1 - y0 - 1) * layer.stride_h + (block.y1 - block.y0 - 1) * layer.dilation_h + 1,
        width=(x1 - x0 - 1) * layer.stride_w + (block.x1 - block.x0 - 1) * layer.dilation_w + 1,
        c0=outputs.c0 if layer.channelwise else c0, channels=channels)
