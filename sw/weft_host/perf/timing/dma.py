"""Timing of LOAD and STORE: instructions to rows, rows to bursts, bursts over the port."""

from __future__ import annotations

import collections
import dataclasses
import typing
from collections.abc import Generator

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


@dataclasses.dataclass(slots=True)
class _Transfer:
    """Burst of LOAD in flight. The cycles of its first and last beat are set when known."""

    issued: int
    name: str
    burst: Burst
    index: int | None
    first: int | None = None
    last: int = 0


_Burst: typing.TypeAlias = tuple[int, str, Burst, int | None]
"""Earliest cycle of a burst, name of its instruction, size and address, and the index of the
instruction if it ends with this burst."""


class _CopyUnit:
    """Common part of LOAD and STORE: an instruction register and a planner of bursts.

    The planner offers the first burst three cycles after it has accepted an instruction, then one
    burst per cycle, with at most ``outstanding`` bursts in flight. A row register stands between
    the rows of an instruction and their bursts: a row enters it when the previous row leaves it,
    and leaves it a cycle later or when the bursts of the previous row have begun.
    """

    def __init__(self, clock: Clock, config: Config, queue: IssueQueue) -> None:
        self.clock, self.config, self.queue = clock, config, queue
        self.added = Condition(clock)
        self.issued: collections.deque[tuple[int, str, Fields, int]] = collections.deque()
        self.accepted: collections.deque[tuple[int, str, list[list[Burst]], int]] = \
            collections.deque()
        self.was_issued = Condition(clock)
        # cycles in which the last row of the last accepted instruction enters the row register,
        # and in which it leaves it; None if not yet known
        self.entered: int | None = 0
        self.left: int | None = 0
        self.known = Condition(clock)
        self.plan = self._plan()
        clock.start(self._accept())

    def issue(self, index: int, name: str, fields: Fields) -> None:
        """Accept an instruction in the current cycle."""
        self.issued.append((index, name, fields, self.clock.now + 1))
        self.was_issued.notify()

    def _accept(self) -> Process:
        clock = self.clock
        while True:
            while not self.issued:
                yield self.was_issued
            index, name, fields, registered = self.issued.popleft()
            while self.entered is None:
                yield self.known
            yield max(registered, self.entered + 1)
            self.queue.accept_from(clock.now + 1)
            rows = [[(1, 0)]] if name in SYNC else list(bursts(self.config, fields))
            self.entered = max(clock.now + 1, self.left) \
                if len(rows) == 1 and self.left is not None else None
            self.left = None
            self.accepted.append((index, name, rows, clock.now))
            self._instruction_accepted()

    def _instruction_accepted(self) -> None:
        """Continue planning."""
        raise NotImplementedError

    def _plan(self) -> Generator[_Burst | None, int, None]:
        """Yield each burst when its predecessor's cycle is known, or None without instructions.

        Expects to be sent the cycle in which the burst begins.
        """
        left = begun = 0
        while True:
            while not self.accepted:
                yield None
            index, name, rows, accepted = self.accepted.popleft()
            entered = max(accepted + 1, left)
            for behind, row in zip(range(len(rows) - 1, -1, -1), rows):
                left = entered = max(entered + 1, begun)    # the next row enters the register
                if behind < 2:
                    self._publish(behind, entered, left)
                first = left + 1
                for number, burst in enumerate(row, 1):
                    begun = yield (first, name, burst,
                                   None if behind or number < len(row) else index)
                    first = begun + 1

    def _publish(self, behind: int, entered: int, left: int) -> None:
        """Record when the last row enters the row register, or when it leaves it.

        ``behind`` is the number of rows behind the one that leaves the register in cycle ``left``;
        the next one enters it in cycle ``entered``.
        """
        if behind:
            self.entered = entered
        elif not self.accepted:
            self.left = left
        elif len(self.accepted[0][2]) == 1:     # only one instruction can be accepted by then
            self.entered = max(self.accepted[0][3] + 1, left)
        self.known.notify()


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
        self.in_flight = 0
        self.retired, self.was_accepted = Condition(clock), Condition(clock)
        super().__init__(clock, config, queue)
        clock.start(self._begin_bursts())
        clock.start(self._write())

    def _instruction_accepted(self) -> None:
        self.was_accepted.notify()

    def _begin_bursts(self) -> Process:
        clock, plan, outstanding = self.clock, self.plan, self.config.outstanding
        planned = next(plan)
        while True:
            while planned is None:
                yield self.was_accepted
                planned = next(plan)
            first, name, burst, index = planned
            yield first
            while self.in_flight == outstanding:
                yield self.retired
            self.in_flight += 1
            self._begin(clock.now, name, burst, index)
            planned = plan.send(clock.now)

    def _begin(self, issued: int, name: str, burst: Burst, index: int | None) -> None:
        transfer = _Transfer(issued, name, burst, index)
        self.transfers.append(transfer)
        beats, _ = burst
        if name not in LOCAL:
            self.arbiter.request(transfer.issued + 1, beats, self._arrive, transfer)
        else:
            self._arrive(transfer.issued + 2, transfer.issued + 1 + beats, beats, transfer)

    def _retire(self, index: int | None, done: int) -> None:
        """Retire a burst; ``index`` is the instruction that ends with it."""
        self.in_flight -= 1
        if self.retired.waiting:
            self.retired.notify()
        if index is not None:
            self.queue.done(index, done)

    def _arrive(self, first: int, last: int, beats: int, transfer: _Transfer) -> None:
        transfer.first, transfer.last = first, last
        self.added.notify()

    def _is_split(self, addr: int) -> bool:
        """Return whether a beat to this address of the weight buffer takes two cycles."""
        config = self.config
        return bool(config.wgt_group == 2 and config.wgt_row_bytes == config.bus_bytes and addr % 2)

    def _write(self) -> Process:
        clock, banks, channel = self.clock, self.banks, self.arbiter.channel
        bus_bytes, stalled = self.config.bus_bytes, 0
        while True:
            while not self.transfers or self.transfers[0].first is None:
                yield self.added
            transfer = self.transfers.popleft()
            assert transfer.first is not None
            name, (beats, addr) = transfer.name, transfer.burst
            if transfer.first > clock.now:
                yield transfer.first
            began, gap = clock.now, 1 if name in LOCAL else channel.gap
            split = name == "LOAD_WGT" and self._is_split(addr)
            if name in ("LOAD", "FILL"):
                pieces = banks.grid_pieces(addr, 1, 0, beats, bus_bytes)
                for bank, count in pieces:
                    yield banks.writes[bank].begin(count, 1 / gap)
            # beats behind a stalled one keep their distance
            spacing = max(gap, 1 + split)
            yield max(transfer.last, began + (beats - 1) * spacing) + 1 + split
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
        self.transfers: collections.deque[_Burst] = collections.deque()
        # cycles from which the places of the bursts in flight are free, as far as known
        self.places = collections.deque([0] * config.outstanding)
        super().__init__(clock, config, queue)
        self.planned = next(self.plan)
        clock.start(self._read())

    def _instruction_accepted(self) -> None:
        if self.planned is None:
            self.planned = next(self.plan)
        self._begin_bursts()

    def _begin_bursts(self) -> None:
        """Add the bursts whose cycle is known, which may be a later one.

        Bursts retire in order, so that a burst takes the place which is free first.
        """
        while self.planned is not None and self.places:
            first, name, burst, index = self.planned
            free = self.places.popleft()
            begun = first if first > free else free
            self.transfers.append((begun, name, burst, index))
            self.planned = self.plan.send(begun)
        if self.transfers and self.added.waiting:
            self.added.notify()

    def _read(self) -> Process:
        banks, clock, channel = self.banks, self.clock, self.channel
        bus_bytes, demand = self.config.bus_bytes, 1 / channel.gap
        while True:
            while not self.transfers:
                yield self.added
            issued, name, (beats, addr), index = self.transfers.popleft()
            if name in SYNC:
                response = issued + 1
            else:
                if issued + 2 > clock.now:
                    yield issued + 2
                _, last = channel.beats(clock.now + READ_TO_BEAT, beats)
                for bank, count in banks.grid_pieces(addr, 1, 0, beats, bus_bytes):
                    yield banks.reads[bank].begin(count, demand)
                # the port stalls for beats that have not been read yet
                response = max(last, clock.now - 1 + READ_TO_BEAT) + channel.latency
            self.response = response if response > self.response else self.response + 1
            self.places.append(self.response + 1)
            if index is not None:
                self.queue.done(index, self.response + 1)
            if self.planned is not None:
                self._begin_bursts()
