"""Rounding right shift compared with the emulator's, in numpy."""

import random

import numpy as np
import pytest
from amaranth.sim import Simulator

from support.seeds import seed
from weft.vector.fixed_point.right_shift import RightShift
from weft_host.numerics.rounding_shift import round_shift


def run(width, cases):
    """Return the results for ``(value, amount)``, one of which enters every cycle."""
    dut = RightShift(width)
    results = []

    async def feed(ctx):
        for cycle in range(len(cases) + dut.LATENCY):
            if cycle >= dut.LATENCY:
                results.append(ctx.get(dut.o_result))
            value, amount = cases[cycle] if cycle < len(cases) else (0, 0)
            ctx.set(dut.i_value, value)
            ctx.set(dut.i_amount, amount)
            await ctx.tick()

    sim = Simulator(dut)
    sim.add_clock(1e-8)
    sim.add_testbench(feed)
    sim.run()
    return results


@pytest.mark.parametrize("width", (64, 41))
def test_every_amount_rounds_halves_up(width):
    rng = random.Random(f"{seed()}/{width}")
    most = 1 << min(width - 1, 62)
    limit = min(most, (1 << width - 1) - 1)
    cases = []
    for amount in range(64):
        half = 1 << amount >> 1
        values = [0, 1, -1, limit, -most, half, -half, half - 1, -half - 1, half + 1, 3 * half,
                  *(rng.randint(-most, limit) >> rng.randrange(width) for _ in range(8))]
        cases += [(min(max(value, -most), limit), amount) for value in values]
    rng.shuffle(cases)
    values, amounts = (np.array(numbers, np.int64) for numbers in zip(*cases, strict=True))
    expected = round_shift(values, amounts)
    for case, law, actual in zip(cases, expected, run(width, cases), strict=True):
        assert actual == law, f"{case}: {actual} instead of {law}"
