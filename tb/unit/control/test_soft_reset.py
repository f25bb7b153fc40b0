"""Soft reset: it waits for an idle bus, then resets the core."""

import random

from support.bench import run_bench
from support.seeds import seed
from support.ticks import sampled
from weft.control.soft_reset import SoftReset


async def request(ctx, dut):
    """Request a soft reset."""
    ctx.set(dut.i_request, 1)
    await ctx.tick()
    ctx.set(dut.i_request, 0)


def test_clears_once_the_bus_has_been_idle():
    async def bench(ctx, dut):
        ctx.set(dut.i_bus_idle, 1)
        await request(ctx, dut)
        halted = [await sampled(ctx, dut.o_halt, dut.o_clear, dut.o_resetting)
                  for _ in range(60)]
        clears = [clear for _, clear, _ in halted]
        assert clears.index(1) == dut.IDLE_CYCLES
        assert sum(clears) == dut.CLEAR_CYCLES
        end = dut.IDLE_CYCLES + dut.CLEAR_CYCLES + dut.SETTLE_CYCLES
        assert all(halt and resetting for halt, _, resetting in halted[:end])
        assert halted[end:] == [(0, 0, 0)] * (60 - end)

    run_bench(SoftReset(), bench)


def test_waits_until_the_bus_is_continuously_idle():
    run_seed = seed()
    draw = random.Random(run_seed)

    async def bench(ctx, dut):
        for _ in range(30):
            await request(ctx, dut)
            run = 0
            while True:
                idle = draw.random() < 0.7
                ctx.set(dut.i_bus_idle, idle)
                ctx.set(dut.i_request, draw.random() < 0.2)     # no effect during a reset
                clear, halt = await sampled(ctx, dut.o_clear, dut.o_halt)
                assert halt
                if clear:
                    break
                run = run + 1 if idle else 0
                assert run <= dut.IDLE_CYCLES, f"seed {run_seed}"
            assert run == dut.IDLE_CYCLES, f"seed {run_seed}"
            ctx.set(dut.i_request, 0)
            await ctx.tick().repeat(dut.CLEAR_CYCLES + dut.SETTLE_CYCLES - 2)
            assert ctx.get(dut.o_resetting)
            await ctx.tick()
            assert not ctx.get(dut.o_resetting)

    run_bench(SoftReset(), bench)


def test_does_not_reset_while_a_response_is_outstanding():
    async def bench(ctx, dut):
        await request(ctx, dut)
        for _ in range(500):
            clear, resetting = await sampled(ctx, dut.o_clear, dut.o_resetting)
            assert not clear and resetting

    run_bench(SoftReset(), bench)
