"""Timing of the host memory port, and the division of copies into bursts.

The port behaves as the memory of the RTL simulation does.
"""

from __future__ import annotations

import math
import typing
from collections.abc import Iterator

from weft.spec.config import Config

from .interfaces import Fields

__all__ = ["Burst", "Channel", "bursts"]


class Channel:
    """Read or write half of the port: one address per cycle, then its beats in order.

    Parameters
    ----------
    latency : :class:`int`
        Cycles from an address to its first beat.
    bandwidth : :class:`float`
        Beats per cycle, at most 1.

    Attributes
    ----------
    gap : :class:`int`
        Cycles from a beat to the next, ``ceil(1 / bandwidth)``.
    """

    def __init__(self, latency: int, bandwidth: float) -> None:
        self.latency = latency
        self.gap = math.ceil(1 / bandwidth - 1e-9)
        self._free = 0
        self._address_free = 0

    def address(self, cycle: int) -> int:
        """Return the cycle that accepts an address which is offered from ``cycle`` on."""
        self._address_free = max(cycle, self._address_free) + 1
        return self._address_free - 1

    def beats(self, due: int, count: int) -> tuple[int, int]:
        """Return the cycles of the first and the last of ``count`` beats.

        The first beat is in cycle ``due``, or after the end of all earlier beats.
        """
        first = due if due > self._free else self._free
        last = first + (count - 1) * self.gap
        self._free = last + self.gap
        return first, last

    def stall_until(self, cycle: int) -> None:
        """Delay all later beats, because the receiver takes the last known one in ``cycle``."""
        self._free = max(self._free, cycle - 1 + self.gap)


Burst: typing.TypeAlias = tuple[int, int]
"""Beats and local address of a burst."""


def bursts(config: Config, fields: Fields) -> Iterator[list[Burst]]:
    """Yield the bursts of each row of a copy.

    No burst crosses a multiple of ``max_burst`` beats. The local address of a row of LOAD_RING is
    0, relative to the first byte of the row.
    """
    bus, last_of_block = config.bus_bytes, config.max_burst - 1
    host, local, size = fields.get("host_addr", 0), fields.get("local_addr", 0), fields["bytes"]
    host_pitch, local_pitch = fields.get("host_pitch", 0), fields.get("local_pitch", 0)
    for _ in range(fields["count"]):
        beat, last = host // bus, (host + size - 1) // bus
        row = []
        while beat <= last:
            end = min(last, beat | last_of_block)
            row.append((end - beat + 1, local + beat * bus - host))
            beat = end + 1
        yield row
        host += host_pitch
        local += local_pitch
