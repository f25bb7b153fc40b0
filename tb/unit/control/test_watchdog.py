"""Watchdog: when it expires, and whom it names."""

import pytest

from support.bench import run_bench
from support.ticks import sampled
from weft.control.watchdog import Watchdog
from weft.spec.isa import ErrorCode

SEQUENCER = 4


async def expires_after(ctx, dut, most):
    """Cycles until ``o_expired``, or ``None``."""
    for cycle in range(most):
        expired, = await sampled(ctx, dut.o_expired)
        if expired:
            return cycle
    return None


@pytest.mark.parametrize("limit", [1, 2, 7, 100])
def test_expires_after_its_limit_and_again(limit):
    async def bench(ctx, dut):
        ctx.set(dut.i_limit, limit)
        await ctx.tick().repeat(3)
        ctx.set(dut.i_enable, 1)
        assert await expires_after(ctx, dut, 300) == limit
        assert await expires_after(ctx, dut, 300) == limit - 1

    run_bench(Watchdog(), bench)


def test_progress_starts_the_count_again():
    async def bench(ctx, dut):
        ctx.set(dut.i_limit, 10)
        await ctx.tick().repeat(3)
        ctx.set(dut.i_enable, 1)
        for _ in range(5):
            assert await expires_after(ctx, dut, 9) is None
            ctx.set(dut.i_progress, 1)
            assert await expires_after(ctx, dut, 1) is None
            ctx.set(dut.i_progress, 0)
        assert await expires_after(ctx, dut, 30) == 10

    run_bench(Watchdog(), bench)


def test_zero_and_an_idle_sequencer_never_expire():
    async def bench(ctx, dut):
        ctx.set(dut.i_enable, 1)
        assert await expires_after(ctx, dut, 300) is None
        ctx.set(dut.i_enable, 0)
        ctx.set(dut.i_limit, 3)
        assert await expires_after(ctx, dut, 300) is None

    run_bench(Watchdog(), bench)


def view(**values):
    return dict(queued=0, lacks=0, next_index=0, working=0, oldest_index=0, memory=0) | values


IDLE = view()
TOKENS = view(queued=1, lacks=8, next_index=41)
STUCK = view(queued=1, next_index=42)
HANGS = view(working=1, oldest_index=43, queued=1, lacks=1, next_index=99)
MEMORY = view(working=1, memory=1, oldest_index=44, queued=1, next_index=99)


@pytest.mark.parametrize("views, fetching, unit, index", [
    ([IDLE, IDLE, IDLE, IDLE], 0, SEQUENCER, 17),
    ([IDLE, IDLE, IDLE, STUCK], 0, 3, 42),
    ([STUCK, IDLE, TOKENS, TOKENS], 0, 2, 41),
    ([STUCK, TOKENS, TOKENS, HANGS], 0, 3, 43),
    ([HANGS, TOKENS, TOKENS, HANGS], 1, SEQUENCER, 17),
    ([HANGS, TOKENS, TOKENS, MEMORY], 1, 3, 44),
    ([MEMORY, TOKENS, HANGS, MEMORY], 0, 0, 44),
    # a unit that has nothing in work does not wait for memory
    ([view(memory=1), TOKENS, IDLE, IDLE], 0, 1, 41),
])
def test_names_who_waits(views, fetching, unit, index):
    async def bench(ctx, dut):
        for number, value in enumerate(views):
            ctx.set(dut.i_views[number], value)
        ctx.set(dut.i_fetch_waiting, fetching)
        ctx.set(dut.i_pc, 17)
        ctx.set(dut.i_limit, 5)
        ctx.set(dut.i_enable, 1)
        await ctx.tick().until(dut.o_expired)
        record = ctx.get(dut.o_record)
        assert (record.code, record.unit, record.index, record.addr) == (
            ErrorCode.WATCHDOG, unit, index, 0)

    run_bench(Watchdog(), bench)
