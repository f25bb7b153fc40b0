"""Runs one testbench on one component in Amaranth's simulator."""

from amaranth.sim import Simulator

__all__ = ["run_bench"]


def run_bench(dut, bench):
    """``bench`` is an async function of the simulator's context and ``dut``."""
    sim = Simulator(dut)
    sim.add_clock(1e-6)

    async def testbench(ctx):
        await bench(ctx, dut)

    sim.add_testbench(testbench)
    sim.run()
