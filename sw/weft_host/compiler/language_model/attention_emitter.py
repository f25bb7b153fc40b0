"""Instructions of the attention of a layer over the cache."""

import dataclasses
import itertools
from collections.abc import Sequence

from weft.spec.fixed_point_instructions import Scale
from weft.spec.step_instructions import MOST_STEP_COUNT

from ..verdict import CapacityError
from .builder import HostArea, ProgramBuilder, Scratchpad
from .cache_layout import CacheLayout
from .parts import Part
from .projection import Planes
from .softmax_emitter import SoftmaxEmitter
from .step_values import BLOCK, CacheBlock, Existence, StepRegisters
from .vectors import VectorEmitter

__all__ = ["AttentionEmitter"]

_LONG = 384             # scores of a head that are worth instructions of their own

Fields = dict[str, int]
Counted = tuple[int, Fields]        # largest count, and fields


@dataclasses.dataclass(frozen=True)
class _Heads:
    """Heads of keys of a layer, address of the first query, and shifts of the numerics."""

    layer: int
    numbers: range
    queries: int
    score_shifts: Sequence[int]
    sum_shift: int


class AttentionEmitter:
    """Appends the instructions of attention, block by block for all heads.

    Parameters
    ----------
    builder : :class:`ProgramBuilder`
    vectors : :class:`VectorEmitter`
    scratchpad : :class:`Scratchpad`
    registers : :class:`StepRegisters`
    cache : :class:`CacheLayout`
    group : :class:`int`
        Query heads that share a key.
    together : :class:`int`
        Heads of keys whose attention is computed at the same time, a divisor of their number.
    """

    def __init__(self, builder: ProgramBuilder, vectors: VectorEmitter, scratchpad: Scratchpad,
                 registers: StepRegisters, cache: CacheLayout, group: int,
                 together: int) -> None:
        self.builder, self.registers, self.cache, self.together = (
            builder, registers, cache, together)
        self.shape, self.group = cache.shape, group
        config = builder.config
        self.softmax = SoftmaxEmitter(vectors, scratchpad, registers, cache.shape, together,
                                      group)
        # scores of as many position tiles as fit into half of the accumulators
        self.key_part = min(self.shape.key_tiles, config.acc_rows // 2 // (2 * group))
        # groups of elements of the values of as many heads, or of a part of one head
        groups, fitting = self.shape.groups, min(config.acc_rows // 2 // (2 * group),
                                                 MOST_STEP_COUNT)
        self._value_part = min(together, fitting // groups) * groups or fitting
        # The array multiplies the keys of a block during the softmax of the block before, if the
        # accumulators hold both, and a part that does not fit at their end.
        keys, values = (2 * group * together * tiles
                        for tiles in (self.shape.key_tiles, self.shape.groups))
        largest = 2 * group * max(self.key_part, self._value_part)
        self._ahead = keys + values + largest <= config.acc_rows
        if self.key_part < 1:
            raise CapacityError(
                f"{group} query heads that share a key need more than half of the "
                f"{config.acc_rows} accumulator rows of {config.name}; choose a larger preset")
        if self.shape.chunks > config.wgt_tiles:
            raise CapacityError(
                f"heads of {self.shape.head_size} elements need more than the {config.wgt_bytes} "
                f"bytes of weight buffer of {config.name}; choose a larger preset, or --set "
                "wgt_bytes")

    def begin(self) -> None:
        """Append what a step needs once: weights of positions that do not exist are zero."""
        self.builder.add("FILL", count=1, local_addr=self.softmax.weight_planes,
                         bytes=self.softmax.weight_bytes * min(self.shape.blocks, 2))

    def attend(self, layer: int, queries: int, score_shifts: Sequence[int], sum_shift: int,
               out: Planes) -> None:
        """Append the attention of all heads of a layer.

        Parameters
        ----------
        layer : index of the layer.
        queries : address of the first query, two planes of each one after the other.
        score_shifts : shift of the scores of each head of keys.
        sum_shift : shift of the numerics.
        out : planes of the outputs of all query heads.
        """
        for first in range(0, self.cache.heads, self.together):
            heads = range(first, first + self.together)
            before = self.group * self.shape.head_size * first
            self._attend(_Heads(layer, heads, queries, score_shifts, sum_shift),
                         Planes(out.addr + before, out.pitch))

    def _attend(self, heads: "_Heads", out: Planes) -> None:
        """Append the attention of some heads of keys."""
        blocks = [CacheBlock(Existence.FIRST, 0, 0)]
        if self.shape.blocks > 1:
            blocks += [CacheBlock(Existence.OLD, number, number % 2)
                       for number in range(1, self.shape.blocks - 1)]
            blocks.append(CacheBlock(Existence.NEWEST, 0, (self.shape.blocks - 1) % 2))
        self._first_softmax(blocks[0], heads)
        values: list[tuple[str, int, Fields]] = []
        for block, following in zip(blocks, [*blocks[1:], None]):
            drains: list[Counted] = []
            if following and self._ahead:
                drains = self._multiply_keys(following, heads, drain=False)
            if block is not blocks[0]:
                self.builder.part = Part.SOFTMAX
                self.softmax.block(block, range(self.together))
                self._drain_values(values)
                self.softmax.decay_totals(block, range(self.together))
            self.builder.part = Part.VALUES
            values = self._multiply_all_values(block, heads, drains)
            if following and not self._ahead:
                self._drain_values(values)      # the scores need their accumulators
                values = []
                self._multiply_keys(following, heads, drain=True)
        self._drain_values(values)
        self.builder.part = Part.SOFTMAX
        self.softmax.end(heads.sum_shift, out)

    def _first_softmax(self, block: CacheBlock, heads: _Heads) -> None:
        """Append scores and softmax of the first block, head by head if that takes long."""
        count = self.together
        drains = self._multiply_keys(block, heads, drain=not self._ahead)
        if len(drains) != count or self.group * self.shape.block_positions < _LONG:
            self._drain(drains)
            self.builder.part = Part.SOFTMAX
            self.softmax.block(block, range(count))
            return
        for head, drain in enumerate(drains):
            self._drain([drain])
            self.builder.part = Part.SOFTMAX
            self.softmax.block(block, range(head, head + 1))

    def _load_scales(self, block: CacheBlock, heads: _Heads, out: int, *, values: bool) -> None:
        """Append the load of the scales of all heads."""
        registers, layer = self.registers, heads.layer
        address = self.cache.scales(layer, heads.numbers.start, values=values) \
            + 2 * BLOCK * block.number
        fields = {"host_addr": address, "host_pitch": self.cache.scale_pitch, "local_addr": out,
                  "local_pitch": 2 * BLOCK, "bytes": 2 * self.shape.block_positions}
        count = registers.if_it_exists(block, self.together)
        if count is None:
            self.builder.copy("LOAD", HostArea.CACHE, (layer, "scales"), count=self.together,
                              **fields)
        else:
            newest = block.existence is Existence.NEWEST
            self.builder.copy("LOAD_STEP", HostArea.CACHE, (layer, "scales"),
                              most=self.together, count_step=1, count=count, **fields,
                              host_step=registers.SCALE_BLOCK if newest else registers.ZERO)

    def _multiply_keys(self, block: CacheBlock, heads: _Heads, *, drain: bool) -> list[Counted]:
        """Append the products of keys and queries, and return the drains of the accumulators.

        With ``drain``, each drain follows its product, and none is returned.
        """
        builder, config, shape, registers, part = (
            self.builder, self.builder.config, self.shape, self.registers, self.key_part)
        size, group, row_bytes = shape.head_size, self.group, shape.chunks * config.tile_bytes
        builder.part = Part.SCORES
        for values, buffers in ((False, self.softmax.key_scales),
                                (True, self.softmax.value_scales)):
            self._load_scales(block, heads, buffers[block.turn], values=values)
        drains: list[Counted] = []
        newest = block.existence is Existence.NEWEST
        for head, first in itertools.product(heads.numbers, range(0, shape.key_tiles, part)):
            acc, most = builder.accumulators(2 * group * part), min(part, shape.key_tiles - first)
            count = registers.key_tiles(block, first, most)
            builder.copy("LOAD_RING_STEP", HostArea.CACHE, (heads.layer, "keys"), most=most,
                         count=count, count_step=1, bytes=row_bytes, host_pitch=row_bytes,
                         host_addr=self.cache.keys(heads.layer, head)
                         + block.number * shape.key_block_bytes + first * row_bytes,
                         host_step=registers.KEY_BLOCK if newest else registers.ZERO)
            builder.add("MATMUL_RING_STEP", most=most, row_count=count,
                        act_addr=heads.queries + 2 * size * group * head, acc_addr=acc,
                        acc_pitch=2 * group, chunk_count=shape.chunks, chunk_pitch=config.rows,
                        x_count=2 * group, x_pitch=size)
            drains.append((most, self._score_drain(block, head - heads.numbers.start, first,
                                                   heads.score_shifts[head], acc, count)))
            if drain:
                self._drain(drains)
                drains = []
        return drains

    def _score_drain(self, block: CacheBlock, head: int, first: int, shift: int, acc: int,
                     count: int) -> Fields:
        """Return the fields of the drain of the scores of position tiles from ``first`` on."""
        config, softmax, group = self.builder.config, self.softmax, self.group
        scales = softmax.key_scales[block.turn] + 2 * BLOCK * head
        return {
            "y_count": count, "scale": Scale.VECTOR, "acc_addr": acc, "acc_pitch": 2 * group,
            "out_addr": softmax.scores + softmax.row_pitch * group * head + 4 * config.cols * first,
            "y_pitch": 4 * config.cols, "x_count": group,
            "x_pitch": softmax.row_pitch, "channels": config.cols,
            "shift": shift, "b_addr": scales + 2 * config.cols * first, "b_pitch": 2 * config.cols}

    def _drain(self, drains: Sequence[Counted]) -> None:
        """Append the drains of scores."""
        before, self.builder.part = self.builder.part, Part.SCORES
        for most, fields in drains:
            self.builder.add("DRAIN_PLANES_STEP", most=most, **fields)
        self.builder.part = before

    def _multiply_all_values(self, block: CacheBlock, heads: _Heads,
                             drains: Sequence[Counted]) -> list[tuple[str, int, Fields]]:
        """Append the products of weights and values, and return the drains of the accumulators.

        ``drains`` are those of the scores of the next block. If the values of all heads do not fit
        into the accumulators, the drains follow the products, and none is returned.
        """
        builder, config, shape, registers, softmax = (
            self.builder, self.builder.config, self.shape, self.registers, self.softmax)
        values: list[tuple[str, int, Fields]] = []
        group, together, groups = self.group, self.together, shape.groups
        first_block = block.existence is Existence.FIRST
        last_block = block.existence is Existence.NEWEST or shape.blocks == 1
        for first in range(0, together * groups, self._value_part):
            count = min(self._value_part, together * groups - first)
            acc = builder.accumulators(2 * group * count)
            for index in range(first, first + count):
                head, number = divmod(index, groups)
                if not number:
                    # all weights but the first precede the products, so that many products in the
                    # queue of MATMUL do not keep VECTOR waiting for its next instruction
                    for weighed in {0: range(1), 1: range(1, together)}.get(head, ()):
                        softmax.weigh(block, weighed)
                    if head == min(1, together - 1):
                        if last_block:
                            softmax.solve()
                        self._drain(drains)
                self._multiply_values(block, heads, head, number,
                                      acc + 2 * group * (index - first))
            existing = registers.if_it_exists(block, count)
            values.append((
                "DRAIN_PLANES" if first_block else "DRAIN_PLANES_STEP",
                0 if first_block else count, {
                    "scale": Scale.NONE, "add": int(not first_block), "pre_shift": heads.sum_shift,
                    "acc_addr": acc, "acc_pitch": 2 * group, "channels": config.cols,
                    "out_addr": softmax.total + 4 * config.cols * first,
                    "y_count": count if existing is None else existing,
                    "y_pitch": 4 * config.cols, "x_count": group,
                    "x_pitch": softmax.group_pitch}))
            if count < together * groups:
                self._drain_values(values)
                values = []
        return values

    def _drain_values(self, values: Sequence[tuple[str, int, Fields]]) -> None:
        """Append the drains of the weighted sums, which add to the totals."""
        before, self.builder.part = self.builder.part, Part.VALUES
        for name, most, fields in values:
            self.builder.add(name, most=most, **fields)
        self.builder.part = before

    def _multiply_values(self, block: CacheBlock, heads: _Heads, head: int, number: int,
                         acc: int) -> None:
        """Append the products of a group of elements of the values of one of the heads."""
        builder, config, shape, registers, softmax = (
            self.builder, self.builder.config, self.shape, self.registers, self.softmax)
        tiles, group, count = shape.value_tiles, self.group, registers.value_tiles(block)
        newest = block.existence is Existence.NEWEST
        builder.copy("LOAD_RING_STEP", HostArea.CACHE, (heads.layer, "values"), most=tiles,
                     count=count, count_step=1, bytes=config.tile_bytes,
                     host_pitch=config.tile_bytes,
                     host_addr=self.cache.values(heads.layer, heads.numbers[head])
                     + block.number * shape.value_block_bytes
                     + number * tiles * config.tile_bytes,
                     host_step=registers.VALUE_BLOCK if newest else registers.ZERO)
        builder.add("MATMUL_RING_STEP", most=tiles, row_count=count,
                    act_addr=softmax.weights(block) + 2 * BLOCK * group * head,
                    row_pitch=config.rows, acc_addr=acc, chunk_count=1, x_count=2 * group,
                    x_pitch=BLOCK)
