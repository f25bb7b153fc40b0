"""Places things in memories: scratchpad regions of a layer, weights in turn, host memory."""

import dataclasses

from ..steps.instruction_stream import MOST

__all__ = ["HostMemory", "Regions", "WeightRing"]

HOST_ALIGN = 64


class WeightRing:
    """Gives out runs of tiles of the weight buffer, one behind the other, around and around.

    What lay there before is overwritten; the hazards make the load wait for its last use.
    """

    def __init__(self, config):
        self._tiles = min(config.wgt_tiles, MOST)
        self._next = 0

    def take(self, count):
        """The first of ``count`` consecutive tiles."""
        if self._next + count > self._tiles:
            self._next = 0
        first = self._next
        self._next += count
        return first


class HostMemory:
    """Addresses in one part of host memory, each a multiple of 64 bytes."""

    def __init__(self):
        self.size = 0

    def take(self, count):
        """The first of ``count`` bytes."""
        first = self.size
        self.size += -(-count // HOST_ALIGN) * HOST_ALIGN
        return first


@dataclasses.dataclass(frozen=True)
class Regions:
    """Scratchpad addresses of a layer: input buffers, output buffers, parameters."""

    act: tuple[int, ...]
    out: tuple[int, ...]
    params: int
