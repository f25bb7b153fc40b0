"""Step that executes an elementwise operation with MAP."""

from collections.abc import Iterator, Sequence

import numpy as np

from weft.spec.isa import TABLE_BYTES

from ..lower.elementwise import Elementwise
from ..plan.buffers import Buffers
from ..plan.map_plan import MapPlan, plan_map
from ..plan.resident_tensor import ResidentTensor
from ..plan.tensor_view import TensorView
from .instruction_stream import HostSection, InstructionStream
from .step import OperationStep, StepMemory

__all__ = ["MapStep"]


class MapStep(OperationStep[Elementwise]):
    """Step for an :class:`Elementwise` operation. It implements :class:`Step`."""

    uses_tables = True
    consumes_blocks = True

    def output_view(self) -> TensorView:
        """Return the layout of the output."""
        return TensorView(shape=self.operation.shape)

    def input_view(self, number: int) -> TensorView:
        """Return the layout of an input, which is that of the output."""
        return TensorView(shape=self.operation.shape)

    def plan(self, budget: int, sources: Sequence[ResidentTensor | None],
             target: ResidentTensor | None) -> MapPlan:
        """Return the plan of the operation; see :meth:`Step.plan`."""
        return plan_map(self.operation, self.config, budget, sources, target)

    def buffer_sizes(self, plan: MapPlan) -> Buffers[int]:
        """Return the sizes in bytes of the step's own buffers."""
        return Buffers(
            inputs=(plan.block_bytes,) * plan.buffers * sum(plan.staged),
            outputs=() if plan.output_on_chip else (plan.block_bytes,) * plan.buffers,
            constants=(plan.constant_bytes,) * (1 + self.operation.has_constant_rows)
            if plan.constant_bytes else (),
            parameters=(plan.table_bytes,))

    def constants(self, plan: MapPlan, sources: Sequence[ResidentTensor | None],
                  target: ResidentTensor | None) -> bytes:
        """Return the tables, followed by the constant operand."""
        parts = [table.astype("<i4").tobytes() for table in self.operation.tables]
        if self.operation.constant is not None:
            parts.append(np.ascontiguousarray(self.operation.constant, np.int8).tobytes())
        return b"".join(parts)

    def prepare(self, stream: InstructionStream, plan: MapPlan, memory: StepMemory) -> None:
        """Emit the loads of the tables.

        No step with tables of its own may run between these and the rest of the step.
        """
        operation, address = self.operation, memory.buffers.parameters[0]
        separate = plan.table_bytes >= TABLE_BYTES * len(operation.tables)
        for number in range(len(operation.tables)):
            table_address = address + number * TABLE_BYTES * separate
            stream.load(HostSection.CONSTANTS, memory.host.constants + number * TABLE_BYTES,
                        table_address, TABLE_BYTES)
            stream.table(table_address, number, operation.multiplier, operation.shift)

    def generate(self, stream: InstructionStream, plan: MapPlan,
                 memory: StepMemory) -> Iterator[int]:
        """Emit the blocks of the operation; see :meth:`Step.generate`."""
        return _BlockEmitter(self.operation, stream, plan, memory).run()


class _BlockEmitter:
    """Emitter of the blocks of an elementwise operation.

    A block consists of ``rows`` rows from row ``first``, and ``size`` bytes of each from byte
    ``start``.
    """

    def __init__(self, operation: Elementwise, stream: InstructionStream, plan: MapPlan,
                 memory: StepMemory) -> None:
        self.operation, self.stream, self.plan, self.memory = operation, stream, plan, memory
        self.block = 0      # number of the block, which selects its buffers

    def run(self) -> Iterator[int]:
        plan = self.plan
        for start in range(0, plan.width, plan.size):
            size = min(plan.size, plan.width - start)
            for first in range(0, plan.height, plan.rows):
                rows = min(plan.rows, plan.height - first)
                yield (first + rows - 1) * plan.width + start + size
                self._emit(first, rows, start, size)
                self.block += 1

    def _emit(self, first: int, rows: int, start: int, size: int) -> None:
        operation, plan, stream, memory = self.operation, self.plan, self.stream, self.memory
        operands, staged = [], 0
        for number, resident in enumerate(memory.sources):
            if resident is not None:
                operands.append((resident.pixel_address(first, 0) + start, self._pitch(resident)))
                continue
            buffer = memory.buffers.inputs[staged * plan.buffers + self.block % plan.buffers]
            staged += 1
            self._load(HostSection.TENSORS, memory.host.source(number), buffer, first, rows, start,
                       size)
            operands.append((buffer, size))
        if operation.constant is not None:
            operands.append(self._constant(first, rows, start, size))
        if memory.target is not None:
            out = memory.target.pixel_address(first, 0) + start
            out_pitch = self._pitch(memory.target)
        else:
            out, out_pitch = memory.buffers.outputs[self.block % plan.buffers], size
        stream.map(operation.op, operands, out, out_pitch, rows, size, mode=int(operation.mode),
                   zero_point=operation.zero_point, clamp_min=operation.clamp_min,
                   clamp_max=operation.clamp_max)
        if memory.host.target is not None:
            host = memory.host.target + first * plan.width + start
            if rows == 1 or size == plan.width == out_pitch:
                stream.store(host, out, rows * size)
            else:
                stream.store(host, out, size, rows, plan.width, out_pitch)

    def _pitch(self, resident: ResidentTensor) -> int:
        """Return the bytes from one row of the plan to the next in a tensor on chip."""
        return resident.row_pitch if self.plan.height > 1 else 0

    def _constant(self, first: int, rows: int, start: int, size: int) -> tuple[int, int]:
        """Load the block of the constant operand, and return its address and pitch."""
        host = self.memory.host.constants + len(self.operation.tables) * TABLE_BYTES
        buffers = self.memory.buffers.constants
        if len(buffers) > 1:
            buffer = buffers[self.block % 2]
            self._load(HostSection.CONSTANTS, host, buffer, first, rows, start, size)
            return buffer, size
        if first == 0:      # the only row serves all rows of these columns
            self._load(HostSection.CONSTANTS, host, buffers[0], 0, 1, start, size)
        return buffers[0], 0

    def _load(self, section: HostSection, host: int, local: int, first: int, rows: int, start: int,
              size: int) -> None:
        """Load a block of the tensor at ``host`` to the scratchpad address ``local``."""
        width = self.plan.width
        host += first * width + start
        if size == width or rows == 1:
            self.stream.load(section, host, local, rows * size)
        else:
            self.stream.load(section, host, local, size, rows, width, size)
