"""Bursts of LOAD_RING, and a bench of the bookkeeping of the ring in Amaranth's simulator."""

import collections
import random

from amaranth.sim import Simulator

from weft.dma.load_beat import Target, burst_tag
from weft.dma.planner import burst_layout
from weft.dma.ring import WRITE_CYCLES, RingWriter

from .bench import add_deadline
from .seeds import seed as common_seed
from .ticks import sampled

__all__ = ["RingBench", "bursts_of"]


def bursts_of(config, address, size):
    """Return the bursts of a row of ``size`` bytes at a host address, as (beats, head, tail)."""
    bus, block = config.bus_bytes, config.max_burst * config.bus_bytes
    bursts = []
    end = address + size
    while address < end:
        stop = min(end, address // block * block + block)
        beats = (stop - 1) // bus - address // bus + 1
        bursts.append((beats, address % bus, (stop - 1) % bus))
        address = stop
    return bursts


class RingBench:
    """:class:`RingWriter` between a model of LOAD, which obeys ``o_ready``, and one of MATMUL.

    The bench checks in every cycle that the address of a beat follows the previous beat, that the
    ring never has more bytes than the weight buffer, and that exactly the tiles that were complete
    ``WRITE_CYCLES`` cycles ago are reported.

    Parameters
    ----------
    config : :class:`Config`
    seed : :class:`int`
        Number added to the common seed.
    issue, write, release : :class:`float`
        Probability of a request, a beat, and the release of a tile, for each cycle in which it is
        possible.

    Attributes
    ----------
    requested, written, released : :class:`int`
        Bytes in requested bursts, bytes in written beats, and bytes of released tiles, since the
        start or the last clear.
    """

    def __init__(self, config, *, seed=0, issue=1.0, write=1.0, release=1.0):
        self.config = config
        self.seed = common_seed(seed)
        self.random = random.Random(f"ring {self.seed} {config.name}")
        self.issue, self.write, self.release = issue, write, release
        self.dut = RingWriter(config, burst_layout(config, burst_tag(config)))
        self.empty()

    def empty(self):
        """Forget all bytes, as the hardware does when ``i_clear`` is high."""
        self.requested = self.written = self.released = 0
        self._beats = collections.deque()       # of requested bursts, as (head, tail)
        self._readable = 0
        # tiles that each of the last cycles has completed
        self._complete = collections.deque([0] * WRITE_CYCLES, maxlen=WRITE_CYCLES)

    @property
    def tiles(self):
        """Number of tiles that were reported and are not released."""
        return self._readable - self.released // self.config.tile_bytes

    async def cycle(self, ctx, bursts, *, release=None):
        """Execute one cycle, and request ``bursts[0]`` if there is one and it may be requested.

        Parameters
        ----------
        bursts : :class:`collections.deque`
            Bursts; one that is requested is removed.
        release : :class:`bool`, optional
            Release a tile, instead of a random choice.

        Returns
        -------
        :class:`bool`
            A burst was requested.
        """
        dut, draw = self.dut, self.random.random
        tile = self.config.tile_bytes
        issue = bool(bursts) and bool(ctx.get(dut.o_ready)) and draw() < self.issue
        write = bool(self._beats) and draw() < self.write
        if release is None:
            release = self.tiles > 0 and draw() < self.release
        ctx.set(dut.i_issue, issue)
        if bursts:
            beats, head, tail = bursts[0]
            ctx.set(dut.i_burst, {"len": beats - 1, "head": head, "tail": tail,
                                  "tag": {"target": Target.WGT, "ring": 1}})
        ctx.set(dut.i_write, write)
        head, tail = self._beats[0] if self._beats else (0, 0)
        ctx.set(dut.i_head, head)
        ctx.set(dut.i_tail, tail)
        ctx.set(dut.ring.release, release)
        address, tiles = await sampled(ctx, dut.o_addr, dut.ring.tiles)

        before = self.written // tile
        if write:
            expected = (self.written - head) % self.config.wgt_bytes
            assert address == expected, f"address {address}, not {expected}; seed {self.seed}"
            self._beats.popleft()
            self.written += tail - head + 1
        assert tiles == self._complete[0], (
            f"{tiles} tiles, not {self._complete[0]}; seed {self.seed}")
        self._readable += tiles
        self._complete.append(self.written // tile - before)
        if issue:
            count, first, last = bursts.popleft()
            middle = [(0, self.config.bus_bytes - 1)] * (count - 1)
            beats = [*middle, (0, last)]
            beats[0] = (first, beats[0][1])
            self._beats.extend(beats)
            self.requested += sum(end - start + 1 for start, end in beats)
        self.released += release * tile
        assert self.requested - self.released <= self.config.wgt_bytes, (
            f"more bytes than the weight buffer; seed {self.seed}")
        return issue

    def run(self, body):
        """Run the async function ``body(ctx)`` as the testbench."""
        simulator = Simulator(self.dut)
        simulator.add_clock(1e-6)
        add_deadline(simulator, 20_000)
        simulator.add_testbench(body)
        simulator.run()
