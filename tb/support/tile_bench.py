"""Test bench of LOAD with the weight buffer as a ring, and a consumer in place of MATMUL."""

import random

from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.lib import wiring
from amaranth.sim import Simulator

from weft.bus.read_arbiter import ReadArbiter
from weft.dma.load import LoadUnit
from weft.sram.weight_halves import WeightHalves
from weft.sram.weights import WeightBuffer

from .axi_memory import AxiMemory
from .local_memory import LocalMemory
from .seeds import seed as common_seed

__all__ = ["TileBench"]


class TileBench:
    """LOAD with host memory, scratchpad and weight buffer.

    The consumer reads a tile in as many cycles as the array, as soon as the ring has one.

    Parameters
    ----------
    config : :class:`Config`
        Configuration with ``fixed_point``.
    stall : :class:`float`
        Probability of a stall, for each stream and cycle, and of a pause between two tiles.
    wait : :class:`int`
        Cycles in which the consumer takes no tile, so that the ring becomes full.
    host_bytes : :class:`int`
        Size of the host memory, which begins at address 0.
    seed : :class:`int`
        Number added to the common seed.

    Attributes
    ----------
    tiles : list of :class:`bytes`
        Tiles that the consumer has read.
    done : :class:`int`
        Instructions done.
    error : tuple or ``None``
        Code and address of an error.
    cycles : list of :class:`int`
        Cycles from the acceptance of the first instruction to each of the tiles.
    """

    def __init__(self, config, *, stall=0.0, wait=0, latency=20, host_bytes=1 << 16, seed=0):
        self.config, self.stall, self.wait = config, stall, wait
        self.random = random.Random(f"{common_seed(seed)}/{config.name}")
        m = Module()
        self.reset, self.clear, self.gate = Signal(), Signal(), Signal(init=1)
        m.submodules.dut = self.dut = dut = LoadUnit(config)
        m.submodules.arbiter = arbiter = ReadArbiter(config)
        wiring.connect(m, dut.axi, arbiter.second)
        kind = WeightHalves if config.tile_lines > 1 else WeightBuffer
        m.submodules.weights = self.weights = kind(config)
        port = self.weights.load
        m.d.comb += [
            port.req.payload.eq(dut.wgt.req.payload),
            port.req.valid.eq(dut.wgt.req.valid & self.gate),
            dut.wgt.req.ready.eq(port.req.ready & self.gate),
            dut.wgt.done.eq(port.done),
            dut.i_ring_clear.eq(self.clear),
        ]
        if config.tile_lines > 1 and config.weights_4bit:
            wiring.connect(m, dut.wgt_upper, self.weights.load_upper)
        self.host = AxiMemory(size=host_bytes, bus_bytes=config.bus_bytes, latency=latency,
                              stall=stall, outstanding=config.outstanding, seed=seed + 1)
        self.spad = LocalMemory(config.spad_bytes, stall=stall, seed=seed + 2)
        self.host.data[:] = self.random.randbytes(host_bytes)
        self.sim = Simulator(ResetInserter(self.reset)(m))
        self.sim.add_clock(1e-6)
        self.sim.add_process(self.host.reader(arbiter.axi))
        self.sim.add_process(self.spad.writer(dut.spad))
        self._restart()

    def _restart(self):
        self.tiles, self.done, self.error, self.cycles = [], 0, None, []
        self._lines = []

    def run(self, instructions, tiles, *, halt_after=None, limit=100_000):
        """Execute instructions until ``tiles`` tiles have been read, or an error is reported.

        With ``halt_after``, the unit is halted after that many cycles and reset when it is idle,
        the ring is cleared, and then the instructions are executed.
        """
        async def testbench(ctx):
            if halt_after is not None:
                await self._execute(ctx, instructions, tiles, halt_after, limit)
                ctx.set(self.reset, 1)
                self.spad.flush()
                await ctx.tick()
                ctx.set(self.reset, 0)
                ctx.set(self.clear, 1)
                await ctx.tick()
                ctx.set(self.clear, 0)
                ctx.set(self.dut.unit.halt, 0)
                self._restart()
            await self._execute(ctx, instructions, tiles, None, limit)
        self.sim.add_testbench(testbench)
        self.sim.run()

    async def _execute(self, ctx, instructions, wanted, halt_after, limit):
        unit, ring = self.dut.unit, self.dut.ring
        waiting, offered, first = list(instructions), False, None
        available, tile, line, quiet = 0, 0, None, 0
        count = self.config.tile_cycles
        expander = [self.dut._expander.o_busy] if self.config.weights_4bit else []
        tick = ctx.tick().sample(unit.cmd.ready, unit.done, unit.error,
                                 unit.error_info.as_value(), unit.busy, self.dut.o_idle,
                                 ring.tiles, *expander)
        for cycle in range(limit):
            if not offered and waiting and self.random.random() >= self.stall:
                ctx.set(unit.cmd.payload, int.from_bytes(waiting[0], "little"))
                offered = True
            ctx.set(unit.cmd.valid, offered)
            ctx.set(unit.halt, halt_after is not None and cycle >= halt_after)
            ctx.set(self.gate, self.random.random() >= self.stall)
            if (line is None and available and cycle >= self.wait
                    and self.random.random() >= self.stall):
                line, available = 0, available - 1
            self._request(ctx, None if line is None else tile * count + line)
            if line is not None:
                line += 1
            ends = line == count
            ctx.set(ring.release, ends)
            if ends:
                tile, line = (tile + 1) % self.config.wgt_tiles, None
            _, _, ready, done, error, info, busy, idle, complete, *expanding = await tick
            assert not (idle and any(expanding)), "idle before all beats have been written"
            available += complete
            assert available <= self.config.wgt_tiles, "more tiles than the buffer has"
            if offered and ready:
                first = cycle if first is None else first
                offered = False
                waiting.pop(0)
            self.done += done
            if self._receive(ctx):
                self.cycles.append(cycle - first + 1)
            if error:
                assert self.error is None
                self.error = (info & 0xFF, info >> 8)
            if halt_after is not None and cycle >= halt_after and idle:
                ctx.set(unit.cmd.valid, 0)
                ctx.set(ring.release, 0)
                self._request(ctx, None)
                return
            over = self.done == len(instructions) and len(self.tiles) == wanted
            quiet = quiet + 1 if not busy and (over or self.error is not None) else 0
            if quiet == 30:
                return
        raise AssertionError(f"{self.done} instructions and {len(self.tiles)} tiles after {limit} "
                             "cycles")

    def _ports(self):
        """Return the read ports, that for the lower half first."""
        lower = [self.weights.matmul_lower] if self.config.tile_lines > 1 else []
        return [*lower, self.weights.matmul]

    def _request(self, ctx, line):
        for port in self._ports():
            ctx.set(port.req.valid, line is not None)
            ctx.set(port.req.payload, line or 0)

    def _receive(self, ctx):
        """Collect the lines that have been read; return whether they complete a tile."""
        ports = self._ports()
        if not ctx.get(ports[0].valid):
            return False
        self._lines.append([bytes(ctx.get(port.data)) for port in ports])
        if len(self._lines) < self.config.tile_cycles:
            return False
        self.tiles.append(b"".join(lines[half] for half in range(len(ports))
                                   for lines in self._lines))
        self._lines = []
        return True
