"""Host memory of the emulator, with the error responses of its bus."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from weft.spec.isa import ErrorCode

__all__ = ["BusFault", "HostMemory", "copy_blocks", "memory_offset"]

_BLOCK = 1 << 20        # bytes that one numpy operation handles: bounds its memory


class BusFault(Exception):
    """An access that the bus answered with an error.

    Attributes
    ----------
    code : :class:`weft.spec.isa.ErrorCode`
    addr : :class:`int`
        First address of the beat that was read, or of the burst that was written.
    """

    code: ErrorCode
    addr: int

    def __init__(self, code: ErrorCode, addr: int) -> None:
        super().__init__(code, addr)
        self.code = code
        self.addr = addr


@dataclasses.dataclass(frozen=True)
class _FaultRange:
    start: int
    end: int
    code: ErrorCode
    access: str


def copy_blocks(count: int, size: int) -> Iterator[tuple[npt.NDArray[np.int64],
                                                         npt.NDArray[np.int64]]]:
    """Split a copy of ``count`` rows of ``size`` bytes into blocks of bounded size.

    Yields
    ------
    (array of (rows, 1), array of (1, size))
        Indices of the rows of a block, and of the bytes in a row.
    """
    step = max(1, _BLOCK // size)
    for row in range(0, count, step):
        yield (np.arange(row, min(row + step, count), dtype=np.int64)[:, None],
               np.arange(size, dtype=np.int64)[None, :])


def memory_offset(addr: int, size: int, *, base: int, length: int) -> int:
    """Return the offset of ``addr`` in a device's memory of ``length`` bytes from ``base``.

    Raises
    ------
    ValueError
        If ``size`` is negative, or the ``size`` bytes from ``addr`` are not all in the memory.
    """
    if size < 0:
        raise ValueError(f"a number of bytes must not be negative, not {size}")
    offset = addr - base
    if offset < 0 or offset + size > length:
        raise ValueError(f"bytes {addr:#x} to {addr + size - 1:#x} are outside the device's "
                         f"memory, {base:#x} to {base + length - 1:#x}")
    return offset


class HostMemory:
    """Host memory of ``size`` bytes from address ``base``; DECERR everywhere else.

    Parameters
    ----------
    base, size : :class:`int`
        Address range.
    beat : :class:`int`
        Bytes of a bus beat. A fault affects whole beats.
    burst : :class:`int`
        Bytes of the longest burst.

    Attributes
    ----------
    data : uint8 array of (size,)
        The content.
    """

    base: int
    data: npt.NDArray[np.uint8]
    beat: int
    burst: int

    def __init__(self, base: int, size: int, beat: int, burst: int) -> None:
        self.base = base
        self.data = np.zeros(size, np.uint8)
        self.beat = beat
        self.burst = burst
        self._faults: list[_FaultRange] = []

    def fault(self, addr: int, size: int, response: str, access: str) -> None:
        """Answer accesses to a range with an error.

        Parameters
        ----------
        addr, size : :class:`int`
            The range.
        response : :class:`str`
            ``"SLVERR"`` or ``"DECERR"``.
        access : :class:`str`
            ``"read"`` or ``"write"``.
        """
        if response not in ("SLVERR", "DECERR"):
            raise ValueError(f"response must be 'SLVERR' or 'DECERR', not {response!r}")
        if access not in ("read", "write"):
            raise ValueError(f"access must be 'read' or 'write', not {access!r}")
        self._faults.append(_FaultRange(addr, addr + size, ErrorCode[f"BUS_{response}"], access))

    def clear_faults(self) -> None:
        """Remove all faults that :meth:`fault` added."""
        self._faults.clear()

    def offset(self, addr: int, size: int) -> int:
        """Return the index of ``addr`` in ``data``; see :func:`memory_offset`."""
        return memory_offset(addr, size, base=self.base, length=len(self.data))

    def respond(self, beat: int, access: str) -> ErrorCode | None:
        """Return the error response to the beat at address ``beat``, or ``None``."""
        for fault in self._faults:
            if fault.access == access and fault.start < beat + self.beat and fault.end > beat:
                return fault.code
        if beat < self.base or beat + self.beat > self.base + len(self.data):
            return ErrorCode.BUS_DECERR
        return None

    def check(self, addr: int, pitch: int, count: int, size: int, access: str) -> None:
        """Check that a copy of ``count`` rows of ``size`` bytes meets no error.

        A read error is reported for its beat. A write has one response for each burst, the worst
        of its beats, so a write error is reported for its burst. Bursts end at multiples of
        ``burst`` bytes and at the end of a row.

        Raises
        ------
        BusFault
            For the first error.
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
                codes = [code for beat in range(first, min(stop, end), self.beat)
                         if (code := self.respond(beat, access)) is not None]
                if codes:
                    raise BusFault(max(codes), first)
                first = stop

    def beats(self, addr: int, pitch: int, count: int, size: int) -> int:
        """Return the number of beats of a copy; no beat carries bytes of two rows."""
        starts = (addr + np.arange(count, dtype=np.int64) * pitch) % self.beat
        return int(((starts + size - 1) // self.beat + 1).sum())

    def copy(self, start: int, size: int) -> npt.NDArray[np.uint8]:
        """Return a copy of ``size`` bytes."""
        return self.data[start - self.base:start - self.base + size].copy()

    def gather(self, start: int, pitch: int, rows: npt.NDArray[np.int64],
               columns: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        """Read a block of a copy that starts at ``start``; see :func:`copy_blocks`."""
        return self.data[start - self.base + rows * pitch + columns]

    def scatter(self, start: int, pitch: int, rows: npt.NDArray[np.int64],
                columns: npt.NDArray[np.int64], values: npt.NDArray[np.uint8]) -> None:
        """Write a block of a copy that starts at ``start``, in order of the rows."""
        self.data[start - self.base + rows * pitch + columns] = values
