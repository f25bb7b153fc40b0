"""Test bench of LOAD with LOAD_RING: a consumer of the ring, and its contents as bytes."""

from weft.spec import isa

from .dma_bench import DmaBench
from .local_memory import LocalMemory

__all__ = ["LoadRingBench", "ring_contents"]


def ring_contents(instructions, host, base=0):
    """Return the bytes that the LOAD_RINGs among 32-byte ``instructions`` append."""
    found = bytearray()
    for raw in instructions:
        instruction, f = isa.decode(raw)
        if instruction.name == "LOAD_RING":
            for row in range(f["count"]):
                start = f["host_addr"] - base + row * f["host_pitch"]
                found += host[start:start + f["bytes"]]
    return bytes(found)


class _Weights(LocalMemory):
    """Memory that stalls a request for at most one cycle, as a write that takes two cycles."""

    _stalled = False

    def _grant(self, waiting, set_conflict):
        stall = bool(waiting) and not self._stalled and self.random.random() < self.stall
        granted = None if stall or not waiting else waiting.pop(0)
        self._stalled = stall
        set_conflict(stall)
        return granted


class LoadRingBench(DmaBench):
    """LOAD whose ring is emptied by a model of MATMUL.

    The model compares every tile with :attr:`contents` in the cycle in which it is reported.

    Parameters
    ----------
    config : :class:`Config`
    release : :class:`float`
        Probability, for each cycle in which the ring has a tile, that it is released.
    parameters
        Further parameters of :class:`DmaBench`.

    Attributes
    ----------
    contents : :class:`bytes`
        Bytes that go into the ring, from its last clear on.
    reported, released : :class:`int`
        Tiles, from the last clear on.
    """

    def __init__(self, config, *, release=1.0, **parameters):
        super().__init__("load", config, **parameters)
        self.release = release
        self.contents = b""
        self.reported = self.released = 0
        self.processes.append(self._consume)

    def _make_weights(self):
        return _Weights(self.config.wgt_bytes, stall=self.stall, seed=self.seed + 3)

    async def _consume(self, ctx):
        ring, tile = self.dut.ring, self.config.tile_bytes
        async for _, _, tiles in ctx.tick().sample(ring.tiles):
            for index in range(self.reported, self.reported + tiles):
                start = index * tile % self.config.wgt_bytes
                found = self.wgt.data[start:start + tile]
                assert found == self.contents[index * tile:(index + 1) * tile], (
                    f"tile {index} is wrong; seed {self.seed}")
            self.reported += tiles
            release = self.reported > self.released and self.random.random() < self.release
            self.released += release
            ctx.set(ring.release, release)
