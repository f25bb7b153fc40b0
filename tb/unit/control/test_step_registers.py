"""Step registers: reset, writes, reads of host and sequencer, clearing."""

import random

from support.bench import run_bench
from support.seeds import seed
from support.ticks import sampled
from weft.control.step_registers import StepRegisters
from weft.spec.presets import preset
from weft.spec.register_map import STEP_REGISTERS

CONFIG = preset("tiny", fixed_point=True)
COUNT = len(STEP_REGISTERS)


async def write(ctx, dut, index, value, strobes=15):
    """Write bytes of a register."""
    await idle(ctx, dut)
    ctx.set(dut.i_index, index)
    ctx.set(dut.i_write, strobes)
    ctx.set(dut.i_data, value)
    await ctx.tick()
    ctx.set(dut.i_write, 0)


async def read(ctx, dut, index):
    """Return the value of a register for the host."""
    ctx.set(dut.i_index, index)
    await ctx.tick()
    await idle(ctx, dut)
    return ctx.get(dut.o_value)


async def idle(ctx, dut):
    """Wait until ``o_valid`` is high."""
    while not ctx.get(dut.o_valid):
        await ctx.tick()


def test_random_accesses_match_a_model():
    run_seed = seed()
    draw = random.Random(run_seed)

    async def bench(ctx, dut):
        model = [0] * COUNT
        for step in range(600):
            index, other = draw.randrange(COUNT), draw.randrange(COUNT)
            where = f"seed {run_seed}, access {step}"
            if draw.random() < 0.6:
                value, strobes = draw.getrandbits(32), draw.choice((15, draw.getrandbits(4)))
                await write(ctx, dut, index, value, strobes)
                mask = sum(0xFF << 8 * byte for byte in range(4) if strobes >> byte & 1)
                model[index] = model[index] & ~mask | value & mask
            assert await read(ctx, dut, other) == model[other], where
            ctx.set(dut.read.index, index)
            ctx.set(dut.read.en, 1)
            ctx.set(dut.i_index, other)
            await ctx.tick()
            ctx.set(dut.read.en, 0)
            assert ctx.get(dut.read.value) == model[index], where
            assert not ctx.get(dut.o_valid), "the host's read is delayed"
            await ctx.tick()
            assert ctx.get(dut.o_valid) and ctx.get(dut.o_value) == model[other], where

    run_bench(StepRegisters(CONFIG), bench)


def test_a_clear_zeroes_one_register_per_cycle():
    async def bench(ctx, dut):
        for index in range(COUNT):
            await write(ctx, dut, index, ~index & 0xFFFFFFFF)
        ctx.set(dut.i_clear, 1)
        await ctx.tick()
        ctx.set(dut.i_clear, 0)
        cycles, busy = 0, 1
        while busy:
            busy, valid = await sampled(ctx, dut.read.busy, dut.o_valid)
            assert not (busy and valid)
            cycles += busy
        assert cycles == COUNT
        assert [await read(ctx, dut, index) for index in range(COUNT)] == [0] * COUNT

    run_bench(StepRegisters(CONFIG), bench)


def test_is_busy_after_a_reset_until_all_registers_are_zero():
    async def bench(ctx, dut):
        cycles = 0
        while ctx.get(dut.read.busy):
            assert not ctx.get(dut.o_valid)
            await ctx.tick()
            cycles += 1
        assert cycles == COUNT

    run_bench(StepRegisters(CONFIG), bench)
