"""A queue that cannot refuse."""

import random

import pytest
from amaranth.lib import data
from amaranth.sim import Simulator

from weft.bus.memory_queue import MemoryQueue


@pytest.mark.parametrize("takes", [1.0, 0.5, 0.1])
def test_entries_come_out_in_their_order_as_soon_as_they_are_wanted(takes):
    depth, seed = 8, f"queue/{takes}"
    dut = MemoryQueue(data.ArrayLayout(8, 2), depth=depth, attrs={})
    rng = random.Random(seed)
    waiting, out, most = [], 0, 0

    async def bench(ctx):
        nonlocal out, most
        sent = 0
        for cycle in range(600):
            # an entry that has come to the register makes room for another
            gives = len(waiting) < depth and rng.random() < 0.7
            ctx.set(dut.i_en, gives)
            ctx.set(dut.i, [sent % 256, sent // 256])
            ready = rng.random() < takes
            ctx.set(dut.o.ready, ready)
            _, _, valid, entry = await ctx.tick().sample(dut.o.valid, dut.o.payload)
            assert valid == (bool(waiting) and waiting[0][0] <= cycle), (seed, cycle)
            if valid:
                assert entry[0] + 256 * entry[1] == waiting[0][1], (seed, cycle)
            if valid and ready:
                waiting.pop(0)
                out += 1
                if waiting:
                    waiting[0] = max(waiting[0][0], cycle + 1), waiting[0][1]
            if gives:
                waiting.append((cycle + dut.LATENCY, sent))
                sent += 1
            most = max(most, len(waiting))
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert out > 50 and (takes > 0.6 or most == depth)
