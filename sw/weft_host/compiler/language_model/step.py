"""Program of one step of a language model: from a text token to the logits of the next one."""

import dataclasses

import numpy as np

from weft.spec.config import Config
from weft.spec.fixed_point_instructions import ComputeOp, OperandType, OutputType
from weft.spec.integers import round_up

from ...progress import Progress, silent
from ..frontend.llm.model_file import LanguageModelFile
from ..verdict import ModelError
from .attention_emitter import AttentionEmitter, CacheLayout
from .builder import HostArea, ProgramBuilder, Scratchpad
from .factors import Integers
from .head_order import HeadOrder
from .parameters import (
    Attention,
    FeedForward,
    attention_of,
    embedding_of,
    feed_forward_of,
    head_of,
    norm_eps,
    sum_shift,
)
from .projection import Constants, Exponent, Planes, ProjectionEmitter
from .step_values import CacheShape, StepRegisters
from .vectors import Rows, VectorEmitter

__all__ = ["MOST_POSITIONS", "StepProgram", "build_step"]

MOST_POSITIONS = 65_535
"""Most positions of the numerics."""

_MINIMUM = -1 << 31
_GAIN_SHIFT = 30
_LOGITS = (-1, "logits")


@dataclasses.dataclass(frozen=True, eq=False)
class StepProgram:
    """Instructions and constants of a step, before their addresses are known.

    Attributes
    ----------
    builder : :class:`ProgramBuilder`
    constants : :class:`bytes`
    cache_bytes : :class:`int`
        Bytes of the cache, which is followed by the logits.
    logits_bytes : :class:`int`
    logit_fraction : :class:`int`
    registers : :class:`StepRegisters`
    """

    builder: ProgramBuilder
    constants: bytes
    cache_bytes: int
    logits_bytes: int
    logit_fraction: int
    registers: StepRegisters


class _Step:
    """Emission of one step. ``config`` has the fixed-point instructions."""

    def __init__(self, model: LanguageModelFile, config: Config, context: int) -> None:
        self.model, self.config, self.context = model, config, context
        shape = model.architecture
        self.builder, self.constants = ProgramBuilder(config), Constants()
        self.scratchpad = Scratchpad(config)
        take = self.scratchpad.take
        self.projections = ProjectionEmitter(self.builder, self.constants, self.scratchpad)
        outputs, pitch = self.projections.output_bytes, self.projections.input_pitch
        self.vectors = VectorEmitter(self.builder, self.scratchpad, shape.heads)
        queries, keys = shape.heads * shape.head_size, shape.kv_heads * shape.head_size
        self.residual, self.centered = take(outputs(shape.dim)), take(outputs(shape.dim))
        self.gains = take(4 * max(shape.dim, shape.head_size))
        self.inputs = Planes(take(2 * pitch(shape.dim)), pitch(shape.dim))
        self.q, self.k, self.v = take(outputs(queries)), take(outputs(keys)), take(outputs(keys))
        self.query_planes = take(2 * queries)
        self.keys, self.values = take(keys), take(keys)
        self.key_scales, self.value_scales = take(2 * shape.kv_heads), take(2 * shape.kv_heads)
        self.heads = Planes(take(2 * pitch(queries)), pitch(queries))
        hidden = shape.feed_forward
        self.up, self.gate = take(outputs(hidden)), take(outputs(hidden))
        self.function = take(max(outputs(hidden), 2 * queries))
        self.products = Planes(take(2 * pitch(hidden)), pitch(hidden))
        self.exponent, self.minimum = take(16), take(4)
        self.tokens = take(shape.dim + 8)
        self.logits = take(self.projections.block_bytes()), take(self.projections.block_bytes())
        self.order = HeadOrder(shape, config.rows)
        self.rotation = take(self.order.rotation_bytes) if shape.rope else 0
        self._allocate_tables()

    def _allocate_tables(self) -> None:
        """Add the embedding and the tables of positions to the constants."""
        shape, context = self.model.architecture, self.context
        embedding = embedding_of(self.model, context)
        rows = np.zeros((shape.vocabulary, shape.dim + 8), np.uint8)
        rows[:, :shape.dim] = embedding.rows.view(np.uint8)
        rows[:, shape.dim:] = np.stack(
            [embedding.factors.multiplier, embedding.factors.shift], axis=1).astype("<i4").view(
            np.uint8)
        self.embedding = self.constants.add(rows.tobytes())
        self.position_table = self.rotation_table = 0
        if embedding.positions is not None:
            self.position_table = self.constants.add(embedding.positions.astype("<i4").tobytes())
        if shape.rope is not None:
            self.rotation_table = self.constants.add(self.order.rotation_table(shape, context))
        self.minimum_constant = self.constants.add(_MINIMUM.to_bytes(4, "little", signed=True))
        self.registers = StepRegisters(
            CacheShape(self.config, shape.head_size, context), shape.dim + 8,
            self.order.rotation_bytes, 4 * shape.dim)
        self.cache = CacheLayout(self.registers.shape, shape.layers, shape.kv_heads)
        self.attention = AttentionEmitter(
            self.builder, self.vectors, self.scratchpad, self.registers, self.cache,
            shape.heads // shape.kv_heads, self.minimum)

    def emit(self, progress: Progress) -> int:
        """Append all instructions; return the fraction bits of logits."""
        shape, weights = self.model.architecture, self.model.weights
        self._begin()
        for index, layer in enumerate(weights.layers):
            progress(f"compiling: layer {index + 1} of {shape.layers}")
            self.builder.layer = index
            attention = self.order.apply(attention_of(shape, layer))
            self._norm(attention.gains)
            self._attention(index, attention)
            feed_forward = feed_forward_of(layer)
            self._norm(feed_forward.gains)
            self._feed_forward(feed_forward)
        progress("compiling: head")
        self.builder.layer = shape.layers
        head = head_of(self.model)
        self._norm(head.gains)
        stored = self.projections.store(head.matrix)
        for number, block in enumerate(stored.blocks):
            out = self.logits[number % 2]
            self.projections.emit_block(stored, block, self.inputs, out)
            size = 4 * self.config.cols
            self.builder.copy("STORE", HostArea.CACHE, _LOGITS, count=1, local_addr=out,
                              bytes=size * block.groups,
                              host_addr=self.cache.size + size * block.first)
        return head.fraction

    def _begin(self) -> None:
        """Append the embedding of the text token, and of its position."""
        shape, builder, registers = self.model.architecture, self.builder, self.registers
        builder.copy("LOAD", HostArea.CONSTANTS, None, count=1, bytes=4, local_addr=self.minimum,
                     host_addr=self.minimum_constant)
        builder.copy("LOAD_STEP", HostArea.CONSTANTS, None, count=1, bytes=shape.dim + 8,
                     local_addr=self.tokens, host_addr=self.embedding, host_step=registers.TOKEN)
        self.vectors.widen(self.tokens, self.tokens + shape.dim, shape.dim, self.residual)
        if self.model.weights.positions is not None:
            builder.copy("LOAD_STEP", HostArea.CONSTANTS, None, count=1, bytes=4 * shape.dim,
                         local_addr=self.centered, host_addr=self.position_table,
                         host_step=registers.POSITION)
            self.vectors.compute(
                ComputeOp.ADD, a_addr=self.residual, b_addr=self.centered,
                b_type=OperandType.INT32, count=1, elements_count=shape.dim,
                out_type=OutputType.INT32, out_addr=self.residual)
        if shape.rope is not None:
            builder.copy("LOAD_STEP", HostArea.CONSTANTS, None, count=1,
                         bytes=self.order.rotation_bytes, local_addr=self.rotation,
                         host_addr=self.rotation_table, host_step=registers.ROTATION)

    def _load_gains(self, gains: Integers) -> None:
        address = self.constants.add(gains.astype("<i4").tobytes())
        self.builder.copy("LOAD", HostArea.CONSTANTS, None, count=1, bytes=4 * len(gains),
                          local_addr=self.gains, host_addr=address)

    def _norm(self, gains: Integers | None) -> None:
        """Append a norm of the residual."""
        shape = self.model.architecture
        if gains is not None:
            self._load_gains(gains)
        row = Rows(self.residual, 1, shape.dim, 4 * shape.dim)
        self.vectors.norm(row, self.inputs, self.centered, norm_eps(shape),
                          centered=shape.norm == "layer",
                          gains=None if gains is None else self.gains, gain_shift=_GAIN_SHIFT)

    def _attention(self, index: int, part: Attention) -> None:
        shape, vectors, projections = self.model.architecture, self.vectors, self.projections
        size, group = shape.head_size, shape.heads // shape.kv_heads
        keys, values, queries = (
            Rows(addr, count, size, 4 * size) for addr, count in (
                (self.k, shape.kv_heads), (self.v, shape.kv_heads), (self.q, shape.heads)))
        for matrix, rows, norm, table in (
                (part.k, keys, part.k_norm, self.rotation + self.order.key_rotation),
                (part.v, values, None, None), (part.q, queries, part.q_norm, self.rotation)):
            projections.emit(projections.store(matrix), self.inputs, rows.addr)
            if norm is not None:
                self._load_gains(norm.gains)
                vectors.head_norm(rows, norm, self.gains, self.function)
            if shape.rope is not None and table is not None:
                for first, count in self.order.rotated_parts(keys=rows is keys):
                    vectors.rotate(Rows(rows.addr + 4 * first, rows.count, size, rows.pitch),
                                   count, table + 4 * first)
        vectors.cache(keys, self.keys, self.key_scales)
        vectors.cache(values, self.values, self.value_scales)
        self.attention.store(index, self.keys, self.key_scales, self.values, self.value_scales)
        vectors.to_planes(queries, self.query_planes, 2 * size, size, 15)
        for head in range(shape.kv_heads):
            self.attention.attend(
                index, head, self.query_planes + 2 * size * group * head,
                int(part.score_shifts[head]), sum_shift(self.context),
                Planes(self.heads.addr + size * group * head, self.heads.pitch))
        projections.emit(projections.store(part.output), self.heads, self.residual, add=True)

    def _feed_forward(self, part: FeedForward) -> None:
        vectors, projections, shape = self.vectors, self.projections, self.model.architecture
        size = shape.feed_forward
        function = ComputeOp.SIGMOID if shape.activation == "silu" else ComputeOp.GELU_GATE
        projections.emit(projections.store(part.up), self.inputs, self.up)
        factor = self.function
        if part.gate is None:
            vectors.activate(function, self.up, size, part.gate_fraction, self.function)
        else:
            projections.emit(projections.store(part.gate), self.inputs, self.gate)
            vectors.activate(function, self.gate, size, part.gate_fraction, self.function)
            vectors.scale_by(self.gate, self.function, size, 15, self.gate)
            factor = self.gate
        vectors.product(self.up, factor, size, self.products, self.exponent)
        projections.emit(projections.store(part.down), self.products, self.residual, add=True,
                         exponent=Exponent(self.exponent, part.product_fraction))


def build_step(model: LanguageModelFile, config: Config, context: int,
               progress: Progress = silent) -> StepProgram:
    """Return the program of a step.

    Parameters
    ----------
    model : the model.
    config : configuration with ``fixed_point``.
    context : largest number of positions.

    Raises
    ------
    ModelError, CapacityError
        If the model is beyond the numerics, or beyond the memories of the configuration.
    """
    most = min(MOST_POSITIONS, model.architecture.context)
    if not 1 <= context <= most:
        raise ModelError(f"the context must be from 1 to {most} positions, not {context}")
    step = _Step(model, config, context)
    fraction = step.emit(progress)
    logits = 4 * round_up(model.architecture.vocabulary, config.cols)
    return StepProgram(step.builder, step.constants.joined(), step.cache.size, logits, fraction,
                       step.registers)
