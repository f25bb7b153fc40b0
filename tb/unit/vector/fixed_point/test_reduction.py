"""Reductions of rows compared with Python integers, with a consumer that stalls."""

import random

import pytest
from amaranth.sim import Simulator

from support.seeds import seed
from weft.vector.fixed_point.reduction import NUMBER, RowReduction

MOST = 1 << 62


def run(lanes, rows, *, magnitude, greatest, stall, rng):
    """Return the numbers of rows of values."""
    dut = RowReduction(lanes)
    found = []

    async def feed(ctx):
        ctx.set(dut.i_magnitude, magnitude)
        ctx.set(dut.i_greatest, greatest)
        for number, row in enumerate(rows):
            while number - len(found) >= 2:
                await ctx.tick()
            for first in range(0, len(row), lanes):
                step = row[first:first + lanes]
                ctx.set(dut.i_en, 1)
                ctx.set(dut.i_first, first == 0)
                ctx.set(dut.i_last, first + lanes >= len(row))
                ctx.set(dut.i_used, (1 << len(step)) - 1)
                ctx.set(dut.i_values, step + [-7] * (lanes - len(step)))
                await ctx.tick()
                ctx.set(dut.i_en, 0)
                while stall and rng.random() < 0.3:
                    await ctx.tick()
        while len(found) < len(rows):
            await ctx.tick()

    async def consume(ctx):
        async for _, _, valid, ready, payload in ctx.tick().sample(
                dut.o.valid, dut.o.ready, dut.o.payload):
            if valid and ready:
                found.append(payload)
            ctx.set(dut.o.ready, not stall or rng.random() >= stall)

    sim = Simulator(dut)
    sim.add_clock(1e-8)
    sim.add_testbench(feed)
    sim.add_process(consume)
    sim.run()
    return found


@pytest.mark.parametrize("lanes", (1, 2, 4))
@pytest.mark.parametrize("stall", (0.0, 0.9))
@pytest.mark.parametrize("name, magnitude, greatest, law", (
    ("sum", 0, 0, sum), ("maximum", 0, 1, max),
    ("magnitude", 1, 1, lambda row: max(map(abs, row)))))
def test_rows_match_the_law(lanes, stall, name, magnitude, greatest, law):
    rng = random.Random(f"{seed()}/{lanes}/{stall}/{name}")
    rows = [[rng.choice((0, MOST, -MOST, -1, rng.randint(-MOST, MOST) >> rng.randrange(63)))
             for _ in range(rng.choice((1, 2, 3, 8, rng.randint(1, 20))))] for _ in range(20)]
    rows += [[-MOST] * 3, [MOST] * 9, [-1] * 5, [-5]]
    found = run(lanes, rows, magnitude=magnitude, greatest=greatest, stall=stall, rng=rng)
    assert found == [law(row) for row in rows]


def test_the_longest_row_of_the_largest_squares_fits():
    """65,535 squares of 2^31 have 78 bits."""
    lanes, rows = 16, [[MOST] * 65535]
    assert (65535 * MOST).bit_length() < NUMBER
    found = run(lanes, rows, magnitude=0, greatest=0, stall=0.0, rng=None)
    assert found == [65535 * MOST]
