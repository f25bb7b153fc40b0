"""Request timing of the MATMUL loop nest: one vector per cycle unless a hazard stalls it."""

import random

import pytest
from amaranth.sim import Simulator

from support.seeds import seed
from weft.array.positions import UPDATE_DISTANCE, PositionLoops
from weft.spec.isa import encode
from weft.spec.presets import preset


def instruction(rng):
    """Return a random MATMUL of at least three vectors, so that no bubble follows it."""
    return encode(
        "MATMUL", row_count=rng.randint(1, 2), chunk_count=rng.randint(3, 4),
        y_count=rng.randint(1, 2), x_count=rng.choice((1, 1, 2, 3, 5)),
        lead=rng.choice((0, 0, 1, 2)), depthwise=1, acc_addr=rng.randrange(4),
        hold=rng.randrange(2), apart=rng.randrange(2))


ONE_ROW = encode("MATMUL", row_count=40, chunk_count=4, y_count=1, x_count=1, depthwise=1)
"""MATMUL that updates one accumulator row in all of its 160 passes: a hazard in every run."""


@pytest.mark.parametrize("name", ("tiny", "small", "wide"))
@pytest.mark.parametrize("ready_rate, conflict_rate, tile_rate", (
    (1.0, 0.0, 1.0), (0.6, 0.0, 0.8), (0.9, 0.2, 0.9), (0.5, 0.4, 0.5)))
def test_requests_every_cycle_unless_its_accumulator_row_was_updated_recently(
        name, ready_rate, conflict_rate, tile_rate):
    rng = random.Random(f"{seed()}/{name}/{ready_rate}/{conflict_rate}/{tile_rate}")
    dut = PositionLoops(preset(name))
    counts = {"requests": 0, "hazards": 0}

    async def testbench(ctx):
        # accumulator row of the vector in each of the last cycles that had no conflict
        recent = [None] * (UPDATE_DISTANCE - 1)
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.i.payload, int.from_bytes(ONE_ROW, "little"))
        for cycle in range(4000):
            conflict, tile = rng.random() < conflict_rate, rng.random() < tile_rate
            ctx.set(dut.spad.conflict, conflict)
            ctx.set(dut.spad.req.ready, rng.random() < ready_rate)
            ctx.set(dut.i_tile_ready, tile)
            tag, first = ctx.get(dut.o_tag), ctx.get(dut.o_first)
            row = None if tag.lead else tag.row
            hazard = row is not None and row in recent
            if cycle > 5:               # the first vector has passed the pipeline
                may = not conflict and not hazard
                assert ctx.get(dut.spad.req.valid) == (may and (tile or not first)), cycle
                assert ctx.get(dut.o_wait_weights) == (may and first and not tile), cycle
            accepted = ctx.get(dut.o_accept)
            counts["requests"] += accepted
            counts["hazards"] += hazard
            if not conflict:
                recent = [row if accepted else None, *recent[:-1]]
            instruction_accepted = ctx.get(dut.i.ready)
            await ctx.tick()
            if instruction_accepted:
                ctx.set(dut.i.payload, int.from_bytes(instruction(rng), "little"))

    sim = Simulator(dut)
    sim.add_clock(1e-8)
    sim.add_testbench(testbench)
    sim.run()
    assert counts["requests"] > 500 and counts["hazards"] > 100, counts
