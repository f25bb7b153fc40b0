"""The scratchpad's banks as what they are to time: a read and a write a cycle, shared fairly."""

import math

from .events import Condition

__all__ = ["Banks", "Share"]


class _Stream:
    def __init__(self, clock, count, demand, serial):
        self.work = count - 1 + demand      # so that n accesses at full speed take n cycles
        self.demand = demand
        self.serial = serial
        self.rate = 0.0
        self.since = clock.now
        self.version = 0
        self.ended = Condition(clock)


class Share:
    """One direction of a bank: an access a cycle, divided fairly among those who want it."""

    def __init__(self, clock):
        self.clock = clock
        self.streams = []

    def begin(self, count, demand, serial=False):
        """Begin ``count`` accesses, ``demand`` a cycle at most; the :class:`Condition` of its end.

        It changes in the cycle after the last access. With ``serial`` whoever accesses does nothing
        else meanwhile: each wait for its turn makes its next access a cycle later.
        """
        stream = _Stream(self.clock, count, demand, serial)
        self.streams.append(stream)
        self._balance()
        return stream.ended

    def _balance(self):
        now, left = self.clock.now, 1.0
        wanted = sum(stream.demand for stream in self.streams)
        # whoever wants least is served first; what it leaves is for the others
        for place, stream in enumerate(sorted(self.streams, key=lambda one: one.demand)):
            stream.work -= stream.rate * (now - stream.since)
            stream.since = now
            rate = min(stream.demand, left / (len(self.streams) - place))
            if stream.serial and wanted > 1:
                rate = min(rate, 1 / (1 / stream.demand + 1))
            left -= rate
            stream.rate = rate
            stream.version += 1
            end = now + max(0, math.ceil(stream.work / rate - 1e-6))
            self.clock.at(end, self._end, stream, stream.version)

    def _end(self, stream, version):
        if version == stream.version:
            self.streams.remove(stream)
            if self.streams:
                self._balance()
            stream.ended.over = True
            stream.ended.changed(self.clock.now)


class Banks:
    """The banks of a scratchpad.

    Parameters
    ----------
    clock : :class:`Clock`
    config : :class:`weft.spec.config.Config`
        Size and number of the banks.
    """

    def __init__(self, clock, config):
        self.size = config.spad_bytes // config.spad_banks
        self.reads = [Share(clock) for _ in range(config.spad_banks)]
        self.writes = [Share(clock) for _ in range(config.spad_banks)]

    def pieces(self, rows):
        """``[bank, accesses]`` one after the other, of rows ``(address, pitch, accesses)``.

        An access that reaches into the next bank counts for the one it begins in.
        """
        found: list[list[int]] = []
        for addr, pitch, count in rows:
            while count:
                block = int(addr // self.size)
                bank = block % len(self.reads)
                here = count if pitch <= 0 else min(
                    count, int(-(-((block + 1) * self.size - addr) // pitch)))
                if found and found[-1][0] == bank:
                    found[-1][1] += here
                else:
                    found.append([bank, here])
                addr += here * pitch
                count -= here
        return found

    def stream(self, shares, pieces, demand=1.0):
        """A process that ends in the cycle after the last access of some pieces."""
        for bank, count in pieces:
            yield shares[bank].begin(count, demand)
