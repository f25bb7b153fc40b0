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
    pushes += [None] * 1200
    takes += [True] * 1200
    found = [byte for _, byte in pass_through(1024, pushes, takes)]
    assert found == [byte for byte in pushes if byte is not None]


def test_a_byte_is_there_after_the_latency_and_the_next_two_cycles_later():
    found = pass_through(16, [*range(10), *[None] * 30], [True] * 40)
    assert found == [(2 * index + ByteQueue.LATENCY, index) for index in range(10)]


def test_depth_bytes_wait_and_depth_are_lost():
    for count, left in ((16, list(range(16))), (17, [0]), (19, [0, 17, 18])):
        pushes = [*range(count), *[None] * 60]
        takes = [False] * (count + 5) + [True] * 55
        assert [byte for _, byte in pass_through(16, pushes, takes)] == left
