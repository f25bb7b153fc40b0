"""Byte queue: order, latency, throughput and overflow."""

import random

import pytest
from amaranth.sim import Simulator

from support.seeds import seed
from weft.link.queue import ByteQueue


def pass_through(depth, pushes, readies):
    """Return ``(cycle, byte)`` of all outputs, for an input and a ``ready`` in each cycle."""
    dut = ByteQueue(depth)
    found = []

    async def bench(ctx):
        for cycle, (byte, ready) in enumerate(zip(pushes, readies)):
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
def test_preserves_the_order(ready):
    draw = random.Random(f"queue {ready} {seed()}")
    pushes = [draw.randrange(256) if draw.random() < 0.5 else None for _ in range(600)]
    readies = [draw.random() < ready for _ in range(600)]
    pushes += [None] * 1200
    readies += [True] * 1200
    found = [byte for _, byte in pass_through(1024, pushes, readies)]
    assert found == [byte for byte in pushes if byte is not None]


def test_outputs_a_byte_after_the_latency_and_the_next_two_cycles_later():
    found = pass_through(16, [*range(10), *[None] * 30], [True] * 40)
    assert found == [(2 * index + ByteQueue.LATENCY, index) for index in range(10)]


def test_loses_depth_bytes_at_an_overflow():
    for count, kept in ((16, list(range(16))), (17, [0]), (19, [0, 17, 18])):
        pushes = [*range(count), *[None] * 60]
        readies = [False] * (count + 5) + [True] * 55
        assert [byte for _, byte in pass_through(16, pushes, readies)] == kept
