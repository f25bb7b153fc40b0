"""Test bench of the VECTOR unit with model memories, and the configurations of its tests."""

import functools
import random

from models.vector_unit import VectorModel
from support.local_memory import LocalMemory
from support.seeds import seed as common_seed
from support.setter import setter
from support.shared_simulator import SharedSimulator
from weft.spec.config import Config
from weft.spec.presets import preset
from weft.vector.unit import VectorUnit

__all__ = ["VECTOR_CONFIGS", "VectorBench"]

TIMEOUT = 20000          # cycles of a program, at most

VECTOR_CONFIGS = (
    preset("tiny"), preset("icebreaker", spad_bytes=1024), preset("wide", spad_bytes=1024),
    preset("small", spad_bytes=1024), preset("small", vector_lanes=1, spad_bytes=1024),
    preset("small", vector_lanes=8, spad_bytes=1024),
    Config(cols=2, vector_lanes=2, spad_bytes=1024, acc_rows=8),
    Config(cols=2, vector_lanes=1, spad_bytes=1024, acc_rows=8),
)


def acc_reader(port, rows, *, latency, stall, seed):
    """Return a process that serves an accumulator port from ``rows``."""
    rng = random.Random(f"acc/{seed}")

    async def process(ctx):
        pipe = [None] * (latency - 1)
        set_ready, set_valid, set_data = (setter(ctx, signal) for signal in (
            port.req.ready, port.valid, port.data.as_value()))
        set_ready(1)
        stalled = None
        async for _, _, valid, ready, row in ctx.tick().sample(
                port.req.valid, port.req.ready, port.req.payload):
            assert stalled is None or valid and row == stalled, (
                "the request changed while it was not accepted")
            stalled = row if valid and not ready else None
            pipe.append(rows[row] if valid and ready else None)
            contents = pipe.pop(0)
            set_valid(contents is not None)
            words = contents or [rng.getrandbits(31) for _ in rows[0]]
            set_data(sum((word & 0xFFFF_FFFF) << 32 * column for column, word in enumerate(words)))
            set_ready(rng.random() >= stall)
    return process


@functools.cache
def simulator(config):
    """Return the simulator of all benches of a configuration."""
    return SharedSimulator(VectorUnit(config), processes=4, background=1)


class VectorBench:
    """VECTOR unit with its model and model memories.

    Parameters
    ----------
    seed : :class:`int` or :class:`str`
        Seed of this run, combined with the common seed.
    stall : :class:`float`
        Probability of a stall, for each memory port and cycle.
    read_stall : :class:`float`, optional
        Probability of a stall of the scratchpad's read port, if it differs.

    Attributes
    ----------
    accepted_at, done_at : list of :class:`int`
        Cycles in which each instruction was accepted and done.
    """

    def __init__(self, config, *, seed=0, stall=0.0, read_stall=None, acc_latency=4,
                 spad_latency=6):
        self.simulator = simulator(config)
        self.dut = self.simulator.dut
        self.seed = seed = f"{common_seed()}/{seed}"
        self.model = VectorModel(config, seed)
        self.memory = LocalMemory(config.spad_bytes, stall=stall, read_latency=spad_latency,
                                  seed=seed)
        self.memory.data[:] = self.model.spad
        self.reads = self.memory
        if read_stall is not None:
            self.reads = LocalMemory(config.spad_bytes, stall=read_stall,
                                     read_latency=spad_latency, seed=seed)
            self.reads.data = self.memory.data
        self.stall = stall
        self.acc_latency = acc_latency
        self.accepted_at, self.done_at = [], []
        self.conflicts = 0
        self.cycles = 0

    def run(self, program, *, gaps=False, watch=None, clear_at=None):
        """Execute ``program`` on the unit and the model, and compare the whole scratchpad.

        Parameters and tables are cleared before the instruction with the index ``clear_at``.
        """
        dut, rng = self.dut, random.Random(f"gaps/{self.seed}")
        for index, raw in enumerate(program):
            if index == clear_at:
                self.model.clear()
            self.model.execute(raw)

        async def clear(ctx):
            await ctx.tick().until(~dut.unit.busy)
            ctx.set(dut.i_clear, 1)
            await ctx.tick().until(dut.o_clearing)
            cycles = 0
            while ctx.get(dut.o_clearing):
                await ctx.tick()
                cycles += 1
            assert cycles < 514
            await ctx.tick().repeat(rng.randint(1, 4))
            ctx.set(dut.i_clear, 0)

        async def issue(ctx):
            for index, raw in enumerate(program):
                if index == clear_at:
                    await clear(ctx)
                if gaps and rng.random() < 0.3:
                    await ctx.tick().repeat(rng.randint(1, 40))
                ctx.set(dut.unit.cmd.payload, int.from_bytes(raw, "little"))
                ctx.set(dut.unit.cmd.valid, 1)
                await ctx.tick().until(dut.unit.cmd.ready)
                ctx.set(dut.unit.cmd.valid, 0)
                ctx.set(dut.unit.cmd.payload, rng.getrandbits(256))
            idle = 0
            while idle < 40:            # wait, so that a spurious done would be seen
                await ctx.tick()
                idle = 0 if ctx.get(dut.unit.busy) else idle + 1

        async def count(ctx):
            unit = dut.unit
            async for _, _, done, busy, conflict, error, valid, ready in ctx.tick().sample(
                    unit.done, unit.busy, unit.conflict, unit.error, unit.cmd.valid,
                    unit.cmd.ready):
                self.cycles += 1
                assert self.cycles < TIMEOUT, f"the unit hangs, seed {self.seed}"
                assert not error
                assert busy or not done, f"done without busy in cycle {self.cycles}"
                self.conflicts += conflict
                if valid and ready:
                    self.accepted_at.append(self.cycles)
                if done:
                    self.done_at.append(self.cycles)

        try:
            self.simulator.run(testbenches=[issue], background=[watch] if watch else [], processes=[
                count, acc_reader(dut.acc, self.model.acc, latency=self.acc_latency,
                                  stall=self.stall, seed=self.seed),
                self.memory.writer(dut.spad_out), self.reads.reader(dut.spad)])
        except BaseException:
            simulator.cache_clear()         # its state is unknown
            raise
        assert len(self.done_at) == len(program)
        for addr, (expected, actual) in enumerate(zip(self.model.spad, self.memory.data)):
            assert expected == actual, f"seed {self.seed}: byte {addr}: {(expected, actual)}"
