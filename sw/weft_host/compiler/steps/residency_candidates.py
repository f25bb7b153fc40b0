"""Tensors that can stay in the scratchpad between the steps that write and read them."""

import collections
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from weft.spec.config import Config

from ..plan.resident_tensor import ResidentTensor, common_layout
from .step import Step

__all__ = ["Candidate", "find_candidates", "largest", "live_at", "share_memory"]


@dataclasses.dataclass(frozen=True)
class Candidate:
    """Tensor that could stay on chip.

    Attributes
    ----------
    layout : :class:`ResidentTensor`
        Layout without an address.
    first, last : :class:`int`
        Live range: the first and the last step that use the tensor.
    memory : :class:`int`
        Number of the memory that holds the tensor. Tensors with the same number overwrite one
        another in place.
    """

    layout: ResidentTensor
    first: int
    last: int
    memory: int

    @property
    def size(self) -> int:
        """Number of bytes."""
        return self.layout.size


def find_candidates(steps: Sequence[Step[Any]], config: Config) -> dict[int, Candidate]:
    """Return the tensors that one step writes and later steps read, all of them in one layout."""
    writers = {step.target: number for number, step in enumerate(steps)}
    readers: dict[int, list[tuple[int, int]]] = collections.defaultdict(list)
    for number, step in enumerate(steps):
        for operand, source in enumerate(step.sources):
            readers[source].append((number, operand))
    found = {}
    for index, writer in writers.items():
        uses = readers[index]
        written = steps[writer].output_view()
        views = [steps[number].input_view(operand) for number, operand in uses]
        read = [view for view in views if view is not None]
        if written is None or not uses or len(read) < len(views) \
                or min(number for number, _ in uses) <= writer:
            continue
        layout = common_layout(written, read)
        if layout is not None and layout.size <= config.spad_bytes:
            first = writer - _starts_early(steps, writer)
            found[index] = Candidate(layout, first, max(number for number, _ in uses), index)
    return found


def _starts_early(steps: Sequence[Step[Any]], number: int) -> bool:
    """Return whether a step may process blocks of its input while the previous step runs."""
    return number > 0 and steps[number].consumes_blocks and steps[number - 1].produces_blocks \
        and steps[number - 1].target in steps[number].sources


def share_memory(steps: Sequence[Step[Any]],
                 separate: Mapping[int, Candidate]) -> dict[int, Candidate]:
    """Return the candidates, with the results of elementwise steps in the memory of an operand."""
    candidates = dict(separate)
    reads = collections.Counter(source for step in steps for source in step.sources)
    for step in steps:
        target = candidates.get(step.target)
        if not step.consumes_blocks or target is None:
            continue
        for index in step.sources:
            source = candidates.get(index)
            if source is not None and reads[index] == 1 and source.layout.contiguous \
                    and source.layout.shape == target.layout.shape:
                candidates[index] = dataclasses.replace(
                    source, layout=dataclasses.replace(target.layout, halo_unused=True),
                    memory=target.memory)
                break
    return candidates


def live_at(candidates: Mapping[int, Candidate], *numbers: int) -> dict[int, Candidate]:
    """Return the candidates that are live at one of the steps ``numbers``."""
    return {index: candidate for index, candidate in candidates.items()
            if any(candidate.first <= number <= candidate.last for number in numbers)}


def largest(candidates: Mapping[int, Candidate]) -> int:
    """Return the index of the largest candidate: of equal ones, the last."""
    return max(candidates, key=lambda index: (candidates[index].size, index))
