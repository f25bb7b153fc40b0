"""Cycle model: the time that a program takes, predicted from the program without data or RTL.

The model follows the hardware's structure, instruction by instruction and burst by burst: fetch
over the shared port, extent checks, queues, tokens, and the four units. ``docs/performance.md``
lists its simplifications and its error bounds.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from weft.spec import isa
from weft.spec.config import Config

from ..errors import ProgramError
from ..program.expand import NO_STEPS, Iteration, unroll
from ..program.file import Program
from ..progress import Progress, silent
from .timing.banks import Banks
from .timing.bus import Channel
from .timing.dma import LoadUnit
from .timing.events import Clock, Condition
from .timing.fetch import Fetcher, ReadArbiter
from .timing.interfaces import Process, Unit
from .timing.matmul import MatmulUnit
from .timing.ring import Ring
from .timing.store import StoreUnit
from .timing.vector import VectorUnit

__all__ = ["Prediction", "predict"]

ISSUE_LATENCY = 1       # the conditions of issue are registered
TOKEN_LATENCY = 2       # from done to the earliest issue of an instruction that waits for it
MAX_IN_FLIGHT = 16      # instructions in flight in a unit
INTERRUPT_LATENCY = 6   # from the last done to the interrupt
MEMBERS = [[unit for unit in range(len(isa.UNITS)) if mask >> unit & 1]
           for mask in range(1 << len(isa.UNITS))]      # units of each mask of tokens
REPORT = 256            # instructions between two reports of progress


@dataclasses.dataclass(frozen=True, kw_only=True)
class Prediction:
    """Predicted run of a program.

    The arrays have an element for each iteration of each instruction, in the order of
    :func:`weft_host.program.expand.unroll`.

    Attributes
    ----------
    cycles : :class:`int`
        Cycles from start to the interrupt.
    times : array
        Cycles as three rows: ``queued``, ``issued`` and ``done``.
    heads : array
        Cycle from which the iteration is at the head of its unit's queue.
    tokens : array
        Cycle in which the last of its tokens was sent; 0 for an iteration that waits for none.
    senders : array
        Unit that sent that token; -1 for an iteration that waits for none.
    """

    cycles: int
    times: npt.NDArray[np.int64]
    heads: npt.NDArray[np.int64]
    tokens: npt.NDArray[np.int64]
    senders: npt.NDArray[np.int64]


class _Queue:
    """Instruction queue of a unit with its token counters; see :class:`IssueQueue`."""

    def __init__(self, model: _Model, number: int) -> None:
        self.model, self.clock, self.number = model, model.clock, number
        self.entries: collections.deque[tuple[int, int]] = collections.deque()
        self.tokens: list[collections.deque[int]] = [collections.deque() for _ in isa.UNITS]
        self.space = Condition(self.clock)
        self.changed = Condition(self.clock)
        self.ready: int | None = 0      # cycle from which the unit accepts; None if unknown
        self.in_flight = 0
        self.clock.start(self._run())

    def accept_from(self, cycle: int) -> None:
        """Report that the unit accepts the next instruction from ``cycle`` on."""
        self.ready = cycle
        self.changed.notify()

    def done(self, number: int, cycle: int) -> None:
        """Report that iteration ``number`` is done in ``cycle``, which is not in the past."""
        self.clock.at(cycle, self._done, number)

    def _done(self, number: int) -> None:
        model = self.model
        model.times[2, number] = self.clock.now
        if self.in_flight == MAX_IN_FLIGHT:
            self.changed.notify(self.clock.now + 1)
        self.in_flight -= 1
        for unit in MEMBERS[model.iterations[number].fields["signal"]]:
            queue = model.queues[unit]
            queue.tokens[self.number].append(self.clock.now)
            queue.changed.notify()

    def put(self, index: int) -> Condition | None:
        """Enqueue an instruction in the current cycle, or return the condition to wait for."""
        if len(self.entries) == self.model.config.queue_depth:
            return self.space
        if index % REPORT == 0:
            self.model.progress(f"predicting the cycles: instruction {index + 1:,} of "
                                f"{len(self.model.first) - 1:,}")
        self.entries.append((index, self.clock.now))
        first, end = self.model.first[index:index + 2]
        self.model.times[0, first:end] = self.clock.now
        self.changed.notify()
        return None

    def _run(self) -> Process:
        model, issued = self.model, -1
        while True:
            while not self.entries:
                yield self.changed
            index, queued = self.entries[0]
            read = max(queued + 1, issued)
            if read > self.clock.now:
                yield read
            self.entries.popleft()
            if self.space.waiting:
                self.space.notify(read + 1)
            head = read + 1
            for number in range(*model.first[index:index + 2]):
                model.heads[number] = head
                yield from self._issue(number, model.iterations[number], head)
                issued = self.clock.now
                head = issued + 1

    def _issue(self, number: int, iteration: Iteration, head: int) -> Process:
        """Issue an iteration that is at the head from cycle ``head`` on."""
        model, fields = self.model, iteration.fields
        latest = 0
        for unit in MEMBERS[fields["wait"]]:
            tokens = self.tokens[unit]
            while not tokens:
                yield self.changed
        for unit in MEMBERS[fields["wait"]]:
            token = self.tokens[unit].popleft()
            if token + TOKEN_LATENCY > latest:
                latest = token + TOKEN_LATENCY
                model.senders[number], model.tokens[number] = unit, token
        while self.in_flight == MAX_IN_FLIGHT or self.ready is None:
            yield self.changed
        issued = max(head + ISSUE_LATENCY, self.ready, self.clock.now, latest)
        self.ready = None
        if issued > self.clock.now:
            yield issued
        model.times[1, number] = issued
        self.in_flight += 1
        model.units[self.number].issue(number, iteration.instruction.name, fields)


class _Model:
    def __init__(self, program: Program, config: Config, steps: Sequence[int], latency: int,
                 bandwidth: float, progress: Progress) -> None:
        self.config, self.progress = config, progress
        self.clock = clock = Clock()
        self.iterations = unroll(program, steps)
        # the iterations of an instruction are those from first[index] to before first[index + 1]
        starts = [iteration for iteration in self.iterations if not iteration.number]
        self.first = [number for number, iteration in enumerate(self.iterations)
                      if not iteration.number]
        count = len(self.iterations)
        self.first.append(count)
        self.times = np.zeros((3, count), np.int64)
        self.heads, self.tokens = np.zeros((2, count), np.int64)
        self.senders = np.full(count, -1)
        arbiter = ReadArbiter(clock, Channel(latency, bandwidth))
        names = [isa.BY_OPCODE[program.instruction(iteration.index)[0]].name
                 for iteration in starts]
        units = [iteration.instruction.unit for iteration in starts]
        self.queues = [_Queue(self, number) for number in range(len(isa.UNITS))]
        load, matmul, vector, store = self.queues
        banks, ring = Banks(clock, config), Ring(clock, config)
        self.units: list[Unit] = [
            LoadUnit(clock, config, arbiter, banks, ring, load),
            MatmulUnit(clock, config, banks, ring, matmul),
            VectorUnit(clock, config, banks, vector),
            StoreUnit(clock, config, Channel(latency, bandwidth), banks, store)]
        self.fetcher = Fetcher(clock, config, arbiter, 0, names,
                               lambda index: self.queues[units[index]].put(index))


def predict(program: Program, *, latency: int = 20, bandwidth: float = 1.0,
            config: Config | None = None, progress: Progress | None = None,
            steps: Sequence[int] = NO_STEPS) -> Prediction:
    """Predict the run of a program.

    Parameters
    ----------
    program : :class:`weft_host.program.file.Program`
    latency : :class:`int`
        Latency of host memory in cycles, as for :class:`weft_host.device.RtlDevice`.
    bandwidth : :class:`float`
        Beats per cycle of host memory.
    config : :class:`weft.spec.config.Config` or :class:`None`
        Hardware that runs the program. It may differ from the program's configuration in speed
        only: a wider bus, more lanes. None for the program's own.
    progress : callable or :class:`None`
        Receives a sentence now and then; see :mod:`weft_host.progress`.
    steps : sequence of :class:`int`
        Contents of the step registers.

    Raises
    ------
    ProgramError
        If the program is for the serial engine, which the model does not cover.
    ValueError
        If the program never ends.
    """
    config = config or program.config
    if config.compact:
        raise ProgramError(
            f"cannot predict the cycles of {config.name}: the cycle model covers units that work "
            "in parallel, and this configuration is the serial engine. Use `weft run --on rtl` to "
            "count its cycles")
    model = _Model(program, config, steps, latency, bandwidth, progress or silent)
    model.clock.run()
    unfinished = np.nonzero(model.times[2] == 0)[0]
    if len(unfinished):
        raise ValueError(f"the program never ends: instruction "
                         f"{model.iterations[unfinished[0]].index} is never done")
    return Prediction(cycles=int(model.times[2].max()) + INTERRUPT_LATENCY, times=model.times,
                      heads=model.heads, tokens=model.tokens, senders=model.senders)
