"""How long a program takes, from the program alone: no data, no RTL.

The model follows the hardware's structure, instruction by instruction and burst by burst: fetching
over the shared port, checks, queues, tokens, and the four units. See the page on performance
for what it leaves out and how far it may be off.
"""

import collections
import dataclasses

import numpy as np

from weft.spec import isa

from ..errors import ProgramError
from ..program.expand import unroll
from .timing.banks import Banks
from .timing.bus import Channel
from .timing.copies import LoadUnit, StoreUnit
from .timing.events import Clock, Condition
from .timing.front import Fetcher, ReadArbiter
from .timing.matmul import MatmulUnit
from .timing.vector import VectorUnit

__all__ = ["Prediction", "predict"]

TO_HEAD = 2             # from the queue's input to its head
GRANT = 1               # what the head lacks is looked at in one cycle, handed over in the next
TOKEN = 2               # done to the start of who waited
IN_WORK = 16
END = 6                 # last done to the interrupt


@dataclasses.dataclass(frozen=True, kw_only=True)
class Prediction:
    """A predicted run.

    Attributes
    ----------
    cycles : :class:`int`
        From start to done.
    times : array
        Lines ``queued``, ``handed``, ``done``, a cycle for each row of :func:`unroll`.
    heads : array
        When each row was next in its unit's queue.
    tokens : array
        When the last token was there that it waited for; 0 if it waits for none.
    givers : array
        The unit that gave that one; -1 if it waits for none.
    """

    cycles: int
    times: np.ndarray
    heads: np.ndarray
    tokens: np.ndarray
    givers: np.ndarray


class _Queue:
    """A unit's queue, its head, and what is handed over when; told by its unit what is done."""

    def __init__(self, model, number):
        self.model, self.clock, self.number = model, model.clock, number
        self.entries: collections.deque = collections.deque()
        self.tokens: list[collections.deque] = [collections.deque() for _ in isa.UNITS]
        self.space = Condition(self.clock)
        self.changed = Condition(self.clock)
        self.ready: int | None = 0
        self.in_work = 0
        self.clock.start(self._run())

    def consumed(self, cycle):
        """The unit can take the next instruction from ``cycle`` on."""
        self.ready = cycle
        self.changed.changed(self.clock.now)

    def done(self, number, cycle):
        """The unit has done a row, or will have in ``cycle``."""
        self.clock.at(cycle, self._done, number)

    def _done(self, number):
        model = self.model
        model.times[2, number] = self.clock.now
        self.in_work -= 1
        self.changed.changed(self.clock.now + 1)
        signal = model.rows[number].fields["signal"]
        for unit, queue in enumerate(model.queues):
            if signal >> unit & 1:
                queue.tokens[self.number].append(self.clock.now)
                queue.changed.changed(self.clock.now)

    def put(self, index):
        """Put an instruction into the queue in this cycle: True, or what to wait for."""
        if len(self.entries) == self.model.config.queue_depth:
            return self.space
        self.entries.append((index, self.clock.now))
        first, end = self.model.first[index:index + 2]
        self.model.times[0, first:end] = self.clock.now
        self.changed.changed(self.clock.now)
        return True

    def _run(self):
        model, handed = self.model, -1
        while True:
            while not self.entries:
                yield self.changed
            index, queued = self.entries[0]
            read = max(queued + 1, handed)
            yield read
            self.entries.popleft()
            self.space.changed(read + 1)
            head = read + 1
            for number in range(*model.first[index:index + 2]):
                model.heads[number] = head
                handed = yield from self._hand(number, model.rows[number], head)
                head = handed + 1

    def _hand(self, number, row, head):
        """Hand over a row that is at the head from ``head`` on; when that was."""
        model, fields = self.model, row.fields
        lacking = [unit for unit in range(len(isa.UNITS)) if fields["wait"] >> unit & 1]
        while not all(self.tokens[unit] for unit in lacking):
            yield self.changed
        given = {unit: self.tokens[unit].popleft() for unit in lacking}
        if given:
            giver = max(given, key=lambda unit: given[unit])
            model.givers[number], model.tokens[number] = giver, given[giver]
        while self.in_work == IN_WORK or self.ready is None:
            yield self.changed
        handed = max(head + GRANT, self.ready, self.clock.now,
                     *(cycle + TOKEN for cycle in given.values()))
        self.ready = None
        yield handed
        model.times[1, number] = handed
        self.in_work += 1
        model.units[self.number].hand(number, row.instruction.name, fields)
        return handed


class _Model:
    def __init__(self, program, config, latency, bandwidth):
        self.config = config
        self.clock = clock = Clock()
        self.rows = unroll(program)
        # an instruction's rows are those from first[index] to before first[index + 1]
        starts = [row for row in self.rows if not row.number]
        self.first = [number for number, row in enumerate(self.rows) if not row.number]
        count = len(self.rows)
        self.first.append(count)
        self.times = np.zeros((3, count), np.int64)
        self.heads, self.tokens = np.zeros((2, count), np.int64)
        self.givers = np.full(count, -1)
        arbiter = ReadArbiter(clock, Channel(latency, bandwidth))
        numbers = [row.instruction.unit for row in starts]
        self.queues = [_Queue(self, number) for number in range(len(isa.UNITS))]
        load, matmul, vector, store = self.queues
        banks = Banks(clock, config)
        self.units = [LoadUnit(clock, config, arbiter, banks, load),
                      MatmulUnit(clock, config, banks, matmul),
                      VectorUnit(clock, config, banks, vector),
                      StoreUnit(clock, config, Channel(latency, bandwidth), banks, store)]
        self.fetcher = Fetcher(clock, config, arbiter, 0, [row.instruction.name for row in starts],
                               lambda index: self.queues[numbers[index]].put(index))


def predict(program, *, latency=20, bandwidth=1.0, config=None):
    """The :class:`Prediction` for a program.

    Parameters
    ----------
    program : :class:`weft_host.program.file.Program`
    latency, bandwidth
        Of host memory, as for :class:`weft_host.device.RtlDevice`.
    config : :class:`weft.spec.config.Config` or :class:`None`
        Hardware that differs from the program's in speed: a wider bus, more lanes.

    Raises
    ------
    ProgramError
        If it is for the serial engine, of which the model knows nothing.
    ValueError
        If the program can never end.
    """
    if (config or program.config).compact:
        raise ProgramError(
            f"no cycles are predicted for {(config or program.config).name}: the model is one of "
            "units that work side by side, and this configuration is the serial engine. "
            "`weft run --on rtl` counts its cycles")
    model = _Model(program, config or program.config, latency, bandwidth)
    model.clock.run()
    unfinished = np.nonzero(model.times[2] == 0)[0]
    if len(unfinished):
        raise ValueError(f"the program never ends: instruction "
                         f"{model.rows[unfinished[0]].index} is never done")
    return Prediction(cycles=int(model.times[2].max()) + END, times=model.times,
                      heads=model.heads, tokens=model.tokens, givers=model.givers)
