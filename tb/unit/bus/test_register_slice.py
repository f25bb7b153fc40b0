"""Register slice: order, stability, throughput, no combinational paths."""

import pytest
from amaranth.sim import Simulator

from support.streams import STALL_PATTERNS, Stalls, get_all, put_all
from weft.bus.register_slice import RegisterSlice


@pytest.mark.parametrize("input_stalls", STALL_PATTERNS)
@pytest.mark.parametrize("output_stalls", STALL_PATTERNS)
def test_passes_payloads_in_order(input_stalls, output_stalls):
    dut = RegisterSlice(16)
    items = [(index * 40503) & 0xFFFF for index in range(200)]
    received = []

    async def send(ctx):
        await put_all(ctx, dut.i, items, Stalls(input_stalls, 1))

    async def receive(ctx):
        received.extend(await get_all(ctx, dut.o, len(items), Stalls(output_stalls, 2)))

    async def check_payload_is_stable_while_stalled(ctx):
        stalled = None
        async for _, _, valid, ready, payload in ctx.tick().sample(
                dut.o.valid, dut.o.ready, dut.o.payload):
            assert stalled is None or valid and payload == stalled
            stalled = payload if valid and not ready else None

    async def check_o_next(ctx):
        expected = None
        async for _, _, valid, ready, payload, following in ctx.tick().sample(
                dut.o.valid, dut.o.ready, dut.o.payload, dut.o_next):
            assert expected is None or not valid or payload == expected
            expected = following if ready or not valid else None

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(send)
    sim.add_testbench(receive)
    sim.add_testbench(check_payload_is_stable_while_stalled, background=True)
    sim.add_testbench(check_o_next, background=True)
    sim.run_until(1e-6 * 5000)
    assert received == items


def test_latency_is_one_cycle_at_full_throughput():
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


def test_no_combinational_path_between_the_sides():
    dut = RegisterSlice(8)

    async def testbench(ctx):
        ctx.set(dut.i.valid, 1)
        for fill in range(3):           # empty, one payload, full
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
