"""Step that moves bytes from host memory through the scratchpad to host memory."""

import itertools
from collections.abc import Iterator, Sequence

from ..limits import MAX_COUNT
from ..lower.move import Move, StridedCopy
from ..plan.buffers import Buffers
from ..plan.move_plan import MovePlan, plan_move
from ..plan.resident_tensor import ResidentTensor
from .instruction_stream import HostSection, InstructionStream
from .step import OperationStep, StepMemory

__all__ = ["MoveStep"]


class MoveStep(OperationStep[Move]):
    """Step for a :class:`Move`. It implements :class:`Step`.

    Its tensors are in host memory, where LOAD and STORE can address them with any pitch.
    """

    def output_view(self) -> None:
        """Return ``None``: the output cannot stay on chip."""

    def input_view(self, number: int) -> None:
        """Return ``None``: no input can be on chip."""

    def plan(self, budget: int, sources: Sequence[ResidentTensor | None],
             target: ResidentTensor | None) -> MovePlan:
        """Return the plan of the operation; see :meth:`Step.plan`."""
        return plan_move(self.operation, self.config, budget)

    def buffer_sizes(self, plan: MovePlan) -> Buffers[int]:
        """Return the sizes in bytes of the step's own buffers."""
        return Buffers(inputs=(plan.block_bytes,) * plan.buffers)

    def constants(self, plan: MovePlan, sources: Sequence[ResidentTensor | None],
                  target: ResidentTensor | None) -> bytes:
        """Return the constant operand."""
        return self.operation.constant

    def generate(self, stream: InstructionStream, plan: MovePlan,
                 memory: StepMemory) -> Iterator[int]:
        """Emit the copies.

        Yields
        ------
        :class:`int`
            0, once before the first instruction.
        """
        yield 0
        target = memory.host.target
        assert target is not None, "the output of a move is in host memory"
        buffers = itertools.cycle(memory.buffers.inputs)
        if self.operation.fill is not None:
            self._fill(stream, plan, target, next(buffers), self.operation.fill)
        for copy in self.operation.copies:
            self._copy(stream, plan, memory, target, buffers, copy.merged())

    def _fill(self, stream: InstructionStream, plan: MovePlan, target: int, buffer: int,
              value: int) -> None:
        """Emit the stores of ``value`` to all bytes of the output."""
        block, total = min(plan.block_bytes, self.operation.size), self.operation.size
        stream.fill(buffer, block, value)
        for first in range(0, total, block):
            stream.store(target + first, buffer, min(block, total - first))

    def _copy(self, stream: InstructionStream, plan: MovePlan, memory: StepMemory, target: int,
              buffers: Iterator[int], copy: StridedCopy) -> None:
        """Emit a copy whose last dimension is a run of bytes.

        One LOAD transfers as many runs along the last dimension but one as a buffer holds.
        """
        if copy.operand < len(memory.sources):
            section, source = HostSection.TENSORS, memory.host.source(copy.operand)
        else:
            section, source = HostSection.CONSTANTS, memory.host.constants
        *outer, run = copy.counts
        rows, source_pitch, target_pitch = 1, 0, 0
        source_strides, target_strides = copy.source_strides[:-1], copy.target_strides[:-1]
        if outer and source_strides[-1] >= 0:
            rows, source_pitch, target_pitch = outer.pop(), source_strides[-1], target_strides[-1]
        for index in itertools.product(*map(range, outer)):
            first = source + copy.source_offset + sum(
                i * stride for i, stride in zip(index, source_strides))
            out = target + copy.target_offset + sum(
                i * stride for i, stride in zip(index, target_strides))
            for start in range(0, run, plan.block_bytes):
                size = min(plan.block_bytes, run - start)
                limit = min(max(1, plan.block_bytes // size), MAX_COUNT)
                for row in range(0, rows, limit):
                    count = min(limit, rows - row)
                    buffer = next(buffers)
                    stream.load(section, first + start + row * source_pitch, buffer, size, count,
                                source_pitch, size)
                    stream.store(out + start + row * target_pitch, buffer, size, count,
                                 target_pitch, size)
