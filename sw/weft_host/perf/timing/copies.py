"""LOAD and STORE: instructions to rows, rows to bursts, bursts over the port."""

import collections

from .bus import Burst, bursts
from .events import Condition

__all__ = ["LoadUnit", "StoreUnit"]

SYNC = ("SYNC_LOAD", "SYNC_STORE")
LOCAL = ("FILL", "SYNC_LOAD")       # nothing of these comes over the port
READ_TO_WORD = 8        # a scratchpad read of STORE to its beat on the port


class _Copies:
    """What both have in common: a register for the instruction, a planner of bursts.

    The planner offers the first burst three cycles after it took an instruction, then a burst a
    cycle; ``outstanding`` bursts may be owed by the port.
    """

    def __init__(self, clock, config, unit):
        self.clock, self.config, self.unit = clock, config, unit
        self.owed = 0
        self.changed = Condition(clock)
        self.work = []
        self.row = None             # the one that waits behind the row whose bursts are offered
        clock.start(self._rows())
        clock.start(self._offer())

    def hand(self, index, name, fields):
        """Take an instruction in this cycle; ``unit.consumed`` is told when the next may come."""
        self.work.append((index, name, fields, self.clock.now + 1))
        self._tell()

    def _tell(self):
        self.changed.changed(self.clock.now)

    def _issue(self, issue, name, burst, index):
        """A burst leaves the planner; ``index`` is that of an instruction that ends with it."""
        raise NotImplementedError

    def _rows(self):
        moved = 0
        while True:
            while not self.work:
                yield self.changed
            index, name, fields, held = self.work.pop(0)
            yield max(held, moved + 1)
            self.unit.consumed(self.clock.now + 1)
            rows = [[Burst(1, 0)]] if name in SYNC else list(bursts(self.config, fields))
            for number, row in enumerate(rows):
                yield self.clock.now + 1
                while self.row is not None:
                    yield self.changed
                moved = self.clock.now
                self.row = moved, name, row, index if number == len(rows) - 1 else None
                self._tell()

    def _offer(self):
        while True:
            while self.row is None:
                yield self.changed
            moved, name, row, index = self.row
            yield moved + 1
            self.row = None
            self._tell()
            for place, burst in enumerate(row):
                yield self.clock.now + 1
                while self.owed == self.config.outstanding:
                    yield self.changed
                self.owed += 1
                self._issue(self.clock.now, name, burst, index if place == len(row) - 1 else None)

    def _retired(self, index, done):
        """The port owes a burst less from the cycle after this one on."""
        self.owed -= 1
        self._tell()
        if index is not None:
            self.unit.done(index, done)


class LoadUnit(_Copies):
    """LOAD, LOAD_WGT, FILL and SYNC_LOAD; reads share their channel with instruction fetch.

    Parameters
    ----------
    arbiter : :class:`ReadArbiter`
    banks : :class:`Banks`
    unit
        Is told of instructions that are done (``done``), and when the next may come
        (``consumed``).
    """

    def __init__(self, clock, config, arbiter, banks, unit):
        self.arbiter, self.banks = arbiter, banks
        self.coming: collections.deque = collections.deque()
        super().__init__(clock, config, unit)
        clock.start(self._write())

    def _issue(self, issue, name, burst, index):
        job = {"name": name, "burst": burst, "index": index, "first": None, "last": None}
        self.coming.append(job)
        if name not in LOCAL:
            self.arbiter.ask(issue + 1, burst.beats, self._arrives, job)
        else:
            self._arrives(issue + 2, issue + 1 + burst.beats, burst.beats, job)

    def _arrives(self, first, last, beats, job):
        job["first"], job["last"] = first, last
        self._tell()

    def _in_two(self, addr):
        """Whether a beat to the weight buffer takes two cycles."""
        config = self.config
        return config.wgt_group == 2 and config.wgt_width == config.bus_bytes and addr % 2

    def _write(self):
        banks, channel, late = self.banks, self.arbiter.channel, 0
        while True:
            while not self.coming or self.coming[0]["first"] is None:
                yield self.changed
            job = self.coming.popleft()
            name, beats = job["name"], job["burst"].beats
            yield job["first"]
            began, gap = self.clock.now, 1 if name in LOCAL else channel.gap
            in_two = name == "LOAD_WGT" and self._in_two(job["burst"].local_addr)
            if name in ("LOAD", "FILL"):
                pieces = banks.pieces([(job["burst"].local_addr, self.config.bus_bytes, beats)])
                yield from banks.stream(banks.writes, pieces, 1 / gap)
            # beats behind one that had to wait keep their distance
            yield max(job["last"], began + (beats - 1) * max(gap, 1 + in_two)) + 1 + in_two
            if name not in LOCAL:
                before, late = late, self.clock.now - 1 - job["last"]
                channel.hold_up(late - before)
            # a write of the scratchpad waits a cycle at its port, one of the weight buffer does not
            self._retired(job["index"], self.clock.now + (name != "LOAD_WGT"))


class StoreUnit(_Copies):
    """STORE and SYNC_STORE.

    Parameters
    ----------
    channel : :class:`Channel`
        The writing half of the port.
    banks : :class:`Banks`
    """

    def __init__(self, clock, config, channel, banks, unit):
        self.channel, self.banks = channel, banks
        self.answered = 0
        self.coming: collections.deque = collections.deque()
        super().__init__(clock, config, unit)
        clock.start(self._read())

    def _issue(self, issue, name, burst, index):
        self.coming.append((issue, name, burst, index))
        self._tell()

    def _read(self):
        banks, clock, channel = self.banks, self.clock, self.channel
        while True:
            while not self.coming:
                yield self.changed
            issue, name, burst, index = self.coming.popleft()
            if name in SYNC:
                answer = issue + 1
            else:
                yield issue + 2
                first, last = channel.beats(clock.now + READ_TO_WORD, burst.beats)
                pieces = banks.pieces([(burst.local_addr, self.config.bus_bytes, burst.beats)])
                yield from banks.stream(banks.reads, pieces, 1 / channel.gap)
                # beats that were not yet read hold up the port
                last = max(last, clock.now - 1 + READ_TO_WORD)
                answer = last + channel.latency
            self.answered = max(answer, self.answered + 1)
            clock.at(self.answered + 1, self._retired, index, self.answered + 1)
