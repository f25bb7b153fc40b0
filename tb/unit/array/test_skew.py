"""Delay lines of different lengths."""

import random

import pytest
from amaranth.hdl import signed
from amaranth.sim import Simulator

from support.seeds import seed
from weft.array.skew import Skew


@pytest.mark.parametrize("delays", [(1,), (0, 1, 2, 3), (3, 3, 1, 1, 0), (7, 0, 5)])
def test_delays_each_lane_by_its_own_cycles(delays):
    draw = random.Random(f"{seed()} {delays}")
    dut = Skew(shape=signed(8), delays=delays)
    sent = [[draw.choice((-128, 127, 0, draw.randint(-128, 127))) for _ in delays]
            for _ in range(40)]

    async def testbench(ctx):
        for index, values in enumerate(sent):
            for lane, value in enumerate(values):
                ctx.set(dut.i[lane], value)
            for lane, delay in enumerate(delays):
                if index >= delay:
                    assert ctx.get(dut.o[lane]) == sent[index - delay][lane], (index, lane)
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()


def test_rejects_a_negative_delay():
    with pytest.raises(ValueError, match=r"^delays\[1\] must be at least 0 cycles, not -1$"):
        Skew(shape=8, delays=(0, -1))
