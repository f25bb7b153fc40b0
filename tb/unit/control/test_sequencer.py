"""Sequencer: dispatch, token latency, counts, errors of units and token counters."""

from support.bench import run_bench
from support.ticks import sampled
from weft.control.sequencer import Sequencer
from weft.spec import isa
from weft.spec.isa import ErrorCode
from weft.spec.presets import preset

UNITS = ("load", "matmul", "vector", "store")


def sync(unit, **tokens):
    """Return a SYNC instruction of the unit."""
    return int.from_bytes(isa.encode(f"SYNC_{UNITS[unit].upper()}", **tokens), "little")


async def send(ctx, dut, *items):
    """Send ``(unit, word)`` items to the sequencer."""
    for index, (unit, word) in enumerate(items):
        ctx.set(dut.i.payload, {"word": word, "index": index, "unit": unit})
        ctx.set(dut.i.valid, 1)
        await ctx.tick().until(dut.i.ready)
    ctx.set(dut.i.valid, 0)


def test_a_token_starts_an_instruction_two_cycles_later():
    async def bench(ctx, dut):
        await send(ctx, dut, (0, sync(0, signal=0b0010)), (1, sync(1, wait=0b0001)))
        ctx.set(dut.load.cmd.ready, 1)
        ctx.set(dut.matmul.cmd.ready, 1)
        await ctx.tick().until(dut.load.cmd.valid)
        await ctx.tick().repeat(5)
        ctx.set(dut.load.done, 1)
        valid, = await sampled(ctx, dut.matmul.cmd.valid)
        assert not valid
        ctx.set(dut.load.done, 0)
        valid, = await sampled(ctx, dut.matmul.cmd.valid)
        assert not valid
        valid, = await sampled(ctx, dut.matmul.cmd.valid)
        assert valid
        valid, = await sampled(ctx, dut.matmul.cmd.valid)
        assert not valid

    run_bench(Sequencer(preset("tiny")), bench)


def test_a_full_queue_stalls_later_instructions():
    async def bench(ctx, dut):
        depth = dut.config.queue_depth + 1
        ctx.set(dut.store.cmd.ready, 1)
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.i.payload, {"word": sync(2), "unit": 2})
        await ctx.tick().repeat(depth + 20)
        assert ctx.get(dut.o_pc) == depth and not ctx.get(dut.i.ready)
        ctx.set(dut.vector.cmd.ready, 1)
        await ctx.tick()
        ctx.set(dut.vector.cmd.ready, 0)
        ctx.set(dut.i.payload, {"word": sync(3), "unit": 3})
        await ctx.tick().until(dut.store.cmd.valid)

    run_bench(Sequencer(preset("tiny", queue_depth=2)), bench)


def test_a_new_program_starts_without_tokens():
    async def bench(ctx, dut):
        await send(ctx, dut, (0, sync(0, signal=0b0010)))
        ctx.set(dut.load.cmd.ready, 1)
        await ctx.tick().until(dut.load.cmd.valid)
        ctx.set(dut.load.done, 1)
        await ctx.tick()
        ctx.set(dut.load.done, 0)
        ctx.set(dut.i_clear, 1)
        await ctx.tick()
        ctx.set(dut.i_clear, 0)
        assert ctx.get(dut.o_pc) == 0
        await send(ctx, dut, (1, sync(1, wait=0b0001)))
        ctx.set(dut.matmul.cmd.ready, 1)
        for _ in range(10):
            valid, can = await sampled(ctx, dut.matmul.cmd.valid, dut.o_can_start)
            assert not valid and not can

    run_bench(Sequencer(preset("tiny")), bench)


def test_halts_only_the_units_with_bus_transfers():
    async def bench(ctx, dut):
        ctx.set(dut.i_halt, 1)
        await ctx.tick()
        assert [ctx.get(getattr(dut, unit).halt) for unit in UNITS] == [1, 0, 0, 1]

    run_bench(Sequencer(preset("tiny")), bench)


def test_reports_the_lowest_unit_with_an_error_no_later_than_completions():
    async def bench(ctx, dut):
        await send(ctx, dut, *((unit, sync(unit)) for unit in (3, 2, 0, 1)))
        for unit in UNITS:
            ctx.set(getattr(dut, unit).cmd.ready, 1)
        await ctx.tick().repeat(5)
        for number, unit in enumerate(UNITS[1:], 1):
            ctx.set(getattr(dut, unit).error, 1)
            ctx.set(getattr(dut, unit).error_info, {"code": 8, "addr": number})
        ctx.set(dut.load.done, 1)
        await ctx.tick()
        for unit in UNITS:
            ctx.set(getattr(dut, unit).error, 0)
        ctx.set(dut.load.done, 0)
        reported = counted = None
        for cycle in range(5):
            error, record, done = await sampled(ctx, dut.o_error, dut.o_record, dut.o_retired_count)
            if error:
                reported = cycle
                assert (record.code, record.unit, record.index, record.addr) == (8, 1, 3, 1)
            if done:
                counted = cycle
                assert done == 1
        assert reported is not None and counted is not None and reported <= counted
        assert ctx.get(dut.o_quiescent) == 0b1111

    run_bench(Sequencer(preset("tiny")), bench)


def test_a_token_overflow_names_the_giving_unit():
    async def bench(ctx, dut):
        ctx.set(dut.store.cmd.ready, 1)
        ctx.set(dut.i.valid, 1)
        given = 0
        reported = []
        # one instruction every two cycles, each of them done one cycle later
        for _ in range(600):
            ctx.set(dut.i.payload, {"word": sync(3, signal=0b0100), "index": given, "unit": 3})
            ready, valid, busy, error, record = await sampled(
                ctx, dut.i.ready, dut.store.cmd.valid, dut.o_unit_status[3].busy, dut.o_error,
                dut.o_record)
            given += ready
            ctx.set(dut.store.done, valid)
            if error:
                reported.append((record.code, record.unit, record.index, record.addr))
        assert reported[0] == (ErrorCode.TOKEN_OVERFLOW, 3, 255, 0)

    run_bench(Sequencer(preset("tiny")), bench)


def test_counts_an_instruction_with_its_last_iteration():
    async def bench(ctx, dut):
        word = int.from_bytes(isa.encode("STORE", count=7, each=1), "little")
        await send(ctx, dut, (3, word), (3, sync(3)))
        ctx.set(dut.store.cmd.ready, 1)
        instructions = iterations = 0
        found = []
        for _ in range(40):
            valid, retired, done = await sampled(ctx, dut.store.cmd.valid, dut.o_retired_count,
                                                 dut.o_iteration_count)
            ctx.set(dut.store.done, valid)
            instructions, iterations = instructions + retired, iterations + done
            found += [(instructions, iterations)] if done else []
        assert found == [(0, 1), (0, 2), (0, 3), (0, 4), (0, 5), (0, 6), (1, 7), (2, 8)]

    run_bench(Sequencer(preset("tiny")), bench)
