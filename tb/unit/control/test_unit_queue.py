"""Unit queue: throughput, order, tokens, errors, iterations of instructions with ``each``."""

import random

import pytest
from amaranth.sim import Simulator

from support.bench import add_deadline
from support.seeds import seed
from support.streams import Stalls
from support.ticks import sampled
from weft.control.unit_queue import UnitQueue
from weft.spec import isa
from weft.spec.iterations import OUTER_LOOPS, iterations
from weft.spec.presets import preset

MATMUL = 1


def words(count, draw, tokens=True):
    """Return different MATMUL instructions with random values in all fields but ``each``."""
    found = []
    for index in range(count):
        values = {field.name: draw.getrandbits(field.width)
                  for field in isa.BY_NAME["MATMUL"].fields[1:]}
        for name in ("wait", "signal"):
            values[name] = values[name] & 0b1101 if tokens else 0
        values |= {"act_addr": index, "each": 0}
        found.append(int.from_bytes(isa.encode("MATMUL", **values), "little"))
    return found


def run(bench, unit=MATMUL, name="tiny", **overrides):
    """Simulate ``bench(ctx, dut)`` with a new queue of ``unit``."""
    dut = UnitQueue(preset(name, **overrides), unit)
    sim = Simulator(dut)
    sim.add_clock(1e-6)
    add_deadline(sim, 100_000)

    async def testbench(ctx):
        await bench(ctx, dut)

    sim.add_testbench(testbench)
    sim.run()


async def send(ctx, dut, word, index):
    """Send one instruction to the queue."""
    ctx.set(dut.i.payload, {"word": word, "index": index, "unit": MATMUL})
    ctx.set(dut.i.valid, 1)
    await ctx.tick().until(dut.i.ready)
    ctx.set(dut.i.valid, 0)


def test_issues_one_instruction_every_two_cycles():
    async def bench(ctx, dut):
        given = words(8, random.Random(seed(1)), tokens=False)
        for index, word in enumerate(given):
            await send(ctx, dut, word, index)
        await ctx.tick().repeat(3)
        ctx.set(dut.unit.cmd.ready, 1)
        for word in given:
            valid, payload = await sampled(ctx, dut.unit.cmd.valid, dut.unit.cmd.payload)
            assert valid and payload == word
            valid, = await sampled(ctx, dut.unit.cmd.valid)
            assert not valid

    run(bench, queue_depth=8)


@pytest.mark.parametrize("depth", [2, 8])
def test_stores_queue_depth_and_one_instructions(depth):
    async def bench(ctx, dut):
        given = words(20, random.Random(seed(2)), tokens=False)
        accepted = 0
        ctx.set(dut.i.valid, 1)
        for _ in range(40):
            ctx.set(dut.i.payload, {"word": given[min(accepted, 19)], "index": accepted,
                                    "unit": MATMUL})
            ready, = await sampled(ctx, dut.i.ready)
            accepted += ready
        assert accepted == depth + 1

    run(bench, queue_depth=depth)


def test_issues_an_instruction_when_all_its_tokens_are_available():
    async def bench(ctx, dut):
        word = int.from_bytes(isa.encode("SYNC_MATMUL", wait=0b1101, signal=0b0101), "little")
        await send(ctx, dut, word, 7)
        ctx.set(dut.unit.cmd.ready, 1)
        await ctx.tick().repeat(3)
        for available in (0b0000, 0b0001, 0b1100, 0b0111, 0b1001):
            ctx.set(dut.i_available, available)
            await ctx.tick()
            issued, status = await sampled(ctx, dut.o_issued, dut.o_status)
            assert not issued
            assert (status.queued, status.next_index) == (1, 7)
            assert status.missing_tokens == 0b1101 & ~available
        ctx.set(dut.i_available, 0b1101)
        ctx.set(dut.i_stop, 1)
        await ctx.tick()
        issued, can_start = await sampled(ctx, dut.o_issued, dut.o_can_start)
        assert can_start and not issued
        ctx.set(dut.i_stop, 0)
        await ctx.tick()
        issued, take, payload = await sampled(ctx, dut.o_issued, dut.o_take,
                                              dut.unit.cmd.payload)
        assert issued and take == 0b1101 and payload == word
        issued, = await sampled(ctx, dut.o_issued)
        assert not issued
        issued, status, quiescent = await sampled(ctx, dut.o_issued, dut.o_status,
                                                  dut.o_quiescent)
        assert not issued and not status.queued and status.busy and not quiescent
        assert status.oldest_index == 7
        ctx.set(dut.unit.done, 1)
        give, done, record = await sampled(ctx, dut.o_give, dut.o_done, dut.o_record)
        assert (give, done, record.index) == (0b0101, 1, 7)
        ctx.set(dut.unit.done, 0)
        give, quiescent = await sampled(ctx, dut.o_give, dut.o_quiescent)
        assert give == 0 and quiescent

    run(bench)


def test_tracks_all_instructions_in_progress():
    run_seed = seed()
    draw = random.Random(run_seed)
    given = words(150, draw)
    signals = [word >> 12 & 15 for word in given]

    async def bench(ctx, dut):
        stalls = [iter(Stalls(pattern, run_seed)) for pattern in ("light", "heavy", "bursts")]
        ctx.set(dut.i_available, 15)
        sent = issued = completed = most = 0
        while completed < len(given):
            ctx.set(dut.i.valid, sent < len(given) and not next(stalls[0]))
            ctx.set(dut.i.payload, {"word": given[min(sent, len(given) - 1)], "index": sent,
                                    "unit": MATMUL})
            ctx.set(dut.unit.cmd.ready, not next(stalls[2]))
            ctx.set(dut.unit.done, issued > completed and not next(stalls[1]))
            ready, valid, took, payload, done, give, record = await sampled(
                ctx, dut.i.ready, dut.i.valid, dut.o_issued, dut.unit.cmd.payload, dut.o_done,
                dut.o_give, dut.o_record)
            sent += ready and valid
            if took:
                assert payload == given[issued], f"seed {run_seed}: instruction {issued}"
                issued += 1
            if done:
                assert (record.index, give) == (completed, signals[completed]), f"seed {run_seed}"
                completed += 1
            most = max(most, issued - completed)
        assert most == dut.MAX_IN_PROGRESS

    run(bench)


def test_reports_an_error_with_the_oldest_index_and_stops():
    async def bench(ctx, dut):
        given = words(4, random.Random(seed(3)), tokens=False)
        ctx.set(dut.unit.cmd.ready, 1)
        for index, word in enumerate(given[:3]):
            await send(ctx, dut, word, index)
        await ctx.tick().repeat(4)
        ctx.set(dut.unit.done, 1)
        await ctx.tick()
        ctx.set(dut.unit.done, 0)
        ctx.set(dut.unit.error, 1)
        ctx.set(dut.unit.error_info, {"code": isa.ErrorCode.BUS_DECERR, "addr": 0x1234})
        error, record = await sampled(ctx, dut.o_error, dut.o_record)
        assert error
        assert (record.code, record.unit, record.index, record.addr) == (9, MATMUL, 1, 0x1234)
        ctx.set(dut.unit.error, 0)
        await send(ctx, dut, given[3], 3)
        for _ in range(5):
            issued, quiescent, can_start = await sampled(
                ctx, dut.o_issued, dut.o_quiescent, dut.o_can_start)
            assert quiescent and not issued and not can_start

    run(bench)


def random_instructions(unit, count, draw, config):
    """Return random instructions of ``unit``, and the expected issues as (word, index, last)."""
    given, issued = [], []
    of_unit = [instruction for instruction in isa.instructions(config) if instruction.unit == unit]
    for index in range(count):
        instruction = draw.choice(of_unit)
        values = {field.name: draw.getrandbits(field.width) for field in instruction.fields[1:]}
        for name in ("wait", "signal"):
            values[name] &= ~(1 << unit)
        if instruction.name in OUTER_LOOPS:
            values["each"] = int(draw.random() < 0.7)
            values[OUTER_LOOPS[instruction.name].count] = draw.choice((1, 2, draw.randint(1, 9)))
        word = encoded(instruction, values)
        singles = [encoded(instruction, iteration)
                   for iteration in iterations(config, instruction.name, values)]
        given.append(word)
        issued += [(single, index, single is singles[-1]) for single in singles]
    return given, issued


def encoded(instruction, values):
    """Return the instruction with ``values``, each modulo the width of its field."""
    return instruction.opcode | sum(
        (values[field.name] & (1 << field.width) - 1) << field.offset
        for field in instruction.fields[1:])


@pytest.mark.parametrize("unit, name, overrides", [
    *((unit, name, {}) for name in ("tiny", "wide") for unit in range(4)),
    *((unit, "tiny", {"fixed_point": True}) for unit in range(4))])
def test_iterations_are_issued_with_tokens_and_index_of_their_instruction(unit, name, overrides):
    run_seed = seed()
    draw = random.Random(run_seed)
    config = preset(name, **overrides)
    given, expected = random_instructions(unit, 120, draw, config)

    async def bench(ctx, dut):
        stalls = [iter(Stalls(draw.choice(("none", "light", "heavy", "bursts")), run_seed + number))
                  for number in range(3)]
        sent = issued = completed = 0
        tokens = [0] * 4
        while completed < len(expected):
            ctx.set(dut.i.valid, sent < len(given) and not next(stalls[0]))
            ctx.set(dut.i.payload, {"word": given[min(sent, len(given) - 1)], "index": sent,
                                    "unit": unit})
            ctx.set(dut.i_available, sum((count > 0) << other
                                         for other, count in enumerate(tokens)))
            ctx.set(dut.unit.cmd.ready, not next(stalls[1]))
            ctx.set(dut.unit.done, issued > completed and not next(stalls[2]))
            ready, valid, took, taken, payload, done, retired, give, record = await sampled(
                ctx, dut.i.ready, dut.i.valid, dut.o_issued, dut.o_take, dut.unit.cmd.payload,
                dut.o_done, dut.o_retired, dut.o_give, dut.o_record)
            where = f"seed {run_seed}, iteration {issued}, {completed} done"
            sent += ready and valid
            assert took or not taken, where
            if took:
                word, _, _ = expected[issued]
                assert payload == word, f"{where}: {payload:064x} instead of {word:064x}"
                assert taken == word >> 8 & 15, where
                for other in range(4):
                    tokens[other] -= taken >> other & 1
                assert min(tokens) >= 0, where
                issued += 1
            assert done or not retired, where
            if done:
                word, index, last = expected[completed]
                assert (record.index, give, retired) == (index, word >> 12 & 15, last), where
                completed += 1
            for other in range(4):
                tokens[other] += draw.random() < 0.5
        took, status = await sampled(ctx, dut.o_issued, dut.o_status)
        assert not took and not status.queued, f"seed {run_seed}"

    run(bench, unit, name, **overrides)


def test_issues_one_iteration_every_two_cycles():
    async def bench(ctx, dut):
        word = int.from_bytes(isa.encode("MATMUL", row_count=5, each=1), "little")
        for index in range(2):
            await send(ctx, dut, word, index)
        await ctx.tick().repeat(3)
        ctx.set(dut.unit.cmd.ready, 1)
        found = []
        for _ in range(20):
            found += await sampled(ctx, dut.o_issued)
        assert found == [1, 0] * 10

    run(bench)


def test_an_instruction_after_the_last_iteration_is_not_delayed():
    async def bench(ctx, dut):
        long = int.from_bytes(isa.encode("MATMUL", row_count=60, each=1), "little")
        ctx.set(dut.unit.cmd.ready, 1)
        ctx.set(dut.unit.done, 1)
        delays = []
        for index in range(6):
            await send(ctx, dut, long, index)
            delays.append(0)
            while not ctx.get(dut.unit.cmd.valid):
                await ctx.tick()
                delays[-1] += 1
            await ctx.tick().repeat(150)
        assert delays == [2] * 6

    run(bench, queue_depth=2)
