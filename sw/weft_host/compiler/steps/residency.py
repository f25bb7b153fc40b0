"""Residency of tensors: which of them stay in the scratchpad between the steps that use them."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

from weft.spec.config import Config
from weft.spec.integers import round_up

from ...progress import Progress, silent
from ..plan.buffers import Buffers
from ..plan.resident_tensor import ResidentTensor
from ..plan.scratchpad_allocation import BufferRequest, allocate
from ..plan.step_plan import StepPlan
from ..verdict import CapacityError
from .residency_candidates import Candidate, find_candidates, largest, live_at, share_memory
from .step import Step

__all__ = ["Arrangement", "arrange", "resident_operands"]

SLOWER = 1.1
"""Factor of estimated cycles: a tensor does not stay on chip if the remaining scratchpad makes a
layer slower by more than this factor, and moving the tensor to host memory and back costs less."""

EARLY_USES = ("parameters", "constants")
"""Uses of buffers that are filled while the previous step runs, if there is space."""


@dataclasses.dataclass(frozen=True)
class Arrangement:
    """Plans and scratchpad addresses of all steps.

    Attributes
    ----------
    plans : list of :class:`StepPlan`
        Plan of each step.
    buffers : list of :class:`Buffers` of :class:`int`
        Addresses of each step's own buffers.
    resident : dict of int to :class:`ResidentTensor`
        Tensors that stay on chip, by tensor index.
    early_parameters : :class:`bool`
        The buffers for a step's parameters are free while the previous step runs.
    """

    plans: list[StepPlan]
    buffers: list[Buffers[int]]
    resident: dict[int, ResidentTensor]
    early_parameters: bool


def arrange(steps: Sequence[Step[Any]], config: Config, *,
            progress: Progress = silent) -> Arrangement:
    """Plan all steps and allocate the scratchpad.

    At first, all tensors stay on chip that can. While a step or a buffer does not fit, the largest
    tensor that is live there is moved to host memory.

    Parameters
    ----------
    steps : sequence of :class:`Step`
        Steps in execution order.
    config : :class:`weft.spec.config.Config`
        Configuration that executes them.
    progress : callable
        Receives a sentence for each attempt.

    Raises
    ------
    CapacityError
        If a step does not fit even with all tensors in host memory.
    """
    separate = find_candidates(steps, config)
    candidates = share_memory(steps, separate)
    planner = _Planner(steps, config)
    while True:
        progress(f"compiling: choosing the tensors that stay on chip, {len(candidates)} left")
        plans = planner.plan_steps(candidates)
        result = plans if isinstance(plans, _Spill) else _allocate(
            steps, config, candidates, plans)
        if isinstance(result, Arrangement):
            return result
        # tensors that share memory are first separated; only then is one moved to host memory
        sharing = [index for index, candidate in candidates.items()
                   if candidate.memory == candidates[result.tensor].memory]
        if len(sharing) > 1:
            candidates.update((index, separate[index]) for index in sharing)
        else:
            del candidates[result.tensor]


def resident_operands(
        step: Step[Any], resident: Mapping[int, ResidentTensor]
        ) -> tuple[tuple[ResidentTensor | None, ...], ResidentTensor | None]:
    """Return the inputs and the output of a step in the scratchpad, with the shapes that it uses.

    The result is ``None`` for a tensor in host memory.
    """
    sources = []
    for number, index in enumerate(step.sources):
        view = step.input_view(number) if index in resident else None
        sources.append(None if view is None else resident[index].reshaped(view.shape))
    view = step.output_view() if step.target in resident else None
    target = None if view is None else resident[step.target].reshaped(view.shape)
    return tuple(sources), target


@dataclasses.dataclass(frozen=True)
class _Spill:
    """Decision to move ``tensor`` to host memory."""

    tensor: int


class _Planner:
    """Planner of single steps, which computes no plan twice."""

    def __init__(self, steps: Sequence[Step[Any]], config: Config) -> None:
        self.steps, self.config = steps, config
        self.cache: dict[tuple[object, ...], StepPlan | CapacityError] = {}

    def plan_steps(self, candidates: Mapping[int, Candidate]) -> list[StepPlan] | _Spill:
        """Return the plans of all steps, or the tensor to move to host memory."""
        config = self.config
        plans = []
        for number, step in enumerate(self.steps):
            live = live_at(candidates, number)
            sources, target = resident_operands(
                step, {index: candidate.layout for index, candidate in live.items()})
            memories = {candidate.memory: candidate.size for candidate in live.values()}
            used = sum(round_up(size, config.spad_row_bytes) for size in memories.values())
            plan = self._plan(number, config.spad_bytes - used, sources, target)
            if isinstance(plan, CapacityError):
                if not live:
                    raise plan
                return _Spill(largest(live))
            if live and self._is_slow(number, plan, live[largest(live)].size):
                return _Spill(largest(live))
            plans.append(plan)
        return plans

    def _is_slow(self, number: int, plan: StepPlan, size: int) -> bool:
        """Return whether a step would gain from moving a tensor of ``size`` bytes to host memory.

        ``plan`` is compared with a plan that has the whole scratchpad for the step's buffers and
        all tensors in host memory, plus the time to store and load the tensor.
        """
        unconstrained = self._plan(number, self.config.spad_bytes,
                                   (None,) * len(self.steps[number].sources), None)
        if isinstance(unconstrained, CapacityError):
            return False
        moving = 2 * size // self.config.bus_bytes
        return plan.cycles > SLOWER * unconstrained.cycles + moving

    def _plan(self, number: int, budget: int, sources: tuple[ResidentTensor | None, ...],
              target: ResidentTensor | None) -> StepPlan | CapacityError:
        key = number, budget, sources, target
        if key not in self.cache:
            try:
                self.cache[key] = self.steps[number].plan(budget, sources, target)
            except CapacityError as error:
                self.cache[key] = error
        return self.cache[key]


def _allocate(steps: Sequence[Step[Any]], config: Config, candidates: Mapping[int, Candidate],
              plans: list[StepPlan]) -> Arrangement | _Spill:
    """Return the arrangement for these plans, or the tensor to move to host memory."""
    for early in (True, False):
        memories, buffers = _requests(steps, candidates, plans, early)
        failed = allocate([*memories.values(), *(request for own in buffers for request in own)],
                          config)
        if failed is None:
            return Arrangement(
                plans, [own.map(lambda _, request: request.address) for own in buffers],
                {index: dataclasses.replace(candidate.layout,
                                            address=memories[candidate.memory].address)
                 for index, candidate in candidates.items()}, early)
    assert failed is not None, "the loop returns if all requests fit"
    live = live_at(candidates, failed.first, failed.last)
    if not live:
        raise AssertionError(f"{failed.name} finds no space although the plan of its step fits")
    return _Spill(largest(live))


def _requests(steps: Sequence[Step[Any]], candidates: Mapping[int, Candidate],
              plans: list[StepPlan], early: bool
              ) -> tuple[dict[int, BufferRequest], list[Buffers[BufferRequest]]]:
    """Return the requests for tensors, by number of their memory, and for each step's buffers.

    With ``early``, the live range of parameters begins with the previous step.
    """
    memories: dict[int, BufferRequest] = {}
    for candidate in candidates.values():
        request = memories.setdefault(candidate.memory, BufferRequest(
            candidate.size, candidate.first, candidate.last, f"tensor {candidate.memory}"))
        request.first = min(request.first, candidate.first)
        request.last = max(request.last, candidate.last)
    buffers = []
    for number, (step, plan) in enumerate(zip(steps, plans)):
        own = step.buffer_sizes(plan).map(functools.partial(_buffer_request, number, early))
        buffers.append(own)
        reads = [memories[candidates[source].memory] for source in step.sources
                 if source in candidates]
        reads += own.inputs
        # a bank serves one read and one write per cycle: VECTOR reads parameters and STORE reads
        # outputs while MATMUL reads vectors
        others = [*own.outputs, *own.parameters]
        for read in reads:
            read.other_banks += others
        for other in others:
            other.other_banks += reads
        for group in (own.inputs, own.outputs):
            for item in group:
                item.same_banks += [other for other in group if other is not item]
    return memories, buffers


def _buffer_request(number: int, early: bool, use: str, size: int) -> BufferRequest:
    """Return the request for a buffer of step ``number``."""
    first = max(0, number - (early and use in EARLY_USES))
    return BufferRequest(size, first, number, f"the buffer for {use} of step {number}")
