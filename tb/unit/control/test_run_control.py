"""Run control: completion, refused instructions, errors of units and of the watchdog."""

import pytest

from support.bench import run_bench
from support.ticks import sampled
from weft.control.run_control import RunControl

STATES = ("o_busy", "o_done", "o_error", "o_stop_fetch", "o_stop", "o_halt")


def record(number):
    """Return an error record that differs from those of other numbers in every member."""
    return {"code": number, "unit": number + 1, "index": number + 2, "addr": number + 3}


async def begin(ctx, dut, count=5):
    """Start a program of ``count`` instructions."""
    ctx.set(dut.i_quiescent, 15)
    ctx.set(dut.i_bus_idle, 1)
    ctx.set(dut.i_count, count)
    ctx.set(dut.i_start, 1)
    started, = await sampled(ctx, dut.o_begin)
    assert started
    ctx.set(dut.i_start, 0)
    assert ctx.get(dut.o_busy)
    await ctx.tick()        # no error is possible before the first fetch


async def strobe(ctx, dut, *names):
    """Report errors of the sources ``names`` in the same cycle."""
    for name in names:
        ctx.set(getattr(dut, f"i_{name}"), 1)
        ctx.set(getattr(dut, f"i_{name}_record"), record({"refused": 1, "failed": 2,
                                                          "expired": 3}[name]))
    await ctx.tick()
    for name in names:
        ctx.set(getattr(dut, f"i_{name}"), 0)


def states(ctx, dut):
    """Return the names of the status outputs that are high."""
    return {name[2:] for name in STATES if ctx.get(getattr(dut, name))}


def stored_record(ctx, dut):
    """Return the stored error record."""
    found = ctx.get(dut.o_record)
    return dict(code=found.code, unit=found.unit, index=found.index, addr=found.addr)


async def until_idle(ctx, dut):
    """Return the cycles until ``o_busy`` falls, and the numbers of done and error events."""
    cycles = done = error = 0
    while True:
        busy, is_done, is_error = await sampled(ctx, dut.o_busy, dut.o_done_event,
                                                dut.o_error_event)
        if not busy:
            return cycles, done, error
        cycles, done, error = cycles + 1, done + is_done, error + is_error
        assert cycles < 100


def test_completes_with_the_last_instruction():
    async def bench(ctx, dut):
        for _ in range(2):      # the second program starts in the state that the first one left
            await begin(ctx, dut)
            for number in (2, 0, 1):
                ctx.set(dut.i_retired_count, number)
                await ctx.tick()
            ctx.set(dut.i_retired_count, 0)
            await ctx.tick().repeat(50)
            assert states(ctx, dut) == {"busy"}
            ctx.set(dut.i_retired_count, 2)
            await ctx.tick()
            ctx.set(dut.i_retired_count, 0)
            assert await until_idle(ctx, dut) == (2, 1, 0)
            assert states(ctx, dut) == {"done"}

    run_bench(RunControl(), bench)


def test_an_empty_program_completes_at_once():
    async def bench(ctx, dut):
        await begin(ctx, dut, 0)
        assert await until_idle(ctx, dut) == (1, 1, 0)

    run_bench(RunControl(), bench)


def test_completes_earlier_instructions_after_a_refused_one():
    async def bench(ctx, dut):
        await begin(ctx, dut)
        ctx.set(dut.i_can_start, 1)
        await strobe(ctx, dut, "refused")
        assert states(ctx, dut) == {"busy", "stop_fetch"}
        await ctx.tick()                    # the record is one cycle later
        assert stored_record(ctx, dut) == record(1)
        await ctx.tick().repeat(100)
        ctx.set(dut.i_can_start, 0)
        ctx.set(dut.i_quiescent, 0b1110)        # the last one is in progress
        await ctx.tick().repeat(100)
        ctx.set(dut.i_quiescent, 0b1111)
        await ctx.tick().repeat(dut.SETTLE // 2)
        ctx.set(dut.i_can_start, 1)         # its token allows another one to start
        await ctx.tick()
        ctx.set(dut.i_can_start, 0)
        assert await until_idle(ctx, dut) == (dut.SETTLE, 0, 1)
        assert states(ctx, dut) == {"error", "stop_fetch", "stop", "halt"}

    run_bench(RunControl(), bench)


@pytest.mark.parametrize("name, number", [("failed", 2), ("expired", 3)])
def test_halts_after_an_error(name, number):
    async def bench(ctx, dut):
        await begin(ctx, dut)
        ctx.set(dut.i_bus_idle, 0)
        ctx.set(dut.i_can_start, 1)
        await strobe(ctx, dut, name)
        assert states(ctx, dut) == {"busy", "stop_fetch", "stop", "halt"}
        await ctx.tick().repeat(100)
        ctx.set(dut.i_bus_idle, 1)
        ctx.set(dut.i_quiescent, 0b1011)        # VECTOR completes its instruction
        await ctx.tick().repeat(100)
        assert ctx.get(dut.o_busy)
        ctx.set(dut.i_quiescent, 0b0110)        # LOAD and STORE cannot, but the bus is idle
        assert (await until_idle(ctx, dut))[1:] == (0, 1)
        assert states(ctx, dut) == {"error", "stop_fetch", "stop", "halt"}
        assert stored_record(ctx, dut) == record(number)

    run_bench(RunControl(), bench)


def test_a_second_expiry_stops_at_once():
    async def bench(ctx, dut):
        await begin(ctx, dut)
        ctx.set(dut.i_bus_idle, 0)
        ctx.set(dut.i_quiescent, 0)
        await strobe(ctx, dut, "refused")
        await strobe(ctx, dut, "expired")
        await ctx.tick().repeat(60)
        assert "busy" in states(ctx, dut)
        await strobe(ctx, dut, "expired")
        assert "busy" not in states(ctx, dut) and "error" in states(ctx, dut)
        assert stored_record(ctx, dut) == record(1)

    run_bench(RunControl(), bench)


@pytest.mark.parametrize("names, number", [
    (("refused", "failed", "expired"), 2), (("refused", "expired"), 1)])
def test_stores_the_error_with_the_highest_priority(names, number):
    async def bench(ctx, dut):
        await begin(ctx, dut)
        await strobe(ctx, dut, *names)
        await strobe(ctx, dut, "expired")
        assert stored_record(ctx, dut) == record(number)

    run_bench(RunControl(), bench)


def test_an_error_has_priority_over_the_last_completion():
    async def bench(ctx, dut):
        await begin(ctx, dut, 1)
        ctx.set(dut.i_retired_count, 1)
        await strobe(ctx, dut, "failed")
        ctx.set(dut.i_retired_count, 0)
        assert (await until_idle(ctx, dut))[1:] == (0, 1)
        assert states(ctx, dut) >= {"error"} and "done" not in states(ctx, dut)

    run_bench(RunControl(), bench)
