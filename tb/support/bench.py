"""Testbenches on one component in Amaranth's simulator."""

from amaranth.sim import Simulator

__all__ = ["add_deadline", "run_bench"]


def add_deadline(sim, cycles):
    """Make a simulation fail that has not ended after ``cycles`` cycles."""
    async def deadline(ctx):
        for _ in range(cycles):
            await ctx.tick()
        raise AssertionError(f"the testbench has not ended after {cycles} cycles")

    sim.add_testbench(deadline, background=True)


def run_bench(dut, bench, *, cycles=100_000):
    """Run the async function ``bench(ctx, dut)`` as the testbench of a component."""
    sim = Simulator(dut)
    sim.add_clock(1e-6)
    add_deadline(sim, cycles)

    async def testbench(ctx):
        await bench(ctx, dut)

    sim.add_testbench(testbench)
    sim.run()
