"""One-hot multiplexer: every selection, and none."""

from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator

from weft.one_hot_mux import one_hot_mux


def test_returns_the_selected_value_or_zero():
    m = Module()
    conditions, result = Signal(3), Signal(4)
    m.d.comb += result.eq(one_hot_mux((conditions[n], value) for n, value in enumerate((5, 9, 12))))

    async def bench(ctx):
        for selection, expected in ((0, 0), (1, 5), (2, 9), (4, 12)):
            ctx.set(conditions, selection)
            await ctx.delay(1e-7)
            assert ctx.get(result) == expected

    sim = Simulator(m)
    sim.add_testbench(bench)
    sim.run()
