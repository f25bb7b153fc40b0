"""The loops of MATMUL ask for a vector in every cycle in which its accumulator row allows it."""

import random

import pytest
from amaranth.sim import Simulator

from weft.array.positions import UPDATE_DISTANCE, PositionLoops
from weft.spec.isa import encode
from weft.spec.presets import preset


def instruction(rng):
    """Three vectors or more, so that the next instruction is there in time."""
    return encode(
        "MATMUL", row_count=rng.randint(1, 2), chunk_count=rng.randint(3, 4),
        y_count=rng.randint(1, 2), x_count=rng.choice((1, 1, 2, 3, 5)),
        lead=rng.choice((0, 0, 1, 2)), depthwise=1, acc_addr=rng.randrange(4),
        hold=rng.randrange(2), apart=rng.randrange(2))


@pytest.mark.parametrize("name", ("tiny", "small", "wide"))
@pytest.mark.parametrize("taken, conflicts, tiles", (
    (1.0, 0.0, 1.0), (0.6, 0.0, 0.8), (0.9, 0.2, 0.9), (0.5, 0.4, 0.5)))
def test_asks_whenever_no_update_of_its_row_is_near(name, taken, conflicts, tiles):
    seed = f"{name}/{taken}/{conflicts}/{tiles}"
    rng = random.Random(seed)
    dut = PositionLoops(preset(name))
    counts = {"asked": 0, "waited": 0}

    async def testbench(ctx):
        # rows of the last cycles in which nothing stood still
        recent = [None] * (UPDATE_DISTANCE - 1)
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.i.payload, int.from_bytes(instruction(rng), "little"))
        for cycle in range(4000):
            conflict, tile = rng.random() < conflicts, rng.random() < tiles
            ctx.set(dut.spad.conflict, conflict)
            ctx.set(dut.spad.req.ready, rng.random() < taken)
            ctx.set(dut.i_tile_ready, tile)
            tag, first = ctx.get(dut.o_tag), ctx.get(dut.o_first)
            row = None if tag.lead else tag.row
            near = row is not None and row in recent
            if cycle > 5:               # the first vector has come through
                may = not conflict and not near
                assert ctx.get(dut.spad.req.valid) == (may and (tile or not first)), (seed, cycle)
                assert ctx.get(dut.o_wait_weights) == (may and first and not tile), (seed, cycle)
            accepted = ctx.get(dut.o_accept)
            counts["asked"] += accepted
            counts["waited"] += near
            if not conflict:
                recent = [row if accepted else None, *recent[:-1]]
            taken_over = ctx.get(dut.i.ready)
            await ctx.tick()
            if taken_over:
                ctx.set(dut.i.payload, int.from_bytes(instruction(rng), "little"))

    sim = Simulator(dut)
    sim.add_clock(1e-8)
    sim.add_testbench(testbench)
    sim.run()
    assert counts["asked"] > 500 and counts["waited"] > 100, counts
