"""Timing of LOAD: instructions to rows, rows to bursts, bursts over the port."""

from __future__ import annotations

import collections
import dataclasses
import typing
from collections.abc import Generator

from weft.spec.config import Config
from weft.spec.four_bit import PACKET_BEATS

from .banks import Banks
from .bus import Burst, bursts
from .events import Clock, Condition
from .fetch import ReadArbiter
from .interfaces import Fields, IssueQueue, Process
from .ring import EXPANSION, Ring

__all__ = ["SYNC", "CopyUnit", "LoadUnit", "PlannedBurst"]

SYNC = ("SYNC_LOAD", "SYNC_STORE")
LOCAL = ("FILL", "SYNC_LOAD")       # these transfer nothing over the port
RING = ("LOAD_RING", "LOAD_RING_4BIT")
WEIGHTS = ("LOAD_WGT", *RING)       # to the weight buffer


@dataclasses.dataclass(slots=True)
class _Transfer:
    """Burst of LOAD in flight. The cycles of its first and last beat are set when known.

    ``size`` is the number of bytes of weights for which it reserves space in the ring, and
    ``position`` that of the beats of its stream before it. ``end`` is the cycle in which its last
    beat is expected to be written.
    """

    issued: int
    name: str
    burst: Burst
    index: int | None
    size: int
    position: int = 0
    first: int | None = None
    last: int = 0
    end: int = 0


PlannedBurst: typing.TypeAlias = tuple[int, str, Burst, int | None]
"""Earliest cycle of a burst, name of its instruction, size and address, and the index of the
instruction if it ends with this burst."""


class CopyUnit:
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
        self.row_bytes: collections.deque[int] = collections.deque()    # of loads of the ring
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
            if name == "LOAD_RING_4BIT":        # its blocks are rows
                block = PACKET_BEATS * self.config.cols
                fields = {**fields, "bytes": block, "host_pitch": block}
            while self.entered is None:
                yield self.known
            yield max(registered, self.entered + 1)
            self.queue.accept_from(clock.now + 1)
            rows = [[(1, 0)]] if name in SYNC else list(bursts(self.config, fields))
            if name in RING:
                self.row_bytes.append(fields["bytes"])
            self.entered = max(clock.now + 1, self.left) \
                if len(rows) == 1 and self.left is not None else None
            self.left = None
            self.accepted.append((index, name, rows, clock.now))
            self._instruction_accepted()

    def _instruction_accepted(self) -> None:
        """Continue planning."""
        raise NotImplementedError

    def _plan(self) -> Generator[PlannedBurst | None, int, None]:
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


class LoadUnit(CopyUnit):
    """Timing of LOAD, LOAD_WGT, LOAD_RING, LOAD_RING_4BIT, FILL and SYNC_LOAD.

    Parameters
    ----------
    clock : :class:`Clock`
    config : :class:`weft.spec.config.Config`
    arbiter : :class:`ReadArbiter`
        The read half of the port, shared with instruction fetch.
    banks : :class:`Banks`
    ring : :class:`Ring`
    queue : :class:`IssueQueue`
    """

    def __init__(self, clock: Clock, config: Config, arbiter: ReadArbiter, banks: Banks,
                 ring: Ring, queue: IssueQueue) -> None:
        self.arbiter, self.banks, self.ring = arbiter, banks, ring
        # a beat to an odd address of the weight buffer takes two cycles
        self.splits = config.wgt_group == 2 and config.wgt_row_bytes == config.bus_bytes
        self.position = 0           # beats of the current stream of 4-bit weights so far
        self.transfers: collections.deque[_Transfer] = collections.deque()
        self.unexpected: collections.deque[_Transfer] = collections.deque()     # without an end
        self.free = 0               # cycle from which a beat behind the expected ones is written
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
            size = 0
            if name in RING:
                size = self._ring_bytes(name, burst, index)
                yield from self.ring.wait_for_space()
                self.ring.reserve(size)
            self.in_flight += 1
            self._begin(clock.now, name, burst, index, size)
            planned = plan.send(clock.now)

    def _ring_bytes(self, name: str, burst: Burst, index: int | None) -> int:
        """Return the bytes of weights in a burst, two for each byte of 4-bit weights."""
        beats, addr = burst
        row = self.row_bytes[0] if index is None else self.row_bytes.popleft()
        if name == "LOAD_RING_4BIT":
            return 2 * beats * self.config.bus_bytes
        return min(addr + beats * self.config.bus_bytes, row) - max(addr, 0)

    def _begin(self, issued: int, name: str, burst: Burst, index: int | None, size: int) -> None:
        transfer = _Transfer(issued, name, burst, index, size)
        self.transfers.append(transfer)
        self.unexpected.append(transfer)
        beats, _ = burst
        if name == "LOAD_RING_4BIT":
            transfer.position = self.position
            self.position = 0 if index is not None else self.position + beats
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
        while self.unexpected and self.unexpected[0].first is not None:
            self._expect(self.unexpected.popleft())
        self.added.notify()

    def _expect(self, transfer: _Transfer) -> None:
        """Determine the end of a burst, and delay the beats of others if it waits itself."""
        assert transfer.first is not None
        begin = max(self.free, transfer.first)
        transfer.end = begin + transfer.last - transfer.first
        if transfer.name == "LOAD_RING_4BIT":
            gap = self.arbiter.channel.gap
            free = self.ring.expansion(transfer.position, transfer.burst[0], begin, gap)[1]
            transfer.end = max(transfer.end, free - gap)
        self.free = transfer.end + 1
        if transfer.end > transfer.last and transfer.name not in LOCAL:
            self.arbiter.channel.stall_until(transfer.end)

    def _write(self) -> Process:
        clock, banks, channel = self.clock, self.banks, self.arbiter.channel
        bus_bytes = self.config.bus_bytes
        while True:
            while not self.transfers or self.transfers[0].first is None:
                yield self.added
            transfer = self.transfers.popleft()
            assert transfer.first is not None
            name, (beats, addr) = transfer.name, transfer.burst
            if transfer.first > clock.now:
                yield transfer.first
            began, gap = clock.now, 1 if name in LOCAL else channel.gap
            split = self.splits and name in WEIGHTS and addr % 2 == 1
            if name in ("LOAD", "FILL"):
                pieces = banks.grid_pieces(addr, 1, 0, beats, bus_bytes)
                for bank, count in pieces:
                    yield banks.writes[bank].begin(count, 1 / gap)
            if name == "LOAD_RING_4BIT":
                cycles, end = self.ring.expansion(transfer.position, beats, began, gap)
                self.ring.fill_4bit(cycles, transfer.position)
                yield max(transfer.last + 1, end)
                self._end(transfer, EXPANSION + self.ring.expansion_cycles - 1)
                continue
            # beats behind a stalled one keep their distance
            spacing = max(gap, 1 + split)
            if name == "LOAD_RING":
                self.ring.fill(began + split, spacing, max(-addr, 0), transfer.size)
            yield max(transfer.last, began + (beats - 1) * spacing) + 1 + split
            # the scratchpad's write port has a register, the weight buffer's has none
            self._end(transfer, name not in WEIGHTS)

    def _end(self, transfer: _Transfer, delay: int) -> None:
        """End a burst in the current cycle, ``delay`` cycles before its last write is done."""
        if self.clock.now - 1 > transfer.end:
            self._stall(transfer)
        self._retire(transfer.index, self.clock.now + delay)

    def _stall(self, stalled: _Transfer) -> None:
        """Delay all bursts behind one that ended later than expected."""
        if stalled.name not in LOCAL:
            self.arbiter.channel.stall_until(self.clock.now - 1)
        self.free = self.clock.now
        for transfer in self.transfers:
            if transfer.first is None:
                break
            self._expect(transfer)
