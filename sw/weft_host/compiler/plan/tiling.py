"""Cuts a layer to the sizes of the on-chip memories, by estimated time."""

import dataclasses

from ..steps.instruction_stream import MOST
from ..verdict import CapacityError
from . import cost, kernel_blocks
from .kernel_blocks import tile_width
from .layer_plan import Plan, align, param_block

__all__ = ["plan_layer"]

OVERLAP_LOSS = 10
"""One cycle in so many of the units that are not the slowest is lost by waiting for each other."""
SHORT_LOAD = 64
"""Beats of a load that hides the one before it and what is between them."""
END_HIDDEN = 4
"""With so many blocks hardly anything of the last one's end is waited for by the next layer."""


def _parts(size):
    """Sizes that cut ``size`` into 1, 2, 3, ... about equal parts, largest first."""
    counts = [*range(1, 17), 20, 24, 28, 32, 40, 48, 64, 96, 128, 192, 256, 384, 512, 1024, size]
    return sorted({-(-size // count) for count in counts if count <= size}, reverse=True)


def plan_layer(layer, config, *, budget=None, fed=False, kept=False):
    """The :class:`Plan` of least estimated time.

    Parameters
    ----------
    layer, config : :class:`Layer`, :class:`weft.spec.config.Config`
        What runs on what.
    budget : :class:`int` or :class:`None`
        Bytes of scratchpad for buffers and parameters; ``None`` is all of it.
    fed, kept : :class:`bool`
        The whole input is there already; the output has a place in the scratchpad. Both are
        outside the budget.

    Raises
    ------
    CapacityError
        If not even the smallest piece of the layer fits.
    """
    budget = config.spad_bytes if budget is None else budget
    search = _Search(layer, config, budget, fed, kept)
    best = None
    for kernel_y, kernel_x, channels in search.kernels():
        found = search.positions(kernel_y, kernel_x, channels)
        if found is not None and (best is None or found.cycles < best.cycles):
            best = found
        if found is not None and found.sliced:
            return found
        whole_kernel = (kernel_y, kernel_x) == (layer.kernel_h, layer.kernel_w) and (
            channels == layer.in_c or layer.channelwise)
        # cutting the kernel costs reloads: only when whole kernels leave the array idle
        if best is not None and whole_kernel and not fed and search.is_good(best):
            break
    if best is None:
        raise CapacityError(
            f"layer {layer.name} ({layer.describe()}) does not fit {config.name}: its smallest "
            f"piece needs {search.least} bytes of scratchpad, there are {budget}")
    return best


class _Search:
    def __init__(self, layer, config, budget, fed, kept):
        self.layer, self.config, self.budget = layer, config, budget
        self.fed, self.kept = fed, kept
        self.filtered = kernel_blocks.filters(layer, config)
        self.width = tile_width(layer, config)
        self.tiles = -(-layer.out_c // self.width)
        self.half = config.acc_rows // 2
        self.wgt_tiles = min(config.wgt_tiles, MOST)
        self.least = 1 << 62
        # With few positions weights are all that counts, and the array keeps pace with them at
        # best. What is left to do behind the last load, and what the next layer waits for, is
        # little in slices of so many channels; those of neighbouring tiles are one instruction.
        self.tile_beats = -(-config.tile_bytes // config.bus_bytes)
        self.slice = config.rows * max(1, min(-(-SHORT_LOAD // self.tile_beats),
                                              self.wgt_tiles // 4))
        self.may_slice = (layer.pointwise and not layer.channelwise and layer.in_c > self.slice
                          and layer.out_h * layer.out_w < config.rows)

    def kernels(self):
        """Blocks of the kernel to try, from whole to single taps."""
        layer, config = self.layer, self.config
        if self.may_slice:
            yield 1, 1, self.slice
        if self.fed:        # nothing is loaded, so nothing is gained by cutting
            yield layer.kernel_h, layer.kernel_w, layer.out_c if layer.channelwise else layer.in_c
            # tile by tile, each with its parameters read once
            if layer.channelwise and layer.depth_multiplier == 1 and layer.out_c > self.width:
                yield layer.kernel_h, layer.kernel_w, self.width
            return
        if layer.channelwise and layer.depth_multiplier > 1:
            depths = [layer.out_c]
        elif layer.channelwise:
            depths = [min(size * self.width, layer.out_c) for size in _parts(self.tiles)]
        else:
            chunks = -(-layer.in_c // config.rows)
            depths = [min(size * config.rows, layer.in_c) for size in _parts(chunks)]
        taps = []
        for y in _parts(layer.kernel_h):
            taps += [(y, layer.kernel_w)]
        taps += [(1, x) for x in _parts(layer.kernel_w)[1:]]
        for depth in depths:
            yield layer.kernel_h, layer.kernel_w, depth
        for y, x in taps[1:]:
            for depth in depths:
                yield y, x, depth

    def is_good(self, plan):
        """The array waits for nothing but its first operands."""
        positions = plan.y_count * plan.x_count
        wanted = min(self.layer.out_h * self.layer.out_w,
                     2 * max(self.config.rows, self.config.tile_bytes // self.config.bus_bytes))
        return plan.act_regions * plan.out_regions >= 1 and positions >= min(wanted, self.half)

    def positions(self, kernel_y, kernel_x, channels):
        """The best plan with this block of the kernel."""
        if max(kernel_y, kernel_x) > MOST:
            return None
        layer = self.layer
        parts = kernel_blocks.blocks(layer, kernel_y, kernel_x, channels)
        passes = [sum(run.tiles for run in kernel_blocks.runs(
            layer, part, 1, self.width if layer.channelwise else self.config.rows,
            filtered=self.filtered)) for part in parts]
        best = None
        for x_count in _parts(layer.out_w):
            if x_count > self.half or self._slices(channels) and x_count < layer.out_w:
                continue
            for y_count in _parts(layer.out_h):
                if y_count * x_count > self.half or self._slices(channels) \
                        and y_count < layer.out_h:
                    continue
                for found in self.plans(passes, kernel_y, kernel_x, channels, y_count, x_count,
                                        self._lines(parts, y_count * x_count)):
                    if best is None or found.cycles < best.cycles:
                        best = found
        return best

    def _slices(self, channels):
        return self.may_slice and channels == self.slice

    def _lines(self, parts, positions):
        """Lines of a tile to load: with few positions, only those that are not all zeros."""
        config = self.config
        found = kernel_blocks.lines(self.layer, parts, config)
        size = found * config.cols
        beats = size // config.bus_bytes if size % config.bus_bytes == 0 \
            else -(-size // config.bus_bytes) + 1
        return found if positions < config.rows and beats < self.tile_beats else config.rows

    def plans(self, passes, kernel_y, kernel_x, channels, y_count, x_count, lines):
        """Plans with these blocks, for every grouping of outputs that fits."""
        layer, config = self.layer, self.config
        positions = y_count * x_count
        rect = [self._rect(layer, kernel_y, kernel_x, y_count, x_count)]
        one_part = len(passes) == 1 and (not layer.channelwise or channels == layer.out_c)
        sliced = self._slices(channels)
        if one_part or self.fed or sliced:
            rect.append(self._rect(layer, layer.kernel_h, layer.kernel_w, layer.out_h,
                                   layer.out_w))
        if layer.channelwise:
            groups = [-(-channels // self.width)]
        elif sliced:        # as many as VECTOR has parameters of
            groups = [min(self.tiles, config.param_channels // config.cols)]
        else:
            groups = _parts(self.tiles)
        block = param_block(layer, config)
        count = layer.batch * -(-layer.out_h // y_count) * -(-layer.out_w // x_count)
        for group in groups:
            if len(passes) > 1 and positions * group > self.half:
                continue
            out_c = min(group * self.width, channels if layer.channelwise else layer.out_c)
            if self.kept and group < groups[0]:     # a group has no buffer to save
                continue
            out = 0 if self.kept else align(positions * out_c * layer.out_size, config)
            ogroups = -(-self.tiles // group)
            outs = ogroups if sliced else 2 if count * ogroups > 1 else 1
            pixel = layer.in_c if sliced or layer.channelwise and layer.depth_multiplier > 1 \
                else channels
            for whole, (height, width) in enumerate(rect):
                if (self.fed or sliced) and not whole:
                    continue
                act = 0 if self.fed else align(
                    height * width * pixel + config.rows + self.filtered * pixel, config)
                loads = layer.batch if whole else count * (
                    ogroups if layer.channelwise else 1 if len(passes) == 1 else ogroups)
                loads *= 0 if self.fed else 1 if sliced else len(passes)
                for acts in (2, 1) if loads > 1 else (1,):
                    for out_regions in (outs, 1) if outs > 1 else (1,):
                        # parameters of the whole layer, or of two groups
                        for resident in (True, False) if ogroups > 2 else (True,):
                            params = align(block * self.tiles, config) if resident \
                                else 2 * align(block * group, config)
                            if layer.pooling:
                                params = align(block, config)
                            need = acts * act + out_regions * out + params
                            self.least = min(self.least, need)
                            if need > self.budget:
                                continue
                            plan = Plan(
                                kernel_y=kernel_y, kernel_x=kernel_x, channels=channels,
                                y_count=y_count, x_count=x_count, group=group, whole=bool(whole),
                                act_regions=acts, out_regions=out_regions, act_bytes=act,
                                out_bytes=out, param_bytes=params, params_resident=resident,
                                weights_resident=False, packet=1, fed=self.fed, kept=self.kept,
                                filtered=self.filtered, sliced=sliced, lines=lines)
                            yield self.timed(plan, passes, count, ogroups, (height, width), loads)

    @staticmethod
    def _rect(layer, kernel_y, kernel_x, y_count, x_count):
        return ((y_count - 1) * layer.stride_h + (kernel_y - 1) * layer.dilation_h + 1,
                (x_count - 1) * layer.stride_w + (kernel_x - 1) * layer.dilation_w + 1)

    def timed(self, plan, passes, count, ogroups, rect, loads):
        """The plan with its weights' handling and its estimated cycles."""
        layer, config = self.layer, self.config
        positions = plan.y_count * plan.x_count
        total = sum(passes)
        # to use them once they need not all be there at the same time
        resident = layer.pooling or count > 1 and total * self.tiles <= self.wgt_tiles
        bound = positions < 2 * config.tile_bytes // config.bus_bytes
        packet = max(1, self.wgt_tiles // (4 if bound else 2))
        if positions < config.rows:
            # loads of one tile each: they become one instruction, and so do its MATMULs
            few = max(passes) * self.tile_beats < SHORT_LOAD
            packet = min(packet, -(-2 * SHORT_LOAD // self.tile_beats) if few else max(passes))
        pieces = self.tiles * sum(-(-part // packet) for part in passes)
        # everything for one block of positions, then for all of them
        vectors = positions
        if self.filtered:
            phases = min(layer.stride_w, layer.kernel_w)
            vectors += plan.y_count * (-(-layer.kernel_w // phases) - 1)
        least = cost.HELD_PASS if layer.pooling else config.rows
        matmul = self.tiles * total * max(least, vectors) + pieces * cost.MATMUL_GAP
        params = 0 if layer.pooling else self.tiles * cost.params_cycles(
            self.width, per_channel=layer.per_channel)
        vector = self.tiles * cost.drain_cycles(config, positions, self.width, layer.out_size)
        store = ogroups * cost.COPY_START + positions * (
            -(-min(plan.group * self.width, layer.out_c) * layer.out_size // config.bus_bytes)
            + (1 if ogroups > 1 else 0))
        if plan.kept:
            store = 0
        act_load = 0 if plan.fed else cost.copy_cycles(config, rect[0], rect[1] * plan.channels)
        if not (plan.fed or plan.sliced) and plan.channels < layer.in_c:    # pixel by pixel
            act_load = min(rect) * cost.COPY_START + rect[0] * rect[1] * (
                -(-plan.channels // config.bus_bytes) + 1)
        if not plan.fed and (layer.pad_top or layer.pad_left):
            act_load += 4 * cost.FILL_START
        weights = 0 if layer.pooling else self.tiles * total * self.tile_beats + pieces * 4
        load = loads * act_load + weights * (1 if resident else count)
        if not plan.params_resident:
            load += count * ogroups * 2 * cost.COPY_START
        matmul, vector, store = matmul * count, vector * count, store * count
        # a tile's parameters are read again when another tile's have been
        groups = -(-layer.out_c // plan.channels) if layer.channelwise else 1
        vector += params * (1 if self.tiles == groups else count)
        if plan.act_regions == 1 and loads > 1:
            matmul += loads * act_load
        if plan.out_regions == 1 and count * ogroups > 1:
            vector += store
        instructions = loads * (1 + 2 * bool(layer.pad_top)) + count * (
            ogroups + self.tiles * 2 + pieces * (1 if resident else 2))
        # the first operands, in pieces, before; the last group of results after
        start = 0 if plan.fed else \
            act_load // 4 + min(packet, passes[0]) * config.tile_bytes // config.bus_bytes
        end = vector // (count * self.tiles) + store // (count * ogroups) + cost.MATMUL_END \
            + config.rows + config.cols // 2
        if plan.kept:       # the next layer begins behind the first blocks
            end //= min(count, END_HIDDEN)
        work = load, matmul, vector, store, cost.FETCH * instructions
        # what is not the longest gets in its way now and then
        cycles = max(work) + (sum(work) - max(work)) // OVERLAP_LOSS + start + end
        return dataclasses.replace(plan, weights_resident=resident, packet=packet,
                                   cycles=int(cycles))
