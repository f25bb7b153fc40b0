"""The register slice: nothing lost, nothing changed, one item a cycle, both directions cut."""

import pytest
from amaranth.sim import Simulator

from support.streams import STALL_PATTERNS, Stalls, get_all, put_all
from weft.bus.register_slice import RegisterSlice


@pytest.mark.parametrize("giving", STALL_PATTERNS)
@pytest.mark.parametrize("taking", STALL_PATTERNS)
def test_passes_everything_in_order(giving, taking):
    dut = RegisterSlice(16)
    items = [(index * 40503) & 0xFFFF for index in range(200)]
    taken = []

    async def give(ctx):
        await put_all(ctx, dut.i, items, Stalls(giving, 1))

    async def take(ctx):
        taken.extend(await get_all(ctx, dut.o, len(items), Stalls(taking, 2)))

    async def holds_payload_while_stalled(ctx):
        waiting = None
        async for _, _, valid, ready, payload in ctx.tick().sample(
                dut.o.valid, dut.o.ready, dut.o.payload):
            assert waiting is None or valid and payload == waiting
            waiting = payload if valid and not ready else None

    async def tells_what_comes_next(ctx):
        expected = None
        async for _, _, valid, ready, payload, following in ctx.tick().sample(
                dut.o.valid, dut.o.ready, dut.o.payload, dut.o_next):
            assert expected is None or not valid or payload == expected
            expected = following if ready or not valid else None

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(give)
    sim.add_testbench(take)
    sim.add_testbench(holds_payload_while_stalled, background=True)
    sim.add_testbench(tells_what_comes_next, background=True)
    sim.run_until(1e-6 * 5000)
    assert taken == items


def test_moves_one_item_a_cycle_after_one_cycle():
    dut = RegisterSlice(8)

    async def testbench(ctx):
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.o.ready, 1)
        for index in range(50):
            ctx.set(dut.i.payload, index)
            assert ctx.get(dut.i.ready)
            await ctx.tick()
            assert ctx.get(dut.o.valid) and ctx.get(dut.o.payload) == index

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(testbench)
    sim.run()


def test_no_wire_from_one_side_to_the_other():
    dut = RegisterSlice(8)

    async def testbench(ctx):
        ctx.set(dut.i.valid, 1)
        for fill in range(3):           # empty, one item, full
            seen = set()
            for ready in (0, 1):
                for payload in (0, 255):
                    ctx.set(dut.o.ready, ready)
                    ctx.set(dut.i.payload, payload)
                    seen.add((ctx.get(dut.i.ready), ctx.get(dut.o.valid),
                              ctx.get(dut.o.payload)))
            assert len(seen) == 1, seen
            assert seen.pop()[0] == (fill < 2)
            ctx.set(dut.o.ready, 0)
            await ctx.tick()

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(testbench)
    sim.run()
