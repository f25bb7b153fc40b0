"""Staggered reset: the cycles in which the components are reset."""

from amaranth.hdl import Elaboratable, Module, Signal
from amaranth.sim import Simulator

from weft.staggered_reset import add_with_staggered_reset


class CycleCounter(Elaboratable):
    """Counter of the cycles since the last reset."""

    def __init__(self):
        self.o_count = Signal(8)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.o_count.eq(self.o_count + 1)
        return m


def test_resets_each_part_one_cycle_after_the_previous_one():
    m = Module()
    clear = Signal()
    parts = [CycleCounter() for _ in range(3)]
    last = add_with_staggered_reset(m, clear, [(f"part_{n}", part) for n, part in enumerate(parts)])
    resets = {}

    async def bench(ctx):
        await ctx.tick().repeat(5)
        for cycle in range(12):
            ctx.set(clear, cycle == 2)
            await ctx.tick()
            for number, part in enumerate(parts):
                if ctx.get(part.o_count) == 0:
                    resets.setdefault(number, []).append(cycle)
            if ctx.get(last):
                resets.setdefault("last", []).append(cycle)

    sim = Simulator(m)
    sim.add_clock(1e-6)
    sim.add_testbench(bench)
    sim.run()
    # a component restarts one cycle after its reset register is set
    assert resets == {0: [3], 1: [4], 2: [5], "last": [4]}
