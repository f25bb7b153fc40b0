"""From host memory to the queues: fetching, and the checks that take their time."""

from weft.spec import isa
from weft.spec.extents import EXTENTS

from .events import Condition

__all__ = ["Fetcher", "ReadArbiter", "STEPS"]

PREFETCH, MAX_GROUP = 8, 4
CHECK = 3               # cycles in which an instruction joins a burst
BEGIN = 3               # START to the first of them
FREE = 2                # an instruction is taken to its place being free
VALIDATE = 8            # last step of the checks to the queue

STEPS = {name: sum(max(1, len(extent.terms)) for extent in EXTENTS.get(name, ())) or 1
         for name in isa.BY_NAME}
"""Steps of the checks of an instruction."""


class ReadArbiter:
    """The reading half of the port behind its arbiter, which takes a cycle in each direction."""

    def __init__(self, clock, channel):
        self.clock, self.channel = clock, channel

    def ask(self, cycle, beats, arrives, *arguments):
        """Offer an address in ``cycle``; ``arrives(first, last, beats, ...)`` is called then."""
        self.clock.at(cycle, self._accept, beats, arrives, arguments)

    def _accept(self, beats, arrives, arguments):
        accepted = self.channel.address(self.clock.now)
        first, last = self.channel.beats(accepted + 1 + self.channel.latency, beats)
        arrives(first + 1, last + 1, beats, *arguments)


class Fetcher:
    """Fetches and checks the instructions of a program and offers them to their queues.

    Parameters
    ----------
    names : list of :class:`str`
        The program's instructions.
    queue : callable
        ``queue(index)`` puts an instruction into its queue in this cycle and returns True, or
        returns the :class:`Condition` to wait for if that is full.
    """

    def __init__(self, clock, config, arbiter, addr, names, queue):
        self.clock, self.config, self.arbiter = clock, config, arbiter
        self.addr, self.names, self.queue = addr, names, queue
        self.beats = isa.INSTRUCTION_BYTES // config.bus_bytes
        self.reserved = 0
        self.arrived = []           # the cycle from which each beat can be taken
        # the instruction in each of three registers: fetched, being checked, waiting for an answer
        self.fetched = self.checked = None
        self.front_free = 0
        self.changed = Condition(clock)
        for process in (self._fetch(), self._assemble(), self._front(), self._back()):
            clock.start(process)

    def _fetch(self):
        group = max(1, min(MAX_GROUP, self.config.max_burst // self.beats))
        asked, addr, now = 0, self.addr, BEGIN
        while asked < len(self.names):
            size, most = 0, group if asked else 1
            while True:
                now += CHECK
                yield now
                while not size and self.reserved > PREFETCH - group:
                    yield self.changed
                now = self.clock.now
                size += 1
                self.reserved += 1
                asked += 1
                addr += isa.INSTRUCTION_BYTES
                if size == most or addr % 4096 == 0 or asked == len(self.names):
                    break
            beats = size * self.beats
            parts = max(1, -(-beats // self.config.max_burst))
            for _ in range(parts):
                now += 1
                self.arbiter.ask(now, beats // parts, self._arrives)

    def _arrives(self, first, last, beats):
        gap = self.arbiter.channel.gap
        self.arrived += [first + gap * beat + 2 for beat in range(beats)]
        self.changed.changed(self.clock.now)

    def _free(self):
        self.reserved -= 1
        self._tell()

    def _tell(self):
        self.changed.changed(self.clock.now)

    def _assemble(self):
        taken = 0                   # of the last beat
        for index in range(len(self.names)):
            while self.fetched is not None or len(self.arrived) < (index + 1) * self.beats:
                yield self.changed
            taken = max(taken, self.front_free - 1)
            for beat in range(self.beats):
                taken = max(taken + 1, self.arrived[index * self.beats + beat])
            yield taken
            self.clock.at(taken + FREE, self._free)
            self.fetched = index, taken + 1
            self._tell()

    def _front(self):
        for index, name in enumerate(self.names):
            while self.fetched is None:
                yield self.changed
            yield self.fetched[1]
            self.fetched, self.front_free = None, self.clock.now
            self._tell()
            yield self.clock.now + STEPS[name]
            while self.checked is not None:
                yield self.changed
            self.checked = index
            self._tell()
            yield self.clock.now + 1

    def _back(self):
        for index in range(len(self.names)):
            while self.checked is None:
                yield self.changed
            yield self.clock.now + VALIDATE
            while (full := self.queue(index)) is not True:
                yield full
            self.checked = None
            self._tell()
