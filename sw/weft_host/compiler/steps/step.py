"""Interface that all steps implement, and the attributes that they share."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from weft.spec.config import Config

from ..lower.lowered import Operation
from ..plan.allocators import WeightBufferRing
from ..plan.buffers import Buffers
from ..plan.resident_tensor import ResidentTensor
from ..plan.step_plan import StepPlan
from ..plan.tensor_view import TensorView
from .instruction_stream import InstructionStream

__all__ = ["HostAddresses", "OperationStep", "Step", "StepMemory"]

PlanT = TypeVar("PlanT", bound=StepPlan)
OperationT = TypeVar("OperationT", bound=Operation)


@dataclasses.dataclass(frozen=True, kw_only=True)
class HostAddresses:
    """Addresses of a step's data in host memory.

    Attributes
    ----------
    sources : tuple of :class:`int` or :class:`None`
        Address of each input in the section of tensors; ``None`` for a tensor that is only on chip.
    target : :class:`int` or :class:`None`
        Address of the output in the section of tensors; ``None`` if the output is not stored.
    constants : :class:`int`
        Address of the step's constants in the section of constants.
    """

    sources: tuple[int | None, ...]
    target: int | None
    constants: int

    def source(self, number: int) -> int:
        """Return the address of input ``number``, which must be in host memory."""
        address = self.sources[number]
        assert address is not None, "an input that is not on chip is in host memory"
        return address


@dataclasses.dataclass(frozen=True, kw_only=True)
class StepMemory:
    """Memory that is assigned to a step.

    Attributes
    ----------
    host : :class:`HostAddresses`
        Addresses in host memory.
    buffers : :class:`Buffers` of :class:`int`
        Scratchpad addresses of the step's own buffers.
    sources : tuple of :class:`ResidentTensor` or :class:`None`
        Each input in the scratchpad, with the shape that the step uses; ``None`` for an input that
        must be loaded.
    target : :class:`ResidentTensor` or :class:`None`
        The output in the scratchpad; ``None`` if the output must be stored.
    weights : :class:`WeightBufferRing`
        Allocator of the weight buffer, which all steps share.
    """

    host: HostAddresses
    buffers: Buffers[int]
    sources: tuple[ResidentTensor | None, ...]
    target: ResidentTensor | None
    weights: WeightBufferRing


class Step(Protocol[PlanT]):
    """Operation of the device that is planned as a whole.

    First the step is planned, for given tensors on chip. Then its instructions are emitted by
    :meth:`prepare` and :meth:`generate`, in this order.
    """

    @property
    def index(self) -> int:
        """Index of the operator in the model."""

    @property
    def name(self) -> str:
        """Name for reports and error messages."""

    @property
    def macs(self) -> int:
        """Number of multiply-accumulate operations."""

    @property
    def sources(self) -> tuple[int, ...]:
        """Tensors that the step reads."""

    @property
    def target(self) -> int:
        """Tensor that the step writes."""

    @property
    def uses_tables(self) -> bool:
        """True if the step loads tables into VECTOR."""

    @property
    def produces_blocks(self) -> bool:
        """True if the step reports its progress, so that a reader can process output blocks."""

    @property
    def consumes_blocks(self) -> bool:
        """True if the step can process its input in blocks while the previous step produces it."""

    def describe(self) -> str:
        """Return a short description for reports."""

    def output_view(self) -> TensorView | None:
        """Return the layout of the output, or ``None`` if the output cannot stay on chip."""

    def input_view(self, number: int) -> TensorView | None:
        """Return the layout of input ``number``, or ``None`` if the input cannot be on chip."""

    def plan(self, budget: int, sources: Sequence[ResidentTensor | None],
             target: ResidentTensor | None) -> PlanT:
        """Return the plan of the step.

        Parameters
        ----------
        budget : :class:`int`
            Bytes of the scratchpad for the step's own buffers.
        sources, target : :class:`ResidentTensor` or :class:`None`
            Inputs and output in the scratchpad; ``None`` for a tensor in host memory.

        Raises
        ------
        CapacityError
            If not even the smallest piece of the step fits.
        """

    def buffer_sizes(self, plan: PlanT) -> Buffers[int]:
        """Return the sizes in bytes of the step's own buffers."""

    def constants(self, plan: PlanT, sources: Sequence[ResidentTensor | None],
                  target: ResidentTensor | None) -> bytes:
        """Return the constants that the step loads from host memory."""

    def prepare(self, stream: InstructionStream, plan: PlanT, memory: StepMemory) -> None:
        """Emit the instructions that may run while the previous step runs."""

    def generate(self, stream: InstructionStream, plan: PlanT,
                 memory: StepMemory) -> Iterator[int]:
        """Emit all other instructions.

        Yields
        ------
        :class:`int`
            If the step produces blocks: after a block, the number of bytes of the output, from the
            first one, that are complete. If it consumes blocks: before a block, the number of
            bytes of the input, from the first one, that the block requires.
        """


@dataclasses.dataclass(frozen=True)
class OperationStep(Generic[OperationT]):
    """Attributes that all steps share; the base of the classes that implement :class:`Step`.

    Parameters
    ----------
    operation : :data:`Operation`
        Lowered operation that the step executes.
    config : :class:`weft.spec.config.Config`
        Configuration that executes it.
    """

    operation: OperationT
    config: Config

    uses_tables: ClassVar[bool] = False
    produces_blocks: ClassVar[bool] = False
    consumes_blocks: ClassVar[bool] = False

    @property
    def index(self) -> int:
        """Index of the operator in the model."""
        return self.operation.index

    @property
    def name(self) -> str:
        """Name for reports and error messages."""
        return self.operation.name

    @property
    def macs(self) -> int:
        """Number of multiply-accumulate operations."""
        return 0

    @property
    def sources(self) -> tuple[int, ...]:
        """Tensors that the step reads."""
        return self.operation.sources

    @property
    def target(self) -> int:
        """Tensor that the step writes."""
        return self.operation.target

    def describe(self) -> str:
        """Return a short description for reports."""
        return self.operation.describe()

    def prepare(self, stream: InstructionStream, plan: Any, memory: StepMemory) -> None:
        """Emit nothing: without tables, no instruction may run while the previous step runs."""
