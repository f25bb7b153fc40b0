"""The host memory's port, as the simulated one behaves, and how copies become bursts."""

import math
import typing

__all__ = ["Burst", "Channel", "bursts"]


class Channel:
    """One direction of the port: an address a cycle, then its beats in order.

    Parameters
    ----------
    latency : :class:`int`
        Cycles from an address to its first beat.
    bandwidth : :class:`float`
        Beats a cycle. The simulated memory keeps at least ``ceil(1 / bandwidth)`` cycles
        between two.
    """

    def __init__(self, latency, bandwidth):
        self.latency = latency
        self.gap = math.ceil(1 / bandwidth - 1e-9)
        self._free = 0
        self._address_free = 0

    def address(self, cycle):
        """The cycle in which an address that is offered from ``cycle`` on is accepted."""
        self._address_free = max(cycle, self._address_free) + 1
        return self._address_free - 1

    def beats(self, due, count):
        """Cycles of the first and last of ``count`` beats that may come from ``due`` on."""
        first = max(due, self._free)
        last = first + (count - 1) * self.gap
        self._free = last + self.gap
        return first, last

    def hold_up(self, cycles):
        """Beats that are not due yet come later by so many cycles: who takes them was late."""
        if cycles > 0:
            self._free += cycles


class Burst(typing.NamedTuple):
    """``beats`` beats from, or to, a local address."""

    beats: int
    local_addr: int


def bursts(config, fields):
    """The bursts of each row of a copy; none crosses a multiple of ``max_burst`` beats."""
    bus, block = config.bus_bytes, config.max_burst
    host, local = fields.get("host_addr", 0), fields["local_addr"]
    for _ in range(fields["count"]):
        beat, last = host // bus, (host + fields["bytes"] - 1) // bus
        row = []
        while beat <= last:
            end = min(last, beat | (block - 1))
            row.append(Burst(end - beat + 1, local + beat * bus - host))
            beat = end + 1
        yield row
        host += fields.get("host_pitch", 0)
        local += fields["local_pitch"]
