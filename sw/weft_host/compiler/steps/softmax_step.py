"""Step that executes a SOFTMAX."""

from collections.abc import Iterator, Sequence

from weft.spec.isa import TABLE_BYTES

from ..lower.elementwise import RowSoftmax
from ..lower.quantize import IDENTITY
from ..plan.buffers import Buffers
from ..plan.resident_tensor import ResidentTensor
from ..plan.softmax_plan import SoftmaxPlan, plan_softmax
from ..plan.tensor_view import TensorView
from .instruction_stream import HostSection, InstructionStream
from .step import OperationStep, StepMemory

__all__ = ["SoftmaxStep"]


class SoftmaxStep(OperationStep[RowSoftmax]):
    """Step for a :class:`RowSoftmax`. It implements :class:`Step`."""

    uses_tables = True

    def output_view(self) -> TensorView:
        """Return the layout of the output."""
        return TensorView(shape=(1, self.operation.rows, self.operation.size))

    def input_view(self, number: int) -> TensorView:
        """Return the layout of the input, which is that of the output."""
        return self.output_view()

    def plan(self, budget: int, sources: Sequence[ResidentTensor | None],
             target: ResidentTensor | None) -> SoftmaxPlan:
        """Return the plan of the operation; see :meth:`Step.plan`."""
        return plan_softmax(self.operation, self.config, budget,
                            input_on_chip=sources[0] is not None,
                            output_on_chip=target is not None)

    def buffer_sizes(self, plan: SoftmaxPlan) -> Buffers[int]:
        """Return the sizes in bytes of the step's own buffers."""
        return Buffers(
            inputs=() if plan.input_on_chip else (plan.block_bytes,) * plan.buffers,
            outputs=() if plan.output_on_chip else (plan.block_bytes,) * plan.buffers,
            parameters=(TABLE_BYTES,))

    def constants(self, plan: SoftmaxPlan, sources: Sequence[ResidentTensor | None],
                  target: ResidentTensor | None) -> bytes:
        """Return the table of exponentials."""
        return self.operation.table.astype("<i4").tobytes()

    def prepare(self, stream: InstructionStream, plan: SoftmaxPlan, memory: StepMemory) -> None:
        """Emit the load of the table.

        No step with tables of its own may run between this and the rest of the step.
        """
        address = memory.buffers.parameters[0]
        stream.load(HostSection.CONSTANTS, memory.host.constants, address, TABLE_BYTES)
        stream.table(address, 0, *IDENTITY)

    def generate(self, stream: InstructionStream, plan: SoftmaxPlan,
                 memory: StepMemory) -> Iterator[int]:
        """Emit the blocks of the operation; see :meth:`Step.generate`."""
        operation, host, buffers = self.operation, memory.host, memory.buffers
        source, target = memory.sources[0], memory.target
        for block, first in enumerate(range(0, operation.rows, plan.rows)):
            rows, offset = min(plan.rows, operation.rows - first), first * operation.size
            yield offset + rows * operation.size
            if source is not None:
                address = source.pixel_address(0, 0) + offset
            else:
                address = buffers.inputs[block % plan.buffers]
                stream.load(HostSection.TENSORS, host.source(0) + offset, address,
                            rows * operation.size)
            out = target.pixel_address(0, 0) + offset if target is not None \
                else buffers.outputs[block % plan.buffers]
            stream.softmax(address, out, rows, operation.size)
            if host.target is not None:
                stream.store(host.target + offset, out, rows * operation.size)
