"""Fetcher: order, bursts, windows, position of errors, halt."""

import random

import pytest
from amaranth.sim import Simulator

from support.bench import add_deadline
from support.seeds import seed
from support.streams import Stalls
from support.ticks import sampled
from weft.bus.axi4 import RESP_DECERR, RESP_OKAY, RESP_SLVERR
from weft.control.fetch import Fetcher
from weft.control.validate import Validator
from weft.spec.isa import ErrorCode
from weft.spec.presets import preset

CONFIGS = [preset("tiny"), preset("small"), preset("ulx3s"), preset("large"),
           preset("tiny", max_burst=1), preset("tiny", max_burst=4), preset("tiny", max_burst=16)]


class Memory:
    """Read side of host memory, which checks every burst against the rules of AXI."""

    def __init__(self, dut, image, draw, latency, pattern, faults=()):
        self.dut, self.image, self.draw = dut, image, draw
        self.latency, self.faults = latency, dict(faults)
        self.ar, self.r = Stalls(pattern, draw.random()), Stalls(pattern, draw.random())
        self.bursts, self.outstanding = [], []

    async def run(self, ctx):
        axi, size = self.dut.axi, self.dut.config.bus_bytes
        queue, now, ar_idle, r_idle, offered = [], 0, 0, 0, None
        while True:
            ready = ar_idle == 0
            ctx.set(axi.arready, ready)
            if queue and queue[0][0] <= now and r_idle == 0:
                _, addr, last = queue[0]
                word = self.image[addr % len(self.image):][:size]
                ctx.set(axi.rdata, int.from_bytes(word, "little"))
                ctx.set(axi.rresp, self.faults.get(addr, RESP_OKAY))
                ctx.set(axi.rlast, last)
                ctx.set(axi.rvalid, 1)
                sent = True
            else:
                ctx.set(axi.rvalid, 0)
                sent = False
            valid, addr, beats, burst, bytes_, rready = await sampled(
                ctx, axi.arvalid, axi.araddr, axi.arlen, axi.arburst, axi.arsize, axi.rready)
            now += 1
            assert rready
            if offered:
                assert valid and (addr, beats) == offered, "AR changed before it was accepted"
            offered = (addr, beats) if valid and not ready else None
            if valid and ready:
                assert burst == 1 and 1 << bytes_ == size and addr % size == 0
                assert beats + 1 <= self.dut.config.max_burst
                assert addr // 4096 == (addr + (beats + 1) * size - 1) // 4096
                self.bursts.append((addr, beats + 1))
                queue += [(now + self.latency, addr + size * beat, beat == beats)
                          for beat in range(beats + 1)]
                ar_idle = next(self.ar)
            elif ar_idle:
                ar_idle -= 1
            if sent:
                queue.pop(0)
                r_idle = next(self.r)
            elif r_idle:
                r_idle -= 1
            self.outstanding = queue


def run(config, bench, *, latency=3, pattern="none", seed=0, faults=()):
    """Simulate ``bench(ctx, dut, memory)``; ``faults`` are (address, response) pairs."""
    dut = Fetcher(config)
    image = random.Random(seed).randbytes(1 << 16)
    memory = Memory(dut, image, random.Random(seed), latency, pattern, faults)
    sim = Simulator(dut)
    sim.add_clock(1e-6)
    add_deadline(sim, 100_000)

    async def testbench(ctx):
        await bench(ctx, dut, memory)

    sim.add_testbench(testbench)
    sim.add_testbench(memory.run, background=True)
    sim.run()


async def start(ctx, dut, addr, count, windows=((0, 0xFFFFFFFF),)):
    """Start the fetch of ``count`` instructions, with readable windows."""
    for index, window in enumerate(windows):
        ctx.set(dut.i_windows[index], {"base": window[0], "last": window[1], "read": 1,
                                       "write": 0})
    ctx.set(dut.i_addr, addr)
    ctx.set(dut.i_count, count)
    await ctx.tick().repeat(2)
    ctx.set(dut.i_start, 1)
    await ctx.tick()
    ctx.set(dut.i_start, 0)


async def take(ctx, dut, stalls=None):
    """Receive one item of the stream."""
    if stalls is not None:
        idle = next(stalls)
        if idle:
            await ctx.tick().repeat(idle)
    ctx.set(dut.o.ready, 1)
    payload, = await ctx.tick().sample(dut.o.payload).until(dut.o.valid)
    ctx.set(dut.o.ready, 0)
    return payload


@pytest.mark.parametrize("pattern", ["none", "heavy", "bursts"])
@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.name)
def test_delivers_programs_in_order(config, pattern):
    run_seed = seed()
    draw = random.Random(run_seed)

    async def bench(ctx, dut, memory):
        stalls = Stalls(pattern, run_seed)
        for count in (1, 5, 30):
            # across a 4 KiB boundary
            addr = 0x2000 - 32 * draw.randrange(count + 1)
            memory.bursts.clear()
            await start(ctx, dut, addr, count)
            for index in range(count):
                item = await take(ctx, dut, stalls)
                where = addr + 32 * index
                assert (item.code, item.index, item.offset) == (0, index, 0), f"seed {run_seed}"
                assert item.word == int.from_bytes(memory.image[where:where + 32], "little")
            await ctx.tick().repeat(20)
            assert not ctx.get(dut.o.valid) and ctx.get(dut.o_idle)
            assert sum(beats for _, beats in memory.bursts) == count * dut.beats

    run(config, bench, pattern=pattern, seed=run_seed, latency=draw.choice((1, 20)))


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.name)
def test_prefetches_up_to_its_limit(config):
    async def bench(ctx, dut, memory):
        await start(ctx, dut, 0x1000, 100)
        await ctx.tick().repeat(400)
        requested = sum(beats for _, beats in memory.bursts) // dut.beats
        assert 4 <= requested <= dut.PREFETCH + 1
        if dut.burst_instructions > 1:
            assert max(beats for _, beats in memory.bursts) == dut.burst_instructions * dut.beats

    run(config, bench)


@pytest.mark.parametrize("config", [preset("small"), preset("large")],
                         ids=lambda config: config.name)
def test_is_faster_than_the_validator(config):
    async def bench(ctx, dut, memory):
        await start(ctx, dut, 0x1000, 60)
        cycles = 0
        for _ in range(60):
            ctx.set(dut.o.ready, 1)
            while True:
                valid, = await sampled(ctx, dut.o.valid)
                cycles += 1
                if valid:
                    break
        # the validator accepts one instruction per eight cycles; the total includes the latency
        assert cycles < 60 * Validator.CYCLES

    run(config, bench, latency=20)


@pytest.mark.parametrize("good", [0, 1, 3, 4, 9])
@pytest.mark.parametrize("config", CONFIGS[:5], ids=lambda config: config.name)
def test_issues_no_burst_for_a_refused_address(config, good):
    async def bench(ctx, dut, memory):
        base = 0x1F80
        await start(ctx, dut, base, 20, [(0x40, 0x50), (base, base + 32 * good + 30)])
        for index in range(good):
            item = await take(ctx, dut)
            assert (item.code, item.index) == (0, index)
        item = await take(ctx, dut)
        assert (item.code, item.index, item.offset) == (ErrorCode.HOST_WINDOW, good, 0)
        await ctx.tick().repeat(100)
        assert not ctx.get(dut.o.valid) and ctx.get(dut.o_idle)
        assert sum(beats for _, beats in memory.bursts) == good * dut.beats

    run(config, bench, pattern="light")


def test_addresses_beyond_the_bus_are_refused():
    async def bench(ctx, dut, memory):
        await start(ctx, dut, 0xFFE0, 5)
        assert (await take(ctx, dut)).code == 0
        item = await take(ctx, dut)
        assert (item.code, item.index, item.offset) == (ErrorCode.HOST_WINDOW, 1, 0)

    run(preset("tiny", addr_width=16), bench)


def test_the_end_of_the_address_space_does_not_wrap():
    async def bench(ctx, dut, memory):
        await start(ctx, dut, 0xFFFFFFE0, 5)
        assert (await take(ctx, dut)).code == 0
        item = await take(ctx, dut)
        assert (item.code, item.index, item.offset) == (ErrorCode.HOST_WINDOW, 1, 0)

    run(preset("tiny"), bench)


@pytest.mark.parametrize("config", CONFIGS[:5], ids=lambda config: config.name)
def test_a_failed_beat_replaces_its_instruction(config):
    run_seed = seed()
    draw = random.Random(run_seed)
    base, where = 0x1FA0, draw.randrange(12)
    first = base + 32 * where + draw.randrange(0, 32, config.bus_bytes)
    later = base + 32 * where + 28 // config.bus_bytes * config.bus_bytes
    response, code = draw.choice(((RESP_SLVERR, ErrorCode.BUS_SLVERR),
                                  (RESP_DECERR, ErrorCode.BUS_DECERR)))

    async def bench(ctx, dut, memory):
        await start(ctx, dut, base, 12)
        for index in range(where):
            item = await take(ctx, dut)
            assert (item.code, item.index) == (0, index), f"seed {run_seed}"
        item = await take(ctx, dut)
        assert (item.code, item.index, base + 32 * item.index + item.offset) == (
            code, where, first), f"seed {run_seed}"
        ctx.set(dut.i_halt, 1)
        await ctx.tick().repeat(200)
        assert not ctx.get(dut.o.valid) and ctx.get(dut.o_idle) and not memory.outstanding

    run(config, bench, seed=run_seed, pattern="light",
        faults=[(later, RESP_DECERR), (first, response)])


def test_halts_in_any_cycle():
    run_seed = seed()
    draw = random.Random(run_seed)

    for _ in range(12):
        delay = draw.randrange(60)

        async def bench(ctx, dut, memory, delay=delay):
            ctx.set(dut.o.ready, 1)
            await start(ctx, dut, 0x1000, 100)
            if delay:
                await ctx.tick().repeat(delay)
            ctx.set(dut.i_halt, 1)
            await ctx.tick().repeat(2)
            bursts, offered = len(memory.bursts), ctx.get(dut.axi.arvalid)
            # up to 32 beats are outstanding, each with a stall of its own
            for _ in range(800):
                idle, valid = await sampled(ctx, dut.o_idle, dut.axi.arvalid)
                assert not idle or not (memory.outstanding or valid), f"seed {run_seed}"
            assert len(memory.bursts) == bursts + offered, f"seed {run_seed}"
            assert ctx.get(dut.o_idle)

        run(preset("small"), bench, seed=run_seed + delay, pattern="heavy", latency=5)


def test_reports_that_it_waits_for_memory():
    async def bench(ctx, dut, memory):
        assert not ctx.get(dut.o_waiting)
        await start(ctx, dut, 0x1000, 1)
        await ctx.tick().repeat(10)
        assert ctx.get(dut.o_waiting)
        await ctx.tick().repeat(60)
        assert ctx.get(dut.o.valid) and not ctx.get(dut.o_waiting)
        await take(ctx, dut)
        assert not ctx.get(dut.o_waiting)

    run(preset("small"), bench, latency=30)
