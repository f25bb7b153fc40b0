"""Places things in memories: scratchpad regions of a layer, weights in turn, host memory."""

import dataclasses

from .stream import MOST

__all__ = ["HostMemory", "Regions", "WeightRing", "layer_regions"]

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


def layer_regions(plan, config):
    """The :class:`Regions` of a plan.

    Inputs lie at the lower end, outputs and parameters at the upper end: MATMUL then reads another
    bank than STORE and PARAMS do, as far as the sizes allow.
    """
    act = tuple(index * plan.act_bytes for index in range(plan.act_regions))
    params = config.spad_bytes - plan.param_bytes
    out = tuple(params - (index + 1) * plan.out_bytes for index in range(plan.out_regions))
    assert min(out) >= plan.act_regions * plan.act_bytes, "a plan that does not fit was chosen"
    return Regions(act, out, params)
