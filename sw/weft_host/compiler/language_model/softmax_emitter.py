"""Instructions of the softmax over the scores of a block of the cache."""

from weft.spec.fixed_point_extents import FACTOR_BYTES
from weft.spec.fixed_point_instructions import (
    RECORD_BYTES,
    ComputeOp,
    InputType,
    OperandType,
    OutputType,
    Reduction,
    SolveOp,
)
from weft.spec.integers import round_up

from .builder import Scratchpad
from .projection import Planes
from .step_values import BLOCK, CacheBlock, CacheShape, Existence, StepRegisters
from .vectors import VectorEmitter

__all__ = ["SoftmaxEmitter"]


class SoftmaxEmitter:
    """Appends the instructions of the softmax of all query heads, one row for each of them.

    The rows are in the order of the query heads, except for the weighted sums of the values: there,
    row ``g * kv_heads + k`` belongs to query head ``g`` of those that share key head ``k``. If the
    context has several blocks, the maximum, the sum and the weighted values of the blocks so far
    are kept from block to block. With a single block, none of this is needed.

    Parameters
    ----------
    vectors : :class:`VectorEmitter`
    scratchpad : :class:`Scratchpad`
    registers : :class:`StepRegisters`
    shape : :class:`CacheShape`
    kv_heads, group : :class:`int`
        Heads of keys and values, and query heads that share one of them.

    Attributes
    ----------
    phase : :class:`Scratchpad`
        Allocator of the buffers that are used during the attention of a layer only.
    scores, total : :class:`int`
        Addresses of the int32 scores of a block, and of the weighted sums of the values.
    row_pitch : :class:`int`
        Bytes from a row of scores to the next.
    total_pitch, group_pitch : :class:`int`
        Bytes from the weighted sums of a head of values to those of the next, and to those of the
        next query head that shares it.
    key_scales, value_scales : list of :class:`int`
        Addresses of the uint16 scales of a block, ``2 * BLOCK`` bytes for each head. Blocks use the
        two addresses in turns.
    weight_planes, newest_weights : :class:`int`
        Addresses of the two planes of the weights, for the first block and the old ones, and for
        the newest one, which follow. Weights of positions that do not exist must be zero.
    weight_bytes : :class:`int`
        Bytes of the weights of a block.
    """

    def __init__(self, vectors: VectorEmitter, scratchpad: Scratchpad, registers: StepRegisters,
                 shape: CacheShape, kv_heads: int, group: int) -> None:
        self.vectors, self.registers, self.shape = vectors, registers, shape
        self.kv_heads, self.group, self.heads = kv_heads, group, kv_heads * group
        self.total_pitch = 4 * round_up(shape.head_size, shape.config.cols)
        self.group_pitch = self.total_pitch * kv_heads
        self.weight_bytes = 2 * BLOCK * self.heads
        self.row_pitch = 4 * BLOCK
        several = shape.blocks > 1
        self.weight_planes = scratchpad.take(self.weight_bytes * (1 + several))
        self.newest_weights = self.weight_planes + self.weight_bytes
        self.phase = phase = scratchpad.branch()
        self.scores = phase.take(self.row_pitch * self.heads)
        self.exponentials = phase.take(2 * BLOCK * self.heads)
        self.key_scales, self.value_scales = (
            [phase.take(2 * BLOCK * kv_heads) for _ in range(min(shape.blocks, 2))]
            for _ in range(2))
        self.total = phase.take(self.total_pitch * self.heads)
        self.largest, self.decay, self.sum = (
            phase.take(RECORD_BYTES * self.heads) for _ in range(3))

    def weights(self, block: CacheBlock) -> int:
        """Return the address of the weights of a block."""
        return self.newest_weights if block.existence is Existence.NEWEST else self.weight_planes

    def block(self, block: CacheBlock, heads: range) -> None:
        """Append the exponentials of a block, and the maximum and the sum of the blocks so far.

        ``heads`` are the heads of keys whose query heads are computed.
        """
        multiply, several = ComputeOp.MULTIPLY, block.existence is not Existence.FIRST
        first, count = self.group * heads.start, self.group * len(heads)
        records, largest, decay, total = (
            addr + RECORD_BYTES * first
            for addr in (self.vectors.records, self.largest, self.decay, self.sum))
        rows: dict[str, int] = dict(
            count=count, a_pitch=RECORD_BYTES, b_pitch=RECORD_BYTES, b_type=OperandType.ROW,
            out_type=OutputType.INT32, out_pitch=RECORD_BYTES)
        scores: dict[str, int] = dict(
            count=count, a_addr=self.scores + self.row_pitch * first, a_pitch=self.row_pitch)
        self._rows(block, multiply, None, **scores, reduce=Reduction.MAXIMUM,
                   row_addr=records if several else largest)
        if several:         # the factor of what is kept is 1 if the maximum stays
            self._rows(block, ComputeOp.EXPONENTIAL, 1, **rows, a_addr=largest, b_addr=records,
                       shift=12, out_addr=decay)
            self._rows(block, ComputeOp.MAXIMUM, 1, **rows, a_addr=largest, b_addr=records,
                       out_addr=largest)
        self._rows(block, ComputeOp.EXPONENTIAL, None, **scores, b_type=OperandType.ROW,
                   b_addr=largest, b_pitch=RECORD_BYTES, shift=12, out_type=OutputType.UINT16,
                   out_addr=self.exponentials + 2 * BLOCK * first, out_pitch=2 * BLOCK,
                   reduce=Reduction.SUM, row_addr=records if several else total)
        if not several:
            return
        self._rows(block, multiply, 1, **rows, a_addr=total, b_addr=decay, shift=15,
                   out_addr=total)
        self._rows(block, ComputeOp.ADD, 1, **rows, a_addr=total, b_addr=records, out_addr=total)

    def decay_totals(self, block: CacheBlock, heads: range) -> None:
        """Append the product of the weighted sums of the blocks so far and their factor."""
        for head in heads:
            self._rows(block, ComputeOp.MULTIPLY, self.shape.head_size, count=self.group,
                       a_addr=self.total + self.total_pitch * head, a_pitch=self.group_pitch,
                       b_type=OperandType.ROW, b_addr=self.decay + RECORD_BYTES * self.group * head,
                       b_pitch=RECORD_BYTES, shift=15, out_type=OutputType.INT32,
                       out_addr=self.total + self.total_pitch * head, out_pitch=self.group_pitch)

    def solve(self) -> None:
        """Append the reciprocals of the sums."""
        self.vectors.builder.add(
            "SOLVE", op=SolveOp.SUM, a_addr=self.sum, a_pitch=RECORD_BYTES, count=self.heads,
            out_addr=self.vectors.factors, out_pitch=FACTOR_BYTES)

    def end(self, sum_shift: int, out: Planes) -> None:
        """Append the outputs of all query heads in order: weighted sums over sums."""
        vectors, size, group = self.vectors, self.shape.head_size, self.group
        for head in range(self.kv_heads):
            vectors.compute(
                ComputeOp.MULTIPLY, a_addr=self.total + self.total_pitch * head,
                a_pitch=self.group_pitch, count=group, elements_count=size,
                b_type=OperandType.FACTOR, b_addr=vectors.factors + FACTOR_BYTES * group * head,
                b_pitch=FACTOR_BYTES, shift=-sum_shift, out_type=OutputType.PLANES,
                out_addr=out.addr + size * group * head, out_pitch=size, plane_pitch=out.pitch)

    def weigh(self, block: CacheBlock, head: int) -> None:
        """Append the products of exponentials and scales of values, for a head of values."""
        pitch = 2 * BLOCK
        self._rows(block, ComputeOp.MULTIPLY, None, count=self.group, a_type=InputType.UINT16,
                   a_addr=self.exponentials + head * self.group * pitch, a_pitch=pitch,
                   b_type=OperandType.UINT16, shift=15,
                   b_addr=self.value_scales[block.turn] + head * pitch,
                   out_type=OutputType.PLANES, plane_pitch=BLOCK, out_pitch=pitch,
                   out_addr=self.weights(block) + head * self.group * pitch)

    def _rows(self, block: CacheBlock, op: ComputeOp, elements: int | None,
              **fields: int) -> None:
        """Append a COMPUTE with a row for each query head, or with ``count`` rows.

        It is skipped if the block is; without ``elements``, they are the positions that exist.
        """
        registers, most, name = self.registers, elements or BLOCK, "COMPUTE_STEP"
        if elements is None:
            elements = registers.elements(block)
        elif (count := registers.if_it_exists(block, elements)) is not None:
            elements = count
        else:
            most, name = 0, "COMPUTE"
        self.vectors.builder.add(name, most=most, op=int(op), elements_count=elements, **fields)
