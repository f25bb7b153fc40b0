"""Timing of the ring: space for bursts of LOAD_RING and LOAD_RING_4BIT, tiles for MATMUL_RING."""

from __future__ import annotations

import collections
import heapq
from collections.abc import Sequence

from weft.spec.config import Config
from weft.spec.four_bit import HEADER_BEATS, PACKET_BEATS

from .events import Clock, Condition
from .interfaces import Process

__all__ = ["Ring"]

ISSUE_DISTANCE = 2      # from the request of a burst to that of the next one, at least
REQUEST = 2             # from the release of a tile to the request of a burst that uses its bytes
FIRST_LINE = 7          # from the write of the last byte of a tile to the read of its first line
EXPANSION = 2           # cycles of the expander of 4-bit weights
READ_LATENCY = 5        # of the weight buffer


class Ring:
    """The weight buffer as a queue of tiles, between LOAD and MATMUL.

    Cycles are reported ahead of time, burst by burst and tile by tile, so that no tile needs an
    event of its own.

    Parameters
    ----------
    clock : :class:`Clock`
    config : :class:`weft.spec.config.Config`

    Attributes
    ----------
    tiles : deque of :class:`int`
        Cycles from which the first line of each tile can be read that is complete or in flight.
    filled : :class:`Condition`
        Tiles were added.
    """

    def __init__(self, clock: Clock, config: Config) -> None:
        self.clock = clock
        self.bus_bytes, self.tile_bytes = config.bus_bytes, config.tile_bytes
        # a beat of 4-bit weights becomes two
        self.most_burst = config.max_burst * config.bus_bytes * (2 if config.weights_4bit else 1)
        self.beats_without_weights = PACKET_BEATS * config.cols // config.bus_bytes
        # a beat with codes takes a cycle for each half of a tile, or one for both
        self.expansion_cycles = 3 - config.tile_lines
        self.expansion_latency = EXPANSION + 2 * (self.expansion_cycles - 1)
        # from the read of the first line of a tile to its release
        self.read_cycles = config.tile_cycles * config.tile_lines - 1 + READ_LATENCY
        self.tiles: collections.deque[int] = collections.deque()
        self.filled = Condition(clock)
        self._free = config.wgt_bytes
        self._partial = 0               # bytes of the tile that is not complete
        self._releases: list[tuple[int, int]] = []      # heap of cycles and bytes
        self._released = Condition(clock)
        self._ready = 0                 # cycle from which a burst may be requested

    def wait_for_space(self) -> Process:
        """Wait until a burst may be requested."""
        while True:
            while self._free < self.most_burst and self._releases:
                cycle, size = heapq.heappop(self._releases)
                self._free += size
                self._ready = max(self._ready, cycle + REQUEST)
            if self._free >= self.most_burst:
                break
            yield self._released
        if self._ready > self.clock.now:
            yield self._ready

    def reserve(self, size: int) -> None:
        """Reserve the bytes of a burst that is requested in the current cycle."""
        self._free -= size
        self._ready = self.clock.now + ISSUE_DISTANCE

    def fill(self, began: int, spacing: int, head: int, size: int) -> None:
        """Add the tiles that a burst completes.

        Parameters
        ----------
        began, spacing : cycle in which the first beat is written, and cycles from beat to beat.
        head : first byte lane of the first beat.
        size : bytes of the burst.
        """
        end = self.tile_bytes - self._partial   # bytes up to the end of a tile
        began += FIRST_LINE
        complete = end <= size
        while end <= size:
            self.tiles.append(began + (head + end - 1) // self.bus_bytes * spacing)
            end += self.tile_bytes
        self._partial = (self._partial + size) % self.tile_bytes
        if complete:
            self.filled.notify()

    def expansion(self, position: int, beats: int, begin: int,
                  gap: int) -> tuple[list[int], int]:
        """Return when a burst of 4-bit weights enters the expander, and when it is free again.

        Parameters
        ----------
        position : beats of the stream before the first one.
        beats : beats of the burst.
        begin, gap : cycle of the first beat, and cycles from beat to beat, at least.
        """
        cycle, cycles, duration = begin, [], 0
        for beat in range(position, position + beats):
            cycles.append(cycle)
            duration = self.expansion_cycles if self.has_weights(beat) else 1
            cycle += max(gap, duration)
        return cycles, cycles[-1] + duration

    def fill_4bit(self, cycles: Sequence[int], position: int) -> None:
        """Add the tiles that a burst of 4-bit weights completes.

        Parameters
        ----------
        cycles : cycle in which each beat enters the expander.
        position : beats of the stream before the first one.
        """
        complete, dropped = False, 0
        for beat, cycle in enumerate(cycles, position):
            if self.has_weights(beat):
                self._partial += 2 * self.bus_bytes
                if self._partial == self.tile_bytes:
                    self._partial, complete = 0, True
                    self.tiles.append(cycle + self.expansion_latency + FIRST_LINE)
            else:
                dropped += 2 * self.bus_bytes
            if dropped and (self.has_weights(beat + 1) or beat + 1 == position + len(cycles)):
                self._return(cycle + 1, dropped)
                dropped = 0
        if complete:
            self.filled.notify()

    def has_weights(self, beat: int) -> bool:
        """Return whether a beat of a stream of 4-bit weights has codes of weights."""
        return beat >= self.beats_without_weights and beat % PACKET_BEATS >= HEADER_BEATS

    def release(self, first_line: int) -> None:
        """Report that the first line of the oldest tile is read in cycle ``first_line``."""
        self._return(first_line + self.read_cycles, self.tile_bytes)

    def _return(self, cycle: int, size: int) -> None:
        heapq.heappush(self._releases, (cycle, size))
        if self._released.waiting:
            self._released.notify()
