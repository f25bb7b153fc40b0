"""Timing of LOAD and STORE: instructions to rows, rows to bursts, bursts over the port."""

from __future__ import annotations

import collections
import dataclasses

from weft.spec.config import Config

from .banks import Banks
from .bus import Burst, Channel, bursts
from .events import Clock, Condition
from .fetch import ReadArbiter
from .interfaces import Fields, IssueQueue, Process

__all__ = ["LoadUnit", "StoreUnit"]

SYNC = ("SYNC_LOAD", "SYNC_STORE")
LOCAL = ("FILL", "SYNC_LOAD")       # these transfer nothing over the port
READ_TO_BEAT = 8        # from a scratchpad read of STORE to its beat on the port


@dataclasses.dataclass
class _Row:
    """Row of a copy, registered in cycle ``moved``.

    ``index`` is that of the instruction in its last row, and None in its other rows.
    """

    moved: int
    name: str
    bursts: list[Burst]
    index: int | None


@dataclasses.dataclass
class _Transfer:
    """Burst in flight. LOAD sets the cycles of its first and last beat when they are known."""

    issued: int
    name: str
    burst: Burst
    index: int | None
    first: int | None = None
    last: int = 0


class _CopyUnit:
    """Common part of LOAD and STORE: an instruction register and a planner of bursts.

    The planner offers the first burst three cycles after it has accepted an instruction, then one
    burst per cycle, with at most ``outstanding`` bursts in flight.
    """

    def __init__(self, clock: Clock, config: Config, queue: IssueQueue) -> None:
        self.clock, self.config, self.queue = clock, config, queue
        self.in_flight = 0
        self.changed = Condition(clock)
        self.issued: list[tuple[int, str, Fields, int]] = []
        self.row: _Row | None = None        # waits until the previous row has issued its bursts
        clock.start(self._rows())
        clock.start(self._bursts())

    def issue(self, index: int, name: str, fields: Fields) -> None:
        """Accept an instruction in the current cycle."""
        self.issued.append((index, name, fields, self.clock.now + 1))
        self._notify()

    def _notify(self) -> None:
        self.changed.notify(self.clock.now)

    def _begin(self, transfer: _Transfer) -> None:
        """Begin a burst."""
        raise NotImplementedError

    def _rows(self) -> Process:
        moved = 0
        while True:
            while not self.issued:
                yield self.changed
            index, name, fields, registered = self.issued.pop(0)
            yield max(registered, moved + 1)
            self.queue.accept_from(self.clock.now + 1)
            rows = [[Burst(1, 0)]] if name in SYNC else list(bursts(self.config, fields))
            for number, row in enumerate(rows):
                yield self.clock.now + 1
                while self.row is not None:
                    yield self.changed
                moved = self.clock.now
                self.row = _Row(moved, name, row, index if number == len(rows) - 1 else None)
                self._notify()

    def _bursts(self) -> Process:
        while True:
            while self.row is None:
                yield self.changed
            row = self.row
            yield row.moved + 1
            self.row = None
            self._notify()
            for number, burst in enumerate(row.bursts):
                yield self.clock.now + 1
                while self.in_flight == self.config.outstanding:
                    yield self.changed
                self.in_flight += 1
                last = number == len(row.bursts) - 1
                self._begin(_Transfer(self.clock.now, row.name, burst, row.index if last else None))

    def _retire(self, index: int | None, done: int) -> None:
        """Retire a burst; ``index`` is the instruction that ends with it."""
        self.in_flight -= 1
        self._notify()
        if index is not None:
            self.queue.done(index, done)


class LoadUnit(_CopyUnit):
    """Timing of LOAD, LOAD_WGT, FILL and SYNC_LOAD.

    Parameters
    ----------
    clock : :class:`Clock`
    config : :class:`weft.spec.config.Config`
    arbiter : :class:`ReadArbiter`
        The read half of the port, shared with instruction fetch.
    banks : :class:`Banks`
    queue : :class:`IssueQueue`
    """

    def __init__(self, clock: Clock, config: Config, arbiter: ReadArbiter, banks: Banks,
                 queue: IssueQueue) -> None:
        self.arbiter, self.banks = arbiter, banks
        self.transfers: collections.deque[_Transfer] = collections.deque()
        super().__init__(clock, config, queue)
        clock.start(self._write())

    def _begin(self, transfer: _Transfer) -> None:
        self.transfers.append(transfer)
        beats = transfer.burst.beats
        if transfer.name not in LOCAL:
            self.arbiter.request(transfer.issued + 1, beats, self._arrive, transfer)
        else:
            self._arrive(transfer.issued + 2, transfer.issued + 1 + beats, beats, transfer)

    def _arrive(self, first: int, last: int, beats: int, transfer: _Transfer) -> None:
        transfer.first, transfer.last = first, last
        self._notify()

    def _is_split(self, addr: int) -> bool:
        """Return whether a beat to this address of the weight buffer takes two cycles."""
        config = self.config
        return bool(config.wgt_group == 2 and config.wgt_row_bytes == config.bus_bytes and addr % 2)

    def _write(self) -> Process:
        banks, channel, stalled = self.banks, self.arbiter.channel, 0
        while True:
            while not self.transfers or self.transfers[0].first is None:
                yield self.changed
            transfer = self.transfers.popleft()
            assert transfer.first is not None
            name, burst = transfer.name, transfer.burst
            yield transfer.first
            began, gap = self.clock.now, 1 if name in LOCAL else channel.gap
            split = name == "LOAD_WGT" and self._is_split(burst.local_addr)
            if name in ("LOAD", "FILL"):
                pieces = banks.pieces([(burst.local_addr, self.config.bus_bytes, burst.beats)])
                yield from banks.stream(banks.writes, pieces, 1 / gap)
            # beats behind a stalled one keep their distance
            spacing = max(gap, 1 + split)
            yield max(transfer.last, began + (burst.beats - 1) * spacing) + 1 + split
            if name not in LOCAL:
                before, stalled = stalled, self.clock.now - 1 - transfer.last
                channel.delay(stalled - before)
            # the scratchpad's write port has a register, the weight buffer's has none
            self._retire(transfer.index, self.clock.now + (name != "LOAD_WGT"))


class StoreUnit(_CopyUnit):
    """Timing of STORE and SYNC_STORE.

    Parameters
    ----------
    clock : :class:`Clock`
    config : :class:`weft.spec.config.Config`
    channel : :class:`Channel`
        The write half of the port.
    banks : :class:`Banks`
    queue : :class:`IssueQueue`
    """

    def __init__(self, clock: Clock, config: Config, channel: Channel, banks: Banks,
                 queue: IssueQueue) -> None:
        self.channel, self.banks = channel, banks
        self.response = 0
        self.transfers: collections.deque[_Transfer] = collections.deque()
        super().__init__(clock, config, queue)
        clock.start(self._read())

    def _begin(self, transfer: _Transfer) -> None:
        self.transfers.append(transfer)
        self._notify()

    def _read(self) -> Process:
        banks, clock, channel = self.banks, self.clock, self.channel
        while True:
            while not self.transfers:
                yield self.changed
            transfer = self.transfers.popleft()
            burst = transfer.burst
            if transfer.name in SYNC:
                response = transfer.issued + 1
            else:
                yield transfer.issued + 2
                _, last = channel.beats(clock.now + READ_TO_BEAT, burst.beats)
                pieces = banks.pieces([(burst.local_addr, self.config.bus_bytes, burst.beats)])
                yield from banks.stream(banks.reads, pieces, 1 / channel.gap)
                # the port stalls for beats that have not been read yet
                last = max(last, clock.now - 1 + READ_TO_BEAT)
                response = last + channel.latency
            self.response = max(response, self.response + 1)
            clock.at(self.response + 1, self._retire, transfer.index, self.response + 1)
