"""Timing of the scratchpad's banks: one read and one write per cycle, shared fairly."""

from __future__ import annotations

import math
from collections.abc import Iterable

from weft.spec.config import Config

from .events import Clock, Condition

__all__ = ["BankPort", "Banks"]


class _Stream(Condition):
    """Stream of accesses; the condition is its end."""

    __slots__ = ("demand", "rate", "remaining", "serial", "updated", "version")

    def __init__(self, clock: Clock, count: int, demand: float, serial: bool) -> None:
        self.clock = clock
        self.waiting = []
        self.final = False
        self.remaining = count - 1 + demand     # n accesses at full rate take n cycles
        self.demand = demand
        self.serial = serial
        self.rate = 0.0
        self.updated = clock.now
        self.version = 0


class BankPort:
    """Read or write port of a bank: one access per cycle, divided fairly among its requesters.

    Accesses are modelled as rates, not one by one.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.streams: list[_Stream] = []

    def begin(self, count: int, demand: float, serial: bool = False) -> Condition:
        """Begin a stream of accesses and return the :class:`Condition` of its end.

        The condition is notified in the cycle after the last access.

        Parameters
        ----------
        count : :class:`int`
            Number of accesses.
        demand : :class:`float`
            Accesses per cycle that the requester makes at most.
        serial : :class:`bool`
            The requester has one access outstanding at most: every stalled access delays the
            next one by a cycle.
        """
        stream = _Stream(self.clock, count, demand, serial)
        self.streams.append(stream)
        if len(self.streams) > 1:
            self._balance()
        else:       # the usual case, and the one that has to be fast
            stream.rate = demand
            stream.version = 1
            end = self.clock.now + math.ceil(stream.remaining / demand - 1e-6)
            self.clock.at(end, self._end, stream, 1)
        return stream

    def _balance(self) -> None:
        """Recompute the rates: equal shares, of which a stream uses no more than it demands."""
        now, left = self.clock.now, 1.0
        total = sum(stream.demand for stream in self.streams)
        for served, stream in enumerate(sorted(self.streams, key=lambda one: one.demand)):
            stream.remaining -= stream.rate * (now - stream.updated)
            rate = min(stream.demand, left / (len(self.streams) - served))
            if stream.serial and total > 1:
                rate = min(rate, 1 / (1 / stream.demand + 1))
            left -= rate
            stream.rate = rate
            self._schedule_end(stream)

    def _schedule_end(self, stream: _Stream) -> None:
        now = stream.updated = self.clock.now
        stream.version += 1
        end = now + math.ceil(stream.remaining / stream.rate - 1e-6)
        self.clock.at(end, self._end, stream, stream.version)

    def _end(self, stream: _Stream, version: int) -> None:
        if version == stream.version:
            self.streams.remove(stream)
            if self.streams:
                self._balance()
            stream.final = True
            self.clock.events += stream.waiting


class Banks:
    """The banks of a scratchpad.

    Parameters
    ----------
    clock : :class:`Clock`
    config : :class:`weft.spec.config.Config`
        Gives the size and the number of banks.

    Attributes
    ----------
    reads, writes : list of :class:`BankPort`
        The two ports of each bank.
    """

    def __init__(self, clock: Clock, config: Config) -> None:
        self.size, self.count = config.spad_bytes // config.spad_banks, config.spad_banks
        self.reads = [BankPort(clock) for _ in range(config.spad_banks)]
        self.writes = [BankPort(clock) for _ in range(config.spad_banks)]

    def pieces(self, rows: Iterable[tuple[float, float, int]]) -> list[list[int]]:
        """Split rows of accesses at the boundaries of banks.

        Parameters
        ----------
        rows : iterable of (address, pitch, accesses)

        Returns
        -------
        list of [bank, accesses]
            In the order of the accesses. An access that crosses into the next bank counts for the
            bank in which it begins.
        """
        found: list[list[int]] = []
        for addr, pitch, count in rows:
            while count:
                block = int(addr // self.size)
                bank = block % len(self.reads)
                end = (block + 1) * self.size
                here = count if pitch <= 0 else min(count, -int((addr - end) // pitch))
                if found and found[-1][0] == bank:
                    found[-1][1] += here
                else:
                    found.append([bank, here])
                addr += here * pitch
                count -= here
        return found

    def grid_pieces(self, addr: int, y_count: int, y_pitch: int, count: int,
                    pitch: float) -> list[list[int]]:
        """Return the :meth:`pieces` of ``y_count`` equal rows of accesses, ``y_pitch`` apart."""
        block = addr // self.size
        if y_pitch >= 0 and pitch >= 0 and count and (
                addr + (y_count - 1) * y_pitch + count * pitch) // self.size == block:
            return [[block % self.count, y_count * count]]
        return self.pieces((addr + y * y_pitch, pitch, count) for y in range(y_count))
