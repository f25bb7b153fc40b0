"""Buffers and tables of a step, and what appends its instructions."""

import numpy as np

from weft.spec.config import Config
from weft.spec.fixed_point_instructions import RECORD_BYTES
from weft.spec.integers import round_up

from ..frontend.llm.model_file import LanguageModelFile
from ..verdict import CapacityError
from .attention_emitter import AttentionEmitter
from .builder import ProgramBuilder, Scratchpad
from .cache_layout import CacheLayout
from .head_order import HeadOrder
from .parameters import embedding_of
from .projection import Constants, Planes, ProjectionEmitter
from .step_values import CacheShape, StepRegisters
from .vectors import VectorEmitter

__all__ = ["StepBuffers"]


class StepBuffers:
    """Addresses of the buffers of a step in the scratchpad, and of its tables in host memory.

    Parameters
    ----------
    model : :class:`LanguageModelFile`
    config : :class:`weft.spec.config.Config`
        Configuration with the fixed-point instructions.
    context : :class:`int`
        Largest number of positions.

    Attributes
    ----------
    builder, constants, projections, vectors, attention
        What appends the instructions and constants of the step.
    order, registers, cache
        Order of the elements of heads, step registers, and layout of the cache.
    residual, centered, gains : :class:`int`
        The residual stream, a copy of it for norms, and the gains of a norm.
    inputs, heads, products : :class:`Planes`
        Inputs of the projections: output of a norm, outputs of the heads, and the product.
    keys, queries : :class:`int`
        Keys of all heads, followed by the values of all heads; and the queries, which follow.
    query_planes, cached, scales : :class:`int`
        Queries with 16 bits, keys and values with 8 bits, and their scales.
    gate, up, function : :class:`int`
        Arguments of the activation function, what it multiplies, and its values. Without a gate,
        ``gate`` is ``up``.
    measures, exponent : :class:`int`
        Largest magnitudes of parts of the product, and its exponent.
    tokens, rotation : :class:`int`
        Row of the embedding, and row of the table of rotations.
    logits : pair of :class:`int`
        Logits of a block of the vocabulary.
    embedding, position_table, rotation_table : :class:`int`
        Addresses in the constants.

    Raises
    ------
    CapacityError
        If the buffers exceed the scratchpad.
    """

    def __init__(self, model: LanguageModelFile, config: Config, context: int) -> None:
        self.model, self.config, self.context = model, config, context
        shape = model.architecture
        self.builder, self.constants = ProgramBuilder(config), Constants()
        self._scratchpad = Scratchpad(config)
        take = self._scratchpad.take
        queries, keys = shape.heads * shape.head_size, shape.kv_heads * shape.head_size
        # what the array reads is in the first bank, as far as possible
        input_bytes, query_bytes = (round_up(size, config.rows) for size in (shape.dim, queries))
        self.inputs = Planes(take(2 * input_bytes), input_bytes)
        self.heads = Planes(take(2 * query_bytes), query_bytes)
        self.query_planes = take(2 * queries)
        self.projections = ProjectionEmitter(self.builder, self.constants, self._scratchpad)
        outputs = self.projections.output_bytes
        self.vectors = VectorEmitter(self.builder, self._scratchpad,
                                     max(shape.heads, 2 * shape.kv_heads))
        self.residual = take(outputs(shape.dim))
        self.gains = take(4 * max(shape.dim, shape.head_size))
        self.keys = take(outputs(2 * keys + queries))
        self.queries = self.keys + 4 * 2 * keys
        self.cached, self.scales = take(2 * keys), take(4 * shape.kv_heads)
        self.exponent = take(RECORD_BYTES)
        self.tokens = take(shape.dim + 8)
        self.order = HeadOrder(shape, config.rows)
        self.rotation = take(self.order.rotation_bytes) if shape.rope else 0
        self._allocate_tables()
        self._fit_phases()

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
        self.registers = StepRegisters(
            CacheShape(self.config, shape.head_size, context), shape.dim + 8,
            self.order.rotation_bytes, 4 * shape.dim)
        self.cache = CacheLayout(self.registers.shape, shape.layers, shape.kv_heads)

    def _fit_phases(self) -> None:
        """Allocate the buffers of phases: as many heads together as fit.

        If possible, these buffers are in another bank than those that the array reads.
        """
        kv_heads, half = self.model.architecture.kv_heads, self.config.spad_bytes // 2
        before = self._scratchpad.used
        for together in range(kv_heads, 0, -1):
            for first in (half, 0) if self.config.spad_banks > 1 else (0,):
                if kv_heads % together:
                    continue
                try:
                    return self._allocate_phases(together, first)
                except CapacityError:
                    self._scratchpad.used = before
        self._allocate_phases(1, 0)     # raises the error

    def _allocate_phases(self, together: int, first: int) -> None:
        """Allocate the buffers of norms, attention, feed-forward part and head.

        They share memory from ``first`` on, or behind the other buffers. ``together`` heads of
        keys are computed at the same time.
        """
        shape, projections = self.model.architecture, self.projections
        self._scratchpad.phases_from = first
        self.attention = AttentionEmitter(
            self.builder, self.vectors, self._scratchpad, self.registers, self.cache,
            shape.heads // shape.kv_heads, together)
        norm, feed_forward, head = (self._scratchpad.branch() for _ in range(3))
        self.centered = norm.take(projections.output_bytes(shape.dim))
        hidden, outputs = shape.feed_forward, projections.output_bytes
        self.gate = feed_forward.take(outputs(2 * hidden))
        self.up = self.gate + 4 * hidden if shape.gated else self.gate
        self.function = feed_forward.take(max(outputs(hidden), 2 * shape.heads * shape.head_size))
        pitch = round_up(hidden, self.config.rows)
        self.products = Planes(feed_forward.take(2 * pitch), pitch)
        parts = 2 + 2 * outputs(hidden) // projections.block_bytes()
        self.measures = feed_forward.take(RECORD_BYTES * parts)
        self.logits = head.take(projections.block_bytes()), head.take(projections.block_bytes())
        self._scratchpad.join(self.attention.softmax.phase, norm, feed_forward, head)
