"""Bytes that wait: in order, after how long, and what an overflow loses."""

import random

import pytest
from amaranth.sim import Simulator

from weft.link.queue import ByteQueue


def pass_through(depth, pushes, takes):
    """What comes out, with its cycle, for what goes in and readiness, cycle by cycle."""
    dut = ByteQueue(depth)
    found = []

    async def bench(ctx):
        for cycle, (byte, ready) in enumerate(zip(pushes, takes)):
            ctx.set(dut.i_en, byte is not None)
            ctx.set(dut.i_byte, byte or 0)
            ctx.set(dut.o.ready, ready)
            _, _, valid, payload = await ctx.tick().sample(dut.o.valid, dut.o.payload)
            if valid and ready:
                found.append((cycle, payload))

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(bench)
    sim.run()
    return found


@pytest.mark.parametrize("ready", [0.1, 0.5, 1.0])
def test_keeps_the_order(ready):
    draw = random.Random(f"queue {ready}")
    pushes = [draw.randrange(256) if draw.random() < 0.5 else None for _ in range(600)]
    takes = [draw.random() < ready for _ in range(600)]
    pushes += [None] * 400
    takes += [True] * 400
    found = [byte for _, byte in pass_through(1024, pushes, takes)]
    assert found == [byte for byte in pushes if byte is not None]


def test_a_byte_is_there_after_the_latency_and_one_follows_a_cycle():
    found = pass_through(16, [*range(10), *[None] * 10], [True] * 20)
    assert found == [(index + ByteQueue.LATENCY, index) for index in range(10)]


def test_depth_less_one_wait_and_depth_are_lost():
    for count, left in ((15, list(range(15))), (16, []), (18, [16, 17])):
        pushes = [*range(count), *[None] * 30]
        takes = [False] * (count + 3) + [True] * 27
        assert [byte for _, byte in pass_through(16, pushes, takes)] == left
