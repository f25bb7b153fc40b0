"""Host memory as the emulator's bus reaches it."""

import dataclasses

import numpy as np

from weft.control.isa import ErrorCode

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
    beat : :class:`int`
        Bytes of a bus beat: a fault hits whole beats.
    """

    def __init__(self, base, size, beat):
        self.base = base
        self.data = np.zeros(size, np.uint8)
        self.beat = beat
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

    def check(self, addr, pitch, count, size, access):
        """Raise the :class:`BusFault` that the first faulty beat of a copy would meet."""
        last = addr + (count - 1) * pitch + size
        limit = self.base + len(self.data)
        inside = addr >= self.base and last <= limit
        faults = [fault for fault in self._faults if fault.access == access
                  and fault.start < last + self.beat and fault.end > addr - self.beat]
        if inside and not faults:
            return
        mask = ~(self.beat - 1)
        for row in range(count):
            start = addr + row * pitch
            for beat in range(start & mask, start + size, self.beat):
                for fault in faults:
                    if fault.start < beat + self.beat and fault.end > beat:
                        raise BusFault(fault.code, beat)
                if beat < self.base or beat + self.beat > limit:
                    raise BusFault(ErrorCode.BUS_DECERR, beat)

    def gather(self, start, pitch, rows, columns):
        """The bytes of some rows of a copy."""
        return self.data[start - self.base + rows * pitch + columns]

    def scatter(self, start, pitch, rows, columns, values):
        """Write the bytes of some rows of a copy, in order."""
        self.data[start - self.base + rows * pitch + columns] = values
