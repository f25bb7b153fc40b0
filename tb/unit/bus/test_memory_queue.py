"""Memory queue: order and latency of entries, against a model."""

import random

import pytest
from amaranth.lib import data
from amaranth.sim import Simulator

from support.seeds import seed
from weft.bus.memory_queue import MemoryQueue


@pytest.mark.parametrize("ready_share", [1.0, 0.5, 0.1])
def test_entries_leave_in_order_after_the_latency(ready_share):
    depth, run_seed = 8, f"{seed()}/{ready_share}"
    dut = MemoryQueue(data.ArrayLayout(8, 2), depth=depth, attrs={})
    rng = random.Random(run_seed)
    waiting, out, most = [], 0, 0

    async def bench(ctx):
        nonlocal out, most
        sent = 0
        for cycle in range(600):
            # the queue fills in the first cycles and streams in the last ones
            fills, streams = cycle < 30 and ready_share < 1, cycle >= 500
            # an entry in the output register does not count
            sends = len(waiting) < depth and (rng.random() < 0.7 or fills or streams)
            ctx.set(dut.i_en, sends)
            ctx.set(dut.i, [sent % 256, sent // 256])
            ready = (rng.random() < ready_share and not fills) or streams
            ctx.set(dut.o.ready, ready)
            _, _, valid, entry = await ctx.tick().sample(dut.o.valid, dut.o.payload)
            assert valid == (bool(waiting) and waiting[0][0] <= cycle), (run_seed, cycle)
            if valid:
                assert entry[0] + 256 * entry[1] == waiting[0][1], (run_seed, cycle)
            if valid and ready:
                waiting.pop(0)
                out += 1
                if waiting:
                    waiting[0] = max(waiting[0][0], cycle + 1), waiting[0][1]
            if sends:
                waiting.append((cycle + dut.LATENCY, sent))
                sent += 1
            most = max(most, len(waiting))
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert out > 50 and (ready_share == 1 or most == depth)
