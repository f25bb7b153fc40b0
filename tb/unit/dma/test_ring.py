"""Bookkeeping of the ring: space for bursts, addresses, and tiles that have become complete."""

import collections
import random

import pytest

from support.bench import run_bench
from support.ring_bench import RingBench, bursts_of
from support.seeds import seed
from weft.dma.ring import WRITE_CYCLES
from weft.spec.config import Config
from weft.spec.presets import preset
from weft.sram.weight_halves import WeightHalves
from weft.sram.weights import WeightBuffer

# the shortest and the longest beat beside a tile, the smallest ring, and rows unlike columns
CONFIGS = [
    preset("tiny", fixed_point=True),
    preset("tiny", bus_width=256, max_burst=4, fixed_point=True),
    Config(name="two tiles", rows=16, cols=4, wgt_bytes=128, bus_width=32, max_burst=8,
           vector_lanes=1, fixed_point=True),
    Config(name="four beats", rows=4, cols=2, wgt_bytes=128, bus_width=256, max_burst=1,
           vector_lanes=1, fixed_point=True),
    preset("wide", fixed_point=True),
]
each_config = pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.name)


def random_bursts(bench, count):
    """Return the bursts of rows of one to a few tiles at random host addresses."""
    tile, draw = bench.config.tile_bytes, bench.random
    bursts = collections.deque()
    while len(bursts) < count:
        bursts += bursts_of(bench.config, draw.choice((0, 1, draw.randrange(1 << 13))),
                            tile * draw.choice((1, 1, 2, 3, draw.randint(1, 9))))
    return bursts


@each_config
@pytest.mark.parametrize("issue, write, release", [
    (1, 1, 1), (1, 0.3, 1), (1, 1, 0.1), (0.3, 0.7, 0.4)])
def test_unaligned_bursts_fill_the_ring_in_order(config, issue, write, release):
    bench = RingBench(config, issue=issue, write=write, release=release)

    async def body(ctx):
        bursts = random_bursts(bench, 120)
        while bursts or bench.written < bench.requested:
            await bench.cycle(ctx, bursts)
        for _ in range(WRITE_CYCLES):
            await bench.cycle(ctx, bursts, release=False)
        assert bench.tiles * config.tile_bytes == bench.written - bench.released
        assert bench.written > 2 * config.wgt_bytes

    bench.run(body)


@each_config
def test_bursts_are_requested_until_the_longest_one_might_not_fit(config):
    bench = RingBench(config, write=0)
    longest = config.max_burst * config.bus_bytes
    short = min(longest, config.tile_bytes)
    bursts = collections.deque(bursts_of(config, 0, short) * (2 * config.wgt_bytes // short))

    async def body(ctx):
        assert not ctx.get(bench.dut.o_ready)       # it is a register
        await bench.cycle(ctx, collections.deque())
        requests = [await bench.cycle(ctx, bursts) for _ in range(5 * len(bursts))]
        # every second cycle, until fewer bytes are free than the longest burst has
        count = (config.wgt_bytes - longest) // short + 1
        assert requests == [index % 2 == 0 and index < 2 * count
                            for index in range(len(requests))]
        assert config.wgt_bytes - bench.requested < longest

    bench.run(body)


@each_config
def test_the_release_of_a_tile_gives_its_bytes_back(config):
    bench = RingBench(config)
    longest, tile = config.max_burst * config.bus_bytes, config.tile_bytes

    async def body(ctx):
        bursts = random_bursts(bench, 400)
        for _ in range(2 * config.wgt_bytes // config.bus_bytes + 2 * len(bursts)):
            await bench.cycle(ctx, bursts, release=False)
        while bench.tiles:
            await bench.cycle(ctx, bursts, release=True)
            await bench.cycle(ctx, collections.deque(), release=False)
            free = config.wgt_bytes - (bench.requested - bench.released)
            assert ctx.get(bench.dut.o_ready) == (free >= longest)
        assert bench.released >= tile

    bench.run(body)


@each_config
def test_a_clear_empties_the_ring(config):
    """Tiles that the last beats completed are not reported after a clear."""
    bench = RingBench(config, seed=1)
    dut = bench.dut

    async def body(ctx):
        for idle in range(WRITE_CYCLES + 1):
            bursts = random_bursts(bench, 3 + idle)
            while bursts and (ctx.get(dut.o_ready) or bench.tiles or bench.written
                              < bench.requested):
                await bench.cycle(ctx, bursts)
            while bench.written < bench.requested:
                await bench.cycle(ctx, bursts, release=False)
            for _ in range(idle):
                await bench.cycle(ctx, collections.deque(), release=False)
            for signal in (dut.i_issue, dut.i_write, dut.ring.release):
                ctx.set(signal, 0)
            ctx.set(dut.i_clear, 1)
            await ctx.tick()
            ctx.set(dut.i_clear, 0)
            bench.empty()
            await bench.cycle(ctx, collections.deque())
        # all of the space is free: as many bytes as after reset can be requested
        bench.write = 0
        bursts = collections.deque(bursts_of(config, 0, config.tile_bytes) * 200)
        for _ in range(4 * len(bursts)):
            await bench.cycle(ctx, bursts)
        assert bench.requested > config.wgt_bytes - config.max_burst * config.bus_bytes

    bench.run(body)


@pytest.mark.parametrize("config", [
    *CONFIGS, *(preset(name, tile_lines=2, fixed_point=True) for name in ("tall", "small"))],
    ids=lambda config: config.name)
def test_the_weight_buffer_has_written_a_beat_before_its_tile_is_reported(config):
    """A read that is accepted after ``done`` returns the bytes of the write."""
    dut = WeightBuffer(config) if config.tile_lines == 1 else WeightHalves(config)
    draw = random.Random(f"{seed()} {config.name}")

    async def bench(ctx, dut):
        accepted, latencies, cycle = collections.deque(), [], 0
        ctx.set(dut.load.req.valid, 1)
        while len(latencies) < 200:
            ctx.set(dut.load.req.payload, {
                "addr": draw.randrange(config.wgt_bytes), "last": 1,
                "mask": (1 << config.bus_bytes) - 1})
            while True:
                cycle += 1
                _, _, ready, done = await ctx.tick().sample(dut.load.req.ready, dut.load.done)
                if done:
                    latencies.append(cycle - accepted.popleft())
                if ready:
                    accepted.append(cycle)
                    break
        assert max(latencies) < WRITE_CYCLES

    run_bench(dut, bench)
