"""Timing of STORE: bursts from the scratchpad over the port."""

from __future__ import annotations

import collections

from weft.spec.config import Config

from .banks import Banks
from .bus import Channel
from .dma import SYNC, CopyUnit, PlannedBurst
from .events import Clock
from .interfaces import IssueQueue, Process

__all__ = ["StoreUnit"]

READ_TO_BEAT = 8        # from a read of the scratchpad to its beat on the port


class StoreUnit(CopyUnit):
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
        self.transfers: collections.deque[PlannedBurst] = collections.deque()
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
