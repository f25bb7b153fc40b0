"""A planned layer to instructions, in an order that is right one after the other."""

import dataclasses

from ..plan import kernel_blocks
from ..plan.kernel_blocks import tile_width
from .input_buffer import Region, Resident
from .output_writer import Outputs
from .weight_loader import Weights

__all__ = ["Place", "generate", "layer_constants"]

RAMP = 4
"""Pieces of the first input block: the array starts when the first of them is there."""


@dataclasses.dataclass(frozen=True)
class Place:
    """Host addresses of a layer: input and output in tensor memory, its constants.

    An input that is on chip has none; neither has an output that only stays there.
    """

    source: int | None
    target: int | None
    constants: int


@dataclasses.dataclass(frozen=True)
class _Work:
    """One block of output positions and, for a channelwise layer, of channels."""

    image: int
    y0: int
    y1: int
    x0: int
    x1: int
    c0: int
    c1: int
    parts: tuple

    @property
    def positions(self):
        return (self.y1 - self.y0) * (self.x1 - self.x0)


@dataclasses.dataclass
class _Step:
    """All that is computed while one group of outputs meets one block of the kernel."""

    work: _Work
    tiles: range
    part: int
    region: Region


def layer_constants(layer, plan, config):
    """The bytes of a layer's constants: parameters of each output tile, then weights."""
    return Weights.constants(layer, plan, config)


def generate(stream, layer, plan, place, ring, regions, source=None, target=None):
    """Emit a layer.

    Parameters
    ----------
    stream : :class:`Stream`
        Where the instructions go.
    layer, plan : :class:`Layer`, :class:`Plan`
        What to compute, and how it is cut.
    place : :class:`Place`
        Host addresses.
    ring : :class:`WeightRing`
        Where weights go.
    regions : :class:`Regions`
        Buffers in the scratchpad.
    source, target : :class:`Home` or :class:`None`
        Where in the scratchpad the input is and the output stays.

    Yields
    ------
    :class:`int`
        Now and then, how many bytes of the output, from the first on, have been made.
    """
    yield from _Generator(stream, layer, plan, place, ring, regions, source, target).run()


class _Generator:
    def __init__(self, stream, layer, plan, place, ring, regions, source, target):
        self.stream, self.layer, self.plan, self.place = stream, layer, plan, place
        self.config = stream.config
        self.width = tile_width(layer, self.config)
        self.regions, self.source = regions, source
        self.weights = Weights(stream, layer, plan, place, ring)
        self.outputs = Outputs(stream, layer, plan, place, regions, target)
        self.steps = self._steps()

    # what there is to do

    def _works(self):
        layer, plan = self.layer, self.plan
        groups = range(0, layer.out_c, plan.channels) if layer.channelwise else (0,)
        for image in range(layer.batch):
            for c0 in groups:
                c1 = min(c0 + plan.channels, layer.out_c) if layer.channelwise else layer.out_c
                parts = tuple(kernel_blocks.blocks(layer, plan.kernel_y, plan.kernel_x,
                                            c1 - c0 if layer.channelwise else plan.channels))
                for y0 in range(0, layer.out_h, plan.y_count):
                    for x0 in range(0, layer.out_w, plan.x_count):
                        yield _Work(image, y0, min(y0 + plan.y_count, layer.out_h), x0,
                                    min(x0 + plan.x_count, layer.out_w), c0, c1, parts)

    def _steps(self):
        steps, regions, last = [], 0, None
        for work in self._works():
            start, tiles = work.c0 // self.width, -(-work.c1 // self.width)
            for first in range(start, tiles, self.plan.group):
                for part in range(len(work.parts)):
                    # the same input serves all groups if the kernel is not cut, and all blocks
                    # of an image if the whole input is held
                    key = (work.image, part * (not self.plan.sliced)) if self.plan.whole else \
                        (work, part) if len(work.parts) == 1 else (work, first, part)
                    if last is None or last[0] != key:
                        last = key, self._region(work, work.parts[part], regions)
                        regions += 1
                    steps.append(_Step(work, range(first, min(first + self.plan.group, tiles)),
                                       part, last[1]))
        return steps

    def _region(self, work, part, number):
        layer = self.layer
        if self.source is not None:
            return Resident(self.source)
        address = self.regions.act[number % len(self.regions.act)]
        y0, y1, x0, x1 = (0, layer.out_h, 0, layer.out_w) if self.plan.whole else (
            work.y0, work.y1, work.x0, work.x1)
        image = self.place.source + work.image * layer.in_h * layer.in_w * layer.in_c
        c0, channels = (0, layer.in_c) if self.plan.sliced else (part.c0, part.channels)
        return Region(
            layer, address, image,
            y0 * layer.stride_h - layer.pad_top + part.y0 * layer.dilation_h,
            x0 * layer.stride_w - layer.pad_left + part.x0 * layer.dilation_w,
            (y1 - y0 - 1) * layer.stride_h + (part.y1 - part.y0 - 1) * layer.dilation_h + 1,
            (x1 - x0 - 1) * layer.stride_w + (part.x1 - part.x0 - 1) * layer.dilation_w + 1,
            work.c0 if layer.channelwise else c0, channels)

    # the order of it

    def run(self):
        self.outputs.begin()
        if self.plan.sliced:        # before the weights, whose loads then are one instruction
            self._require(self.steps[0], self.layer.out_h, self.layer.out_w)
            self.outputs.parameters()
        for index, step in enumerate(self.steps):
            first = index == 0
            following = self.steps[index + 1] if index + 1 < len(self.steps) else None
            packets = self.weights.step(step.tiles, step.part)
            base = self.outputs.accumulators(step.work.positions, step.tiles, step.part,
                                             len(step.work.parts))
            if not first:
                self._require(step, step.work.y1, step.work.x1)
            for number, tile in enumerate(step.tiles):
                acc = self.outputs.row(base, tile - step.tiles[0], step.work.positions,
                                       len(step.work.parts))
                for passes in packets.of(tile):
                    if first and number == 0:
                        for y0, y1, x0, x1 in self._ramp(step.work):
                            self._require(step, y1, x1)
                            self._matmul(step, tile, acc, passes, (y0, y1, x0, x1))
                    else:
                        work = step.work
                        self._matmul(step, tile, acc, passes,
                                     (work.y0, work.y1, work.x0, work.x1))
                if first and number == 0 and not self.plan.sliced:
                    self.outputs.parameters()
                if number == 0 and following is not None and (
                        following.region is step.region or len(self.regions.act) > 1):
                    # loads of the next block go in front of most weights of this one
                    self._require(following, following.work.y1, following.work.x1)
                if step.part == len(step.work.parts) - 1:
                    self.outputs.drain(step.work, step.tiles, tile, acc)
            if following is None or following.work is not step.work:
                yield self._made(step.work)

    def _made(self, work):
        """Bytes of the output, from the first on, that are there when ``work`` is done."""
        layer = self.layer
        if work.c1 < layer.out_c:
            return 0
        rows = work.image * layer.out_h + (work.y1 if work.x1 == layer.out_w else work.y0)
        pixels = rows * layer.out_w
        if layer.out_h == 1 and work.c0 == 0:
            pixels = work.image * layer.out_w + work.x1
        return pixels * layer.out_c * layer.out_size if work.c0 == 0 else 0

    def _ramp(self, work):
        """Pieces of the first block, as positions."""
        rows, columns = work.y1 - work.y0, work.x1 - work.x0
        if rows > 1:
            size = -(-rows // RAMP)
            return [(y, min(y + size, work.y1), work.x0, work.x1)
                    for y in range(work.y0, work.y1, size)]
        size = max(-(-columns // RAMP), self.config.rows)
        return [(work.y0, work.y1, x, min(x + size, work.x1))
                for x in range(work.x0, work.x1, size)]

    def _require(self, step, y1, x1):
        """Load what positions before row ``y1`` (in one row: before column ``x1``) read."""
        layer, part, region = self.layer, step.work.parts[step.part], step.region
        if region.along_x:
            last = (x1 - 1) * layer.stride_w - layer.pad_left \
                + (part.x1 - 1) * layer.dilation_w - region.x
        else:
            last = (y1 - 1) * layer.stride_h - layer.pad_top \
                + (part.y1 - 1) * layer.dilation_h - region.y
        region.require(self.stream, last + 1)

    def _matmul(self, step, tile, acc, passes, block):
        """MATMULs of some passes of a tile over a rectangle of positions."""
        layer, config, region, work = self.layer, self.config, step.region, step.work
        part = work.parts[step.part]
        y0, y1, x0, x1 = block
        y_pitch, x_pitch = layer.stride_h * region.row_pitch, layer.stride_w * region.channels
        origin = region.address
        origin += (y0 * layer.stride_h - layer.pad_top + part.y0 * layer.dilation_h - region.y) \
            * region.row_pitch
        origin += (x0 * layer.stride_w - layer.pad_left + part.x0 * layer.dilation_w - region.x) \
            * region.channels
        acc += (y0 - work.y0) * (work.x1 - work.x0) + x0 - work.x0
        tail = None
        if layer.channelwise:
            depth = layer.depth_multiplier
            first, last = tile * self.width, min(tile * self.width + self.width, work.c1) - 1
            origin += first // depth - region.c0
            tail = last // depth - first // depth + 1
        elif self.plan.sliced:
            origin += part.c0
        done = 0
        width = self.width if layer.channelwise else config.rows
        for run in kernel_blocks.runs(layer, part, region.row_pitch, width, pixel=region.channels,
                               filtered=self.plan.filtered):
            for row, rows, chunk, chunks in passes.within(done, run.rows, run.chunks):
                last = chunk + chunks == run.chunks
                used = tail if layer.channelwise else run.tail if last else config.rows
                self.stream.matmul(
                    surplus=config.rows - used, maximum=int(layer.maximum),
                    accumulate=int(step.part > 0 or done + row * run.chunks + chunk > 0),
                    hold=int(layer.pooling), blank=config.rows - self.plan.lines,
                    **_filter(run, self.plan),
                    act_addr=origin + run.offset + row * run.row_pitch + chunk * run.chunk_pitch,
                    acc_addr=acc, wgt_addr=passes.address(done + row * run.chunks + chunk),
                    row_count=rows, row_pitch=run.row_pitch, chunk_count=chunks,
                    chunk_pitch=run.chunk_pitch, y_count=y1 - y0, y_pitch=y_pitch,
                    x_count=x1 - x0, x_pitch=x_pitch)
            done += run.tiles


def _filter(run, plan):
    return {"depthwise": 1, "lead": run.lead} if plan.filtered else {}
