"""Pieces of logic that blocks share."""

from amaranth.hdl import Elaboratable, Module, Signal
from amaranth.sim import Simulator

from weft.logic import choose, reset_in_turn


class Counting(Elaboratable):
    """Counts cycles since its reset."""

    def __init__(self):
        self.o_count = Signal(8)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.o_count.eq(self.o_count + 1)
        return m


def test_parts_are_reset_one_a_cycle_after_the_other():
    m = Module()
    clear = Signal()
    parts = [Counting() for _ in range(3)]
    last = reset_in_turn(m, clear, [(f"part_{n}", part) for n, part in enumerate(parts)])
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
    # a register before each: the reset itself acts a cycle after its register
    assert resets == {0: [3], 1: [4], 2: [5], "last": [4]}


def test_chooses_the_value_whose_condition_holds():
    m = Module()
    conditions, result = Signal(3), Signal(4)
    m.d.comb += result.eq(choose((conditions[n], value) for n, value in enumerate((5, 9, 12))))

    async def bench(ctx):
        for given, expected in ((0, 0), (1, 5), (2, 9), (4, 12)):
            ctx.set(conditions, given)
            await ctx.delay(1e-7)
            assert ctx.get(result) == expected

    sim = Simulator(m)
    sim.add_testbench(bench)
    sim.run()
