"""Interpolation of functions compared with the emulator's, in numpy."""

import random

import numpy as np
import pytest
from amaranth.sim import Simulator

from support.seeds import seed
from weft.vector.fixed_point.tables import FUNCTIONS, Interpolation, function_table
from weft_host.numerics import interpolation

MOST = 1 << 31


@pytest.mark.parametrize("number, name", [(0, "_EXPONENTIAL"), (1, "_SIGMOID"), (2, "_GELU")])
def test_tables_are_those_of_the_emulator(number, name):
    assert function_table(FUNCTIONS[number]) == getattr(interpolation, name).tolist()


@pytest.mark.parametrize("fraction", (4, 5, 12, 19, 20, 21, 24))
@pytest.mark.parametrize("function", range(3))
def test_interpolation_matches_the_law(fraction, function):
    rng = random.Random(f"{seed()}/{fraction}/{function}")
    edges = [n << fraction - 4 for n in (0, 1, 2, 128, 255, 256, 257)]
    arguments = [x + d for x in edges for d in (-1, 0, 1) if x + d < MOST]
    arguments += [rng.randint(0, 17 << fraction) % MOST for _ in range(100)]
    arguments += [MOST - 1, rng.randrange(MOST)]
    if function == 0:
        cases = [(rng.randint(-MOST, MOST - 1 - x), x) for x in arguments if x >= 0]
        cases = [(a, a + x) for a, x in cases] + [(-MOST, MOST - 1), (MOST - 1, -MOST), (5, 4)]
    else:
        cases = [(x, 0) for x in arguments] + [(-x, 0) for x in arguments] + [(-MOST, 0)]
    dut = Interpolation()
    found = []

    async def feed(ctx):
        ctx.set(dut.i_exponential, function == 0)
        ctx.set(dut.i_function, function)
        ctx.set(dut.i_fraction, fraction - 4)
        for cycle in range(len(cases) + dut.LATENCY):
            if cycle >= dut.LATENCY:
                product = ctx.get(dut.o_slope) * ctx.get(dut.o_part)
                total = ctx.get(dut.o_addend) + (
                    -product if ctx.get(dut.o_negative) else product)
                found.append(total + (1 << 15) >> 16)
            a, b = cases[cycle] if cycle < len(cases) else (0, 0)
            ctx.set(dut.i_a, a)
            ctx.set(dut.i_b, b)
            await ctx.tick()

    sim = Simulator(dut)
    sim.add_clock(1e-8)
    sim.add_testbench(feed)
    sim.run()
    a, b = (np.array(numbers, np.int64) for numbers in zip(*cases, strict=True))
    law = (interpolation.exponential(np.maximum(b - a, 0), fraction) if function == 0 else
           (interpolation.sigmoid, interpolation.gelu_gate)[function - 1](a, fraction))
    for case, expected, actual in zip(cases, law, found, strict=True):
        assert actual == expected, f"{case}: {actual} instead of {expected}"
