"""Emission of all steps in order, with two kinds of overlap between neighbouring steps.

- Tables are loaded while the previous step runs.
- An elementwise step processes each block of its operand as soon as the previous step has produced
  it, so that neither VECTOR nor the next reader waits for a whole tensor.
"""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from ...progress import Progress, silent
from ..steps.instruction_stream import InstructionStream
from ..steps.resident_transfer import fill_halo
from ..steps.step import Step, StepMemory

__all__ = ["StepEmission", "interleave"]


@dataclasses.dataclass
class StepEmission:
    """Step with all data that its emission requires.

    Attributes
    ----------
    step : :class:`Step`
        The step.
    plan : :class:`StepPlan`
        Plan of the step.
    memory : :class:`StepMemory`
        Memory of the step.
    early_parameters : :class:`bool`
        The buffers for the step's parameters are free while the previous step runs.
    """

    step: Step[Any]
    plan: Any
    memory: StepMemory
    early_parameters: bool
    _blocks: Iterator[int] | None = None

    def prepare(self, stream: InstructionStream) -> None:
        """Emit the instructions that may run while the previous step runs."""
        stream.layer = self.step.index
        self.step.prepare(stream, self.plan, self.memory)

    def advance(self, stream: InstructionStream) -> int | None:
        """Emit the step up to its next block.

        Returns
        -------
        :class:`int` or :class:`None`
            The value that :meth:`Step.generate` yields, or ``None`` at the end of the step.
        """
        if self._blocks is None:
            self._blocks = self.step.generate(stream, self.plan, self.memory)
        stream.layer = self.step.index
        return next(self._blocks, None)

    def finish(self, stream: InstructionStream) -> None:
        """Emit the fills of the output's halo.

        They follow the step's own loads, for which the array waits.
        """
        if self.memory.target is not None:
            stream.layer = self.step.index
            fill_halo(stream, self.memory.target)


def interleave(stream: InstructionStream, emissions: Sequence[StepEmission], *,
               progress: Progress = silent) -> None:
    """Emit all steps, and report each of them."""
    prepared = -1
    number = 0
    while number < len(emissions):
        progress(f"compiling: layer {number + 1} of {len(emissions)}")
        emission = emissions[number]
        following = emissions[number + 1] if number + 1 < len(emissions) else None
        if prepared < number:
            emission.prepare(stream)
        if following is not None and following.early_parameters \
                and not emission.step.uses_tables:
            following.prepare(stream)
            prepared = number + 1
        if following is not None and prepared > number and _can_overlap(emission, following):
            _emit_together(stream, emission, following)
            number += 2
            continue
        while emission.advance(stream) is not None:
            pass
        emission.finish(stream)
        number += 1


def _can_overlap(emission: StepEmission, following: StepEmission) -> bool:
    """Return whether ``following`` can process the output of ``emission`` block by block.

    All its operands and its output must be on chip.
    """
    return (emission.step.produces_blocks and following.step.consumes_blocks
            and following.plan.on_chip and emission.step.target in following.step.sources)


def _emit_together(stream: InstructionStream, emission: StepEmission,
                   following: StepEmission) -> None:
    """Emit each block of the following step as soon as its operands have been produced."""
    required = following.advance(stream)
    while (complete := emission.advance(stream)) is not None:
        while required is not None and required <= complete:
            required = following.advance(stream)
    emission.finish(stream)
    while required is not None:
        required = following.advance(stream)
    following.finish(stream)
