"""Instructions of the attention of a layer over the cache."""

import dataclasses

from weft.spec.fixed_point_extents import FACTOR_BYTES
from weft.spec.fixed_point_instructions import (
    RECORD_BYTES,
    ComputeOp,
    InputType,
    OperandType,
    OutputType,
    Reduction,
    Scale,
    SolveOp,
)
from weft.spec.integers import ceil_div, round_up

from ..verdict import CapacityError
from .builder import HostArea, ProgramBuilder, Scratchpad
from .projection import Planes
from .step_values import BLOCK, CacheShape, StepRegisters
from .vectors import VectorEmitter

__all__ = ["AttentionEmitter", "CacheLayout"]

_ZERO_SHIFT = 63        # a shift that yields 0


class CacheLayout:
    """Addresses of the caches of all layers and heads in their section of host memory.

    Parameters
    ----------
    shape : :class:`CacheShape`
    layers, heads : :class:`int`
        Number of layers, and of heads of keys and values.
    """

    def __init__(self, shape: CacheShape, layers: int, heads: int) -> None:
        self.shape, self.heads = shape, heads
        self._keys = shape.blocks * shape.key_block_bytes
        self._values = shape.blocks * shape.value_block_bytes
        self.scale_pitch = 2 * BLOCK * shape.blocks
        self._layer = round_up(heads * (self._keys + self._values + 2 * self.scale_pitch), 64)
        self.size = layers * self._layer

    def keys(self, layer: int, head: int) -> int:
        """Return the address of the keys of a head."""
        return layer * self._layer + head * self._keys

    def values(self, layer: int, head: int) -> int:
        """Return the address of the values of a head."""
        return layer * self._layer + self.heads * self._keys + head * self._values

    def scales(self, layer: int, head: int, *, values: bool) -> int:
        """Return the address of the scales of the keys, or values, of a head."""
        return (layer * self._layer + self.heads * (self._keys + self._values)
                + (values * self.heads + head) * self.scale_pitch)


@dataclasses.dataclass(frozen=True)
class _Block:
    """Block of the cache: an old one, which is full or skipped, or the newest one."""

    number: int | None

    @property
    def offset(self) -> int:
        return 0 if self.number is None else self.number


class AttentionEmitter:
    """Appends the instructions of attention.

    Parameters
    ----------
    builder : :class:`ProgramBuilder`
    vectors : :class:`VectorEmitter`
    scratchpad : :class:`Scratchpad`
    registers : :class:`StepRegisters`
    cache : :class:`CacheLayout`
    group : :class:`int`
        Query heads that share a key.
    minimum : :class:`int`
        Address of the int32 -2^31 in the scratchpad.
    """

    def __init__(self, builder: ProgramBuilder, vectors: VectorEmitter, scratchpad: Scratchpad,
                 registers: StepRegisters, cache: CacheLayout, group: int, minimum: int) -> None:
        self.builder, self.vectors, self.registers = builder, vectors, registers
        self.cache, self.shape, self.group, self.minimum = cache, cache.shape, group, minimum
        config, size = builder.config, self.shape.head_size
        self.total_pitch = 4 * round_up(size, config.cols)
        self.scores = scratchpad.take(4 * BLOCK * group)
        self.exponentials = scratchpad.take(2 * BLOCK * group)
        self.weights = scratchpad.take(2 * BLOCK * group)
        self.key_scales = scratchpad.take(2 * BLOCK)
        self.value_scales = scratchpad.take(2 * BLOCK)
        self.total = scratchpad.take(self.total_pitch * group)
        self.largest, self.raised, self.decay, self.sum = (
            scratchpad.take(RECORD_BYTES * group) for _ in range(4))
        # scores of as many position tiles as fit into half of the accumulators
        self.key_part = min(self.shape.key_tiles, config.acc_rows // 2 // (2 * group))
        if self.key_part < 1:
            raise CapacityError(
                f"{group} query heads that share a key need more than half of the "
                f"{config.acc_rows} accumulator rows of {config.name}; choose a larger preset")

    def store(self, layer: int, keys: int, key_scales: int, values: int,
              value_scales: int) -> None:
        """Append the stores of the new keys and values of all heads, and of their scales."""
        config, shape, builder, registers = (
            self.builder.config, self.shape, self.builder, self.registers)
        size = shape.head_size
        for head in range(self.cache.heads):
            for first in range(0, size, config.rows):
                count = min(config.rows, size - first)
                # the elements of a chunk are in reverse order: the last line is the first element
                line = (ceil_div(first, config.rows) + 1) * config.rows - count
                builder.copy("STORE_STEP", HostArea.CACHE, (layer, "keys"), count=count,
                            host_addr=self.cache.keys(layer, head) + line * config.cols,
                            host_pitch=config.cols, local_addr=keys + head * size + first,
                            local_pitch=1, bytes=1, host_step=registers.KEY)
            for first in range(0, size, config.cols):
                builder.copy("STORE_STEP", HostArea.CACHE, (layer, "values"), count=1,
                            host_addr=self.cache.values(layer, head)
                            + first // config.cols * shape.value_tiles * config.tile_bytes,
                            local_addr=values + head * size + first,
                            bytes=min(config.cols, size - first), host_step=registers.VALUE)
        for number, scales in enumerate((key_scales, value_scales)):
            builder.copy("STORE_STEP", HostArea.CACHE, (layer, "scales"),
                        count=self.cache.heads, local_addr=scales, local_pitch=2, bytes=2,
                        host_addr=self.cache.scales(layer, 0, values=bool(number)),
                        host_pitch=self.cache.scale_pitch, host_step=registers.SCALE)

    def attend(self, layer: int, head: int, queries: int, score_shift: int, sum_shift: int,
               out: Planes) -> None:
        """Append the attention of the query heads that share the keys of ``head``.

        Parameters
        ----------
        queries : address of the first query, two planes of each one after the other.
        score_shift, sum_shift : shifts of the numerics.
        out : planes of the outputs of these heads.
        """
        compute, size, group = self.vectors.compute, self.shape.head_size, self.group
        compute(ComputeOp.MULTIPLY, count=group, elements_count=1, a_addr=self.minimum,
                out_type=OutputType.INT32, out_addr=self.largest, out_pitch=RECORD_BYTES)
        for addr, pitch in ((self.sum, RECORD_BYTES), (self.total, self.total_pitch)):
            compute(ComputeOp.MULTIPLY, count=group, elements_count=pitch // 4, a_addr=addr,
                    a_pitch=pitch, shift=_ZERO_SHIFT, out_type=OutputType.INT32, out_addr=addr,
                    out_pitch=pitch)
        for number in range(self.shape.blocks - 1):
            self._block(_Block(number), layer, head, queries, score_shift, sum_shift)
        self._block(_Block(None), layer, head, queries, score_shift, sum_shift)
        self.builder.add("SOLVE", op=SolveOp.SUM, a_addr=self.sum, a_pitch=RECORD_BYTES,
                         count=group, out_addr=self.vectors.factors, out_pitch=FACTOR_BYTES)
        compute(ComputeOp.MULTIPLY, a_addr=self.total, a_pitch=self.total_pitch, count=group,
                elements_count=size, b_type=OperandType.FACTOR, b_addr=self.vectors.factors,
                b_pitch=FACTOR_BYTES, shift=-sum_shift, out_type=OutputType.PLANES,
                out_addr=out.addr, out_pitch=size, plane_pitch=out.pitch)

    def _block(self, block: _Block, layer: int, head: int, queries: int, score_shift: int,
               sum_shift: int) -> None:
        self._scores(block, layer, head, queries, score_shift)
        self._softmax(block, layer, head)
        self._values(block, layer, head, sum_shift)

    def _load_scales(self, block: _Block, layer: int, head: int, out: int, *,
                     values: bool) -> None:
        registers = self.registers
        address = self.cache.scales(layer, head, values=values) + 2 * BLOCK * block.offset
        fields = {"host_addr": address, "local_addr": out, "bytes": 2 * BLOCK}
        tag = layer, "scales"
        if block.number is None:
            self.builder.copy("LOAD_STEP", HostArea.CACHE, tag, count=1, **fields,
                             host_step=registers.SCALE_BLOCK)
        else:
            self.builder.copy("LOAD_STEP", HostArea.CACHE, tag, most=1, count_step=1,
                             count=registers.in_old_block(block.number, 1), **fields,
                             host_step=registers.ZERO)

    def _scores(self, block: _Block, layer: int, head: int, queries: int,
                score_shift: int) -> None:
        """Append the scores of a block: rows of int32, one for each query head."""
        builder, config, shape, registers = (
            self.builder, self.builder.config, self.shape, self.registers)
        self._load_scales(block, layer, head, self.key_scales, values=False)
        size, part = shape.head_size, self.key_part
        row_bytes = shape.chunks * config.tile_bytes
        for first in range(0, shape.key_tiles, part):
            acc = builder.accumulators()
            count = registers.key_tiles(first, part) if block.number is None \
                else registers.in_old_block(block.number, part)
            builder.copy("LOAD_RING_STEP", HostArea.CACHE, (layer, "keys"), most=part,
                         count=count, count_step=1, bytes=row_bytes, host_pitch=row_bytes,
                         host_addr=self.cache.keys(layer, head)
                         + block.offset * shape.key_block_bytes + first * row_bytes,
                         host_step=registers.KEY_BLOCK if block.number is None else registers.ZERO)
            builder.add("MATMUL_RING_STEP", most=part, row_count=count, act_addr=queries,
                        acc_addr=acc, acc_pitch=2 * self.group, chunk_count=shape.chunks,
                        chunk_pitch=config.rows, x_count=2 * self.group, x_pitch=size)
            builder.add("DRAIN_PLANES_STEP", most=part, y_count=count, scale=Scale.VECTOR,
                        out_addr=self.scores + 4 * config.cols * first, acc_addr=acc,
                        acc_pitch=2 * self.group, y_pitch=4 * config.cols, x_count=self.group,
                        x_pitch=4 * BLOCK, channels=config.cols, shift=score_shift,
                        b_addr=self.key_scales + 2 * config.cols * first, b_pitch=2 * config.cols)

    def _rows(self, block: _Block, op: ComputeOp, elements: int, **fields: int) -> None:
        """Append a COMPUTE with a row for each query head of the group.

        It is skipped if the block is; ``BLOCK`` elements are those that exist.
        """
        registers = self.registers
        most, name = elements, "COMPUTE_STEP"
        if block.number is not None:
            elements = registers.in_old_block(block.number, elements)
        elif elements == BLOCK:
            elements = registers.ELEMENTS
        else:
            most, name = 0, "COMPUTE"
        self.builder.add(name, most=most, op=int(op), count=self.group, elements_count=elements,
                         **fields)

    def _softmax(self, block: _Block, layer: int, head: int) -> None:
        """Append the exponentials of a block, and their products with the scales of values."""
        multiply, records = ComputeOp.MULTIPLY, self.vectors.records
        rows: dict[str, int] = dict(
            a_pitch=RECORD_BYTES, b_pitch=RECORD_BYTES, b_type=OperandType.ROW,
            out_type=OutputType.INT32, out_pitch=RECORD_BYTES)
        self._rows(block, multiply, BLOCK, a_addr=self.scores, a_pitch=4 * BLOCK,
                   reduce=Reduction.MAXIMUM, row_addr=records)
        self._rows(block, ComputeOp.MAXIMUM, 1, **rows, a_addr=self.largest, b_addr=records,
                   out_addr=self.raised)
        self._rows(block, ComputeOp.EXPONENTIAL, 1, **rows, a_addr=self.largest,
                   b_addr=self.raised, shift=12, out_addr=self.decay)
        self._rows(block, multiply, 1, a_addr=self.raised, a_pitch=RECORD_BYTES,
                   out_type=OutputType.INT32, out_addr=self.largest, out_pitch=RECORD_BYTES)
        self._rows(block, ComputeOp.EXPONENTIAL, BLOCK, a_addr=self.scores, a_pitch=4 * BLOCK,
                   b_type=OperandType.ROW, b_addr=self.raised, b_pitch=RECORD_BYTES, shift=12,
                   out_type=OutputType.UINT16, out_addr=self.exponentials, out_pitch=2 * BLOCK,
                   reduce=Reduction.SUM, row_addr=records)
        self._rows(block, multiply, 1, **rows, a_addr=self.sum, b_addr=self.decay, shift=15,
                   out_addr=self.sum)
        self._rows(block, ComputeOp.ADD, 1, **rows, a_addr=self.sum, b_addr=records,
                   out_addr=self.sum)
        self._load_scales(block, layer, head, self.value_scales, values=True)
        if block.number is None:        # positions that do not exist yet have no weight
            self.builder.add("FILL", count=1, local_addr=self.weights,
                             bytes=2 * BLOCK * self.group)
        self._rows(block, multiply, BLOCK, a_type=InputType.UINT16, a_addr=self.exponentials,
                   a_pitch=2 * BLOCK, b_type=OperandType.UINT16, b_addr=self.value_scales,
                   shift=15, out_type=OutputType.PLANES, out_addr=self.weights,
                   out_pitch=2 * BLOCK, plane_pitch=BLOCK)
        self._rows(block, multiply, self.shape.head_size, a_addr=self.total,
                   a_pitch=self.total_pitch, b_type=OperandType.ROW, b_addr=self.decay,
                   b_pitch=RECORD_BYTES, shift=15, out_type=OutputType.INT32,
                   out_addr=self.total, out_pitch=self.total_pitch)

    def _values(self, block: _Block, layer: int, head: int, sum_shift: int) -> None:
        """Append the sums of the values of a block, weighted, to the totals."""
        builder, config, shape, registers = (
            self.builder, self.builder.config, self.shape, self.registers)
        tiles = shape.value_tiles
        for number in range(shape.groups):
            acc = builder.accumulators()
            count = registers.value_tiles(0, tiles) if block.number is None \
                else registers.in_old_block(block.number, tiles)
            builder.copy("LOAD_RING_STEP", HostArea.CACHE, (layer, "values"), most=tiles,
                         count=count, count_step=1, bytes=config.tile_bytes,
                         host_pitch=config.tile_bytes,
                         host_addr=self.cache.values(layer, head)
                         + block.offset * shape.value_block_bytes
                         + number * tiles * config.tile_bytes,
                         host_step=registers.VALUE_BLOCK if block.number is None
                         else registers.ZERO)
            builder.add("MATMUL_RING_STEP", most=tiles, row_count=count, act_addr=self.weights,
                        row_pitch=config.rows, acc_addr=acc, chunk_count=1,
                        x_count=2 * self.group, x_pitch=BLOCK)
            drain = "DRAIN_PLANES" if block.number is None else "DRAIN_PLANES_STEP"
            builder.add(
                drain, most=int(block.number is not None), scale=Scale.NONE, add=1,
                pre_shift=sum_shift, out_addr=self.total + 4 * config.cols * number, acc_addr=acc,
                y_count=1 if block.number is None else registers.in_old_block(block.number, 1),
                x_count=self.group, x_pitch=self.total_pitch, channels=config.cols)
