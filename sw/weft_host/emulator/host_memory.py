"""Host memory as the emulator's bus reaches it."""

import dataclasses

import numpy as np

from weft.spec.isa import ErrorCode

__all__ = ["BusFault", "HostMemory", "copy_blocks"]

_BLOCK = 1 << 20        # bytes that one numpy step handles: bounds the memory it needs


class BusFault(Exception):
    """An access that the bus answered with an error."""

    def __init__(self, code, addr):
        super().__init__(code, addr)
        self.code = code
        self.addr = addr


@dataclasses.dataclass(frozen=True)
class _FaultRange:
    start: int
    end: int
    code: ErrorCode
    access: str


def copy_blocks(count, size):
    """Splits the rows of a copy into runs: (rows, 1) row numbers and (1, size) byte numbers."""
    step = max(1, _BLOCK // size)
    for row in range(0, count, step):
        yield np.arange(row, min(row + step, count), dtype=np.int64)[:, None], np.arange(size)


class HostMemory:
    """``size`` bytes from address ``base`` on; elsewhere the bus answers DECERR.

    Parameters
    ----------
    base, size : :class:`int`
        Where it lies.
    beat, burst : :class:`int`
        Bytes of a bus beat, which a fault hits as a whole, and of the longest burst.
    """

    def __init__(self, base, size, beat, burst):
        self.base = base
        self.data = np.zeros(size, np.uint8)
        self.beat = beat
        self.burst = burst
        self._faults = []

    def fault(self, addr, size, response, access):
        """Let ``"read"`` or ``"write"`` accesses to a range answer ``"SLVERR"`` or ``"DECERR"``."""
        if response not in ("SLVERR", "DECERR"):
            raise ValueError(f"response must be 'SLVERR' or 'DECERR', not {response!r}")
        if access not in ("read", "write"):
            raise ValueError(f"access must be 'read' or 'write', not {access!r}")
        self._faults.append(_FaultRange(addr, addr + size, ErrorCode[f"BUS_{response}"], access))

    def clear_faults(self):
        """Let every access within the memory succeed again."""
        self._faults.clear()

    def offset(self, addr, size):
        """Index of ``addr``; an error for the host's own accesses outside the memory."""
        at = addr - self.base
        if at < 0 or at + size > len(self.data):
            raise ValueError(
                f"bytes {addr:#x} to {addr + size - 1:#x} lie outside the device's memory, "
                f"{self.base:#x} to {self.base + len(self.data) - 1:#x}")
        return at

    def respond(self, beat, access):
        """The error that the beat at a bus address is answered with, or ``None``."""
        for fault in self._faults:
            if fault.access == access and fault.start < beat + self.beat and fault.end > beat:
                return fault.code
        if beat < self.base or beat + self.beat > self.base + len(self.data):
            return ErrorCode.BUS_DECERR
        return None

    def check(self, addr, pitch, count, size, access):
        """Raise the :class:`BusFault` that a copy meets first, if it meets one.

        A read tells the beat. A write is answered once a burst, with the worst of its beats, so
        it tells the burst; bursts end at multiples of ``burst`` bytes and at the end of a row.
        """
        last = addr + (count - 1) * pitch + size
        inside = addr >= self.base and last <= self.base + len(self.data)
        if inside and not self._faults:
            return
        step = self.beat if access == "read" else self.burst
        for row in range(count):
            first, end = addr + row * pitch & -self.beat, addr + row * pitch + size
            while first < end:
                stop = (first & -step) + step
                codes = [self.respond(beat, access)
                         for beat in range(first, min(stop, end), self.beat)]
                codes = [code for code in codes if code is not None]
                if codes:
                    raise BusFault(max(codes), first)
                first = stop

    def beats(self, addr, pitch, count, size):
        """Beats that a copy takes; rows do not share them."""
        starts = (addr + np.arange(count, dtype=np.int64) * pitch) % self.beat
        return int(((starts + size - 1) // self.beat + 1).sum())

    def gather(self, start, pitch, rows, columns):
        """The bytes of some rows of a copy."""
        return self.data[start - self.base + rows * pitch + columns]

    def scatter(self, start, pitch, rows, columns, values):
        """Write the bytes of some rows of a copy, in order."""
        self.data[start - self.base + rows * pitch + columns] = values
