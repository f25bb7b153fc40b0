"""Sum of two planes compared with the emulator's law."""

import random

import numpy as np
import pytest
from amaranth.sim import Simulator

from support.seeds import seed
from weft.vector.fixed_point.planes import PlaneSum
from weft_host.numerics.rounding_shift import round_shift, saturate

MOST = 1 << 31


@pytest.mark.parametrize("pre_shift", (0, 1, 8, 9, 31, 39, 40, 41, 62))
def test_sums_match_the_law(pre_shift):
    rng = random.Random(f"{seed()}/{pre_shift}")
    corners = (0, 1, -1, MOST - 1, -MOST, 1 << 23, -(1 << 23), 127, -128)
    cases = [(high, low) for high in corners for low in corners]
    cases += [tuple(rng.randint(-MOST, MOST - 1) >> rng.randrange(32) for _ in range(2))
              for _ in range(100)]
    dut = PlaneSum()
    found = []

    async def feed(ctx):
        ctx.set(dut.i_pre_shift, pre_shift)
        for cycle in range(len(cases) + dut.LATENCY):
            if cycle >= dut.LATENCY:
                found.append(ctx.get(dut.o_sum))
            high, low = cases[cycle] if cycle < len(cases) else (0, 0)
            ctx.set(dut.i_high, high)
            ctx.set(dut.i_low, low)
            await ctx.tick()

    sim = Simulator(dut)
    sim.add_clock(1e-8)
    sim.add_testbench(feed)
    sim.run()
    high, low = np.array(cases, np.int64).T
    law = saturate(round_shift(256 * high + low, pre_shift))
    for case, expected, actual in zip(cases, law, found, strict=True):
        assert actual == expected, f"{case}: {actual} instead of {expected}"
