"""Program of one step of a language model: from a text token to the logits of the next one."""

import dataclasses

from weft.spec.config import Config
from weft.spec.fixed_point_instructions import ComputeOp, OperandType, OutputType
from weft.spec.integers import round_up

from ...progress import Progress, silent
from ..frontend.llm.model_file import LanguageModelFile
from ..verdict import ModelError
from .builder import HostArea, ProgramBuilder
from .layer_emitter import LayerEmitter
from .parameters import Head, attention_of, feed_forward_of, head_of
from .parts import Part
from .step_buffers import StepBuffers
from .step_values import StepRegisters

__all__ = ["MOST_POSITIONS", "StepProgram", "build_step"]

MOST_POSITIONS = 65_535
"""Most positions of the numerics."""

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
    """Emission of one step."""

    def __init__(self, buffers: StepBuffers) -> None:
        self.buffers, self.builder, self.model = buffers, buffers.builder, buffers.model

    def emit(self, progress: Progress) -> int:
        """Append all instructions; return the fraction bits of logits."""
        shape, layers = self.model.architecture, LayerEmitter(self.buffers)
        self._begin()
        self.buffers.attention.begin()
        for index, layer in enumerate(self.model.weights.layers):
            progress(f"compiling: layer {index + 1} of {shape.layers}")
            self.builder.layer = index
            attention = self.buffers.order.apply(attention_of(shape, layer))
            layers.norm(attention.gains)
            layers.attention(index, attention)
            feed_forward = feed_forward_of(layer)
            layers.norm(feed_forward.gains)
            layers.feed_forward(feed_forward)
        progress("compiling: head")
        self.builder.layer = shape.layers
        head = head_of(self.model)
        layers.norm(head.gains)
        self.builder.part = Part.HEAD
        self._head(head)
        return head.fraction

    def _begin(self) -> None:
        """Append the embedding of the text token, and of its position."""
        shape, builder, buffers = self.model.architecture, self.builder, self.buffers
        registers, vectors = buffers.registers, buffers.vectors
        builder.copy("LOAD_STEP", HostArea.CONSTANTS, None, count=1, bytes=shape.dim + 8,
                     local_addr=buffers.tokens, host_addr=buffers.embedding,
                     host_step=registers.TOKEN)
        vectors.widen(buffers.tokens, buffers.tokens + shape.dim, shape.dim, buffers.residual)
        if self.model.weights.positions is not None:
            builder.copy("LOAD_STEP", HostArea.CONSTANTS, None, count=1, bytes=4 * shape.dim,
                         local_addr=buffers.centered, host_addr=buffers.position_table,
                         host_step=registers.POSITION)
            vectors.compute(
                ComputeOp.ADD, a_addr=buffers.residual, b_addr=buffers.centered,
                b_type=OperandType.INT32, count=1, elements_count=shape.dim,
                out_type=OutputType.INT32, out_addr=buffers.residual)
        if shape.rope is not None:
            builder.copy("LOAD_STEP", HostArea.CONSTANTS, None, count=1,
                         bytes=buffers.order.rotation_bytes, local_addr=buffers.rotation,
                         host_addr=buffers.rotation_table, host_step=registers.ROTATION)

    def _head(self, head: Head) -> None:
        """Append the projection to logits, and their stores behind the cache."""
        buffers, size = self.buffers, 4 * self.buffers.config.cols
        stored = buffers.projections.store(head.matrix)
        for number, block in enumerate(stored.blocks):
            out = buffers.logits[number % 2]
            buffers.projections.emit_block(stored, block, buffers.inputs, out)
            self.builder.copy("STORE", HostArea.CACHE, _LOGITS, count=1, local_addr=out,
                              bytes=size * block.groups,
                              host_addr=buffers.cache.size + size * block.first)


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
    buffers = StepBuffers(model, config, context)
    fraction = _Step(buffers).emit(progress)
    logits = 4 * round_up(model.architecture.vocabulary, config.cols)
    return StepProgram(buffers.builder, buffers.constants.joined(), buffers.cache.size, logits,
                       fraction, buffers.registers)
