"""Burst planner compared with a list of the bytes that each beat must move."""

import random

import pytest
from amaranth.sim import Simulator

from support.seeds import seed
from support.streams import STALL_PATTERNS, Stalls, get, put
from weft.dma.planner import BurstPlanner
from weft.spec.presets import preset


def run(config, copies, input_stalls="none", output_stalls="none"):
    """Return ``[(cycle, burst)]`` of all copies, with bursts as dictionaries."""
    dut = BurstPlanner(config, 3)
    bursts, finished = [], []
    ends = row_ends(config, copies)
    cycle = 0

    async def count(ctx):
        nonlocal cycle
        async for _ in ctx.tick():
            cycle += 1

    async def send(ctx):
        stalls = Stalls(input_stalls, seed(1))
        for copy in copies:
            if idle := next(stalls):
                await ctx.tick().repeat(idle)
            await put(ctx, dut.i, copy)

    async def receive(ctx):
        stalls = Stalls(output_stalls, seed(2))
        for _ in range(sum(copy["count"] for copy in copies)):
            while True:
                if idle := next(stalls):
                    await ctx.tick().repeat(idle)
                burst = await get(ctx, dut.o)
                bursts.append((cycle, {name: burst[name] for name, _ in burst.shape()}))
                # the end of a row follows from the sizes, not from the output of the device
                if len(bursts) in ends:
                    break
        await ctx.tick().repeat(8)
        assert not ctx.get(dut.o.valid) and not ctx.get(dut.o_busy), "bursts left over"
        finished.append(True)

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(count, background=True)
    sim.add_testbench(send)
    sim.add_testbench(receive)
    sim.run_until(1e-6 * 20_000)
    assert finished, f"stuck after {len(bursts)} bursts"
    return bursts


def planned(config, copy):
    """Return all bursts of a copy."""
    width, block = config.bus_bytes, config.max_burst * config.bus_bytes
    host_size = 1 << config.addr_width
    local_size = max(config.spad_bytes, config.wgt_bytes)
    result = []
    for row in range(copy["count"]):
        start = (copy["host_addr"] + row * copy["host_pitch"]) % host_size
        local = copy["local_addr"] + row * copy["local_pitch"]
        address, end = start, start + copy["bytes"]
        while address < end:
            stop = min(end, address // block * block + block)
            beat = address // width
            result.append({
                "beat_addr": beat % (host_size // width), "len": (stop - 1) // width - beat,
                "local_addr": (local + beat * width - start) % local_size,
                "head": address % width, "tail": (stop - 1) % width,
                "last": row == copy["count"] - 1 and stop == end, "tag": copy["tag"]})
            address = stop
    return result


def row_ends(config, copies):
    """Return the numbers of bursts after each of which a row ends."""
    boundaries = set()
    total = 0
    for copy in copies:
        for row in range(copy["count"]):
            one = {**copy, "count": 1,
                   "host_addr": copy["host_addr"] + row * copy["host_pitch"]}
            total += len(planned(config, one))
            boundaries.add(total)
    return boundaries


def random_copy(config, draw):
    """Return a random copy, with many corner cases."""
    size = draw.choice([1, 2, config.bus_bytes, draw.randint(1, 50), draw.randint(1, 1000)])
    return {
        "host_addr": draw.randrange(1 << config.addr_width - 1),
        "host_pitch": draw.choice([0, size, draw.randrange(3000)]),
        "local_addr": draw.randrange(config.spad_bytes),
        "local_pitch": draw.choice([0, size % config.spad_bytes, draw.randrange(200)]),
        "bytes": size, "count": draw.randint(1, 5), "tag": draw.randrange(8)}


@pytest.mark.parametrize("output_stalls", STALL_PATTERNS)
@pytest.mark.parametrize("width, max_burst", [(32, 1), (32, 256), (64, 32), (128, 4), (256, 128)])
def test_bursts_cover_the_copy_exactly(width, max_burst, output_stalls):
    config = preset("tiny", bus_width=width, max_burst=max_burst)
    draw = random.Random(f"{seed()}/{width}/{max_burst}/{output_stalls}")
    copies = [random_copy(config, draw) for _ in range(12)]
    bursts = [burst for _, burst in run(config, copies, "light", output_stalls)]
    wanted = [burst for copy in copies for burst in planned(config, copy)]
    for index, (actual, expected) in enumerate(zip(bursts, wanted)):
        assert actual == expected, f"burst {index}"
    assert len(bursts) == len(wanted)


@pytest.mark.parametrize("max_burst", [1, 32, 128])
def test_no_burst_crosses_a_4_kib_boundary(max_burst):
    config = preset("tiny", bus_width=256, max_burst=max_burst)
    for _, burst in run(config, [dict(host_addr=4096 * 3 - 33, host_pitch=4096 - 7, local_addr=0,
                                      local_pitch=0, bytes=2048, count=5, tag=0)]):
        first, last = burst["beat_addr"], burst["beat_addr"] + burst["len"]
        assert first * 32 >> 12 == last * 32 >> 12


def test_plans_a_row_as_large_as_the_scratchpad():
    config = preset("tiny", bus_width=32)
    copy = dict(host_addr=3, host_pitch=0, local_addr=0, local_pitch=0, bytes=config.spad_bytes,
                count=1, tag=0)
    assert [burst for _, burst in run(config, [copy])] == planned(config, copy)


def test_offers_one_burst_a_cycle_across_rows():
    copy = dict(host_addr=5, host_pitch=100, local_addr=0, local_pitch=3, bytes=2, count=40, tag=1)
    cycles = [cycle for cycle, _ in run(preset("tiny", bus_width=64), [copy])]
    assert cycles == list(range(cycles[0], cycles[0] + 40))
    # the copy is accepted in the first cycle, and the first burst in cycle LATENCY after it
    assert cycles[0] == BurstPlanner.LATENCY + 1
