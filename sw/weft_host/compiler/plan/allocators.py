"""Allocators of the weight buffer and of host memory."""

from weft.spec.config import Config
from weft.spec.integers import round_up

from ..limits import MAX_COUNT

__all__ = ["HostMemoryAllocator", "WeightBufferRing"]

HOST_ALIGN = 64


class WeightBufferRing:
    """Ring allocator of runs of tiles in the weight buffer.

    An allocation overwrites the oldest tiles. Hazard detection makes a load wait for the last use
    of the tiles that it overwrites.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
        Configuration with the weight buffer.
    """

    def __init__(self, config: Config) -> None:
        self._tiles = min(config.wgt_tiles, MAX_COUNT)
        self._next = 0

    def allocate(self, count: int) -> int:
        """Return the first of ``count`` consecutive tiles."""
        if self._next + count > self._tiles:
            self._next = 0
        first = self._next
        self._next += count
        return first


class HostMemoryAllocator:
    """Allocator of one section of host memory, at multiples of 64 bytes.

    Attributes
    ----------
    size : :class:`int`
        Bytes that have been allocated, alignment included.
    """

    def __init__(self) -> None:
        self.size = 0

    def allocate(self, count: int) -> int:
        """Return the offset of ``count`` bytes in the section."""
        first = self.size
        self.size += round_up(count, HOST_ALIGN)
        return first
