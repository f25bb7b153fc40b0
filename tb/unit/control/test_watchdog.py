"""Watchdog: time of expiry, and the unit that the record names."""

import pytest

from support.bench import run_bench
from support.ticks import sampled
from weft.control.watchdog import Watchdog
from weft.spec.isa import ErrorCode

SEQUENCER = 4


async def cycles_to_expiry(ctx, dut, limit):
    """Return the cycles until ``o_expired``, or ``None`` after ``limit`` cycles."""
    for cycle in range(limit):
        expired, = await sampled(ctx, dut.o_expired)
        if expired:
            return cycle
    return None


@pytest.mark.parametrize("limit", [1, 2, 7, 100])
def test_expires_repeatedly_after_its_limit(limit):
    async def bench(ctx, dut):
        ctx.set(dut.i_limit, limit)
        await ctx.tick().repeat(3)
        ctx.set(dut.i_enable, 1)
        assert await cycles_to_expiry(ctx, dut, 300) == limit
        assert await cycles_to_expiry(ctx, dut, 300) == limit - 1

    run_bench(Watchdog(), bench)


def test_progress_restarts_the_count():
    async def bench(ctx, dut):
        ctx.set(dut.i_limit, 10)
        await ctx.tick().repeat(3)
        ctx.set(dut.i_enable, 1)
        for _ in range(5):
            assert await cycles_to_expiry(ctx, dut, 9) is None
            ctx.set(dut.i_progress, 1)
            assert await cycles_to_expiry(ctx, dut, 1) is None
            ctx.set(dut.i_progress, 0)
        assert await cycles_to_expiry(ctx, dut, 30) == 10

    run_bench(Watchdog(), bench)


def test_never_expires_with_limit_0_or_while_disabled():
    async def bench(ctx, dut):
        ctx.set(dut.i_enable, 1)
        assert await cycles_to_expiry(ctx, dut, 300) is None
        ctx.set(dut.i_enable, 0)
        ctx.set(dut.i_limit, 3)
        assert await cycles_to_expiry(ctx, dut, 300) is None

    run_bench(Watchdog(), bench)


def status(**values):
    """Return a unit status; members that are not given are 0."""
    return dict(queued=0, missing_tokens=0, next_index=0, busy=0, oldest_index=0,
                wait_memory=0) | values


IDLE = status()
TOKEN = status(queued=1, missing_tokens=8, next_index=41)
NOT_ISSUED = status(queued=1, next_index=42)
BUSY = status(busy=1, oldest_index=43, queued=1, missing_tokens=1, next_index=99)
MEMORY = status(busy=1, wait_memory=1, oldest_index=44, queued=1, next_index=99)


@pytest.mark.parametrize("units, fetching, unit, index", [
    ([IDLE, IDLE, IDLE, IDLE], 0, SEQUENCER, 17),
    ([IDLE, IDLE, IDLE, NOT_ISSUED], 0, 3, 42),
    ([NOT_ISSUED, IDLE, TOKEN, TOKEN], 0, 2, 41),
    ([NOT_ISSUED, TOKEN, TOKEN, BUSY], 0, 3, 43),
    ([BUSY, TOKEN, TOKEN, BUSY], 1, SEQUENCER, 17),
    ([BUSY, TOKEN, TOKEN, MEMORY], 1, 3, 44),
    ([MEMORY, TOKEN, BUSY, MEMORY], 0, 0, 44),
    # wait_memory is ignored without an instruction in progress
    ([status(wait_memory=1), TOKEN, IDLE, IDLE], 0, 1, 41),
])
def test_record_names_the_unit_and_instruction_with_the_first_cause(units, fetching, unit, index):
    async def bench(ctx, dut):
        for number, value in enumerate(units):
            ctx.set(dut.i_unit_status[number], value)
        ctx.set(dut.i_fetch_waiting, fetching)
        ctx.set(dut.i_pc, 17)
        ctx.set(dut.i_limit, 5)
        ctx.set(dut.i_enable, 1)
        await ctx.tick().until(dut.o_expired)
        record = ctx.get(dut.o_record)
        assert (record.code, record.unit, record.index, record.addr) == (
            ErrorCode.WATCHDOG, unit, index, 0)

    run_bench(Watchdog(), bench)
