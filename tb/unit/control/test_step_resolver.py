"""Step resolver: replaced instructions, limits of counts, counts of 0, cycles."""

import random

import pytest

from support.bench import run_bench
from support.seeds import seed
from support.ticks import sampled
from weft.control.step_resolver import StepResolver
from weft.spec import isa
from weft.spec.step_instructions import (
    MOST_STEP_COUNT,
    STEP_COUNTS,
    STEP_REGISTERS,
    count_of,
    resolve,
    step_count,
)


async def resolved(ctx, dut, word, registers, wait=0):
    """Return the word that replaces ``word``, ``o_skip``, and the cycles with ``o_busy``.

    The registers are busy in the first ``wait`` cycles.
    """
    ctx.set(dut.i_load, 1)
    ctx.set(dut.i_opcode, word & 0xFF)
    await ctx.tick()
    ctx.set(dut.i_load, 0)
    cycles = 0
    while True:
        ctx.set(dut.i_word, word)
        ctx.set(dut.steps.busy, cycles < wait)
        running, update, following, en, busy, index = await sampled(
            ctx, dut.o_busy, dut.o_update, dut.o_word, dut.steps.en, dut.steps.busy,
            dut.steps.index)
        assert not (en and busy)
        ctx.set(dut.steps.value, registers[index] if en else 0xDEADBEEF)
        if not running:
            return word, ctx.get(dut.o_skip), cycles
        cycles += 1
        if update:
            changing = sum((1 << bits.stop) - (1 << bits.start) for bits in dut.changing)
            assert not (word ^ following) & ~changing
            word = following


def test_random_variants_are_replaced_as_the_table_defines():
    run_seed = seed()
    draw = random.Random(run_seed)

    async def bench(ctx, dut):
        for number in range(500):
            instruction = draw.choice(isa.STEP_INSTRUCTIONS)
            base = isa.BY_OPCODE[instruction.opcode & 0x7F]
            registers = [draw.choice((0, 1, 0x10000, draw.getrandbits(32)))
                         for _ in range(STEP_REGISTERS)]
            values = {field.name: draw.randint(*field.limits) for field in instruction.fields[1:]}
            if draw.random() < 0.7:
                values[STEP_COUNTS[base.name]] = step_count(
                    draw.randrange(STEP_REGISTERS), draw.choice((0, 1, 2, MOST_STEP_COUNT)))
            raw = isa.encode(instruction.name, **values)
            word, skip, _ = await resolved(ctx, dut, int.from_bytes(raw, "little"), registers,
                                                draw.choice((0, 0, 1, 5)))
            where = f"seed {run_seed}, case {number}: {raw.hex()}"
            replaced, fields = resolve(*isa.decode(raw), registers)
            del fields["opcode"]
            assert word == int.from_bytes(isa.encode(replaced.name, **fields), "little"), where
            assert skip == (count_of(replaced, fields) == 0), where

    run_bench(StepResolver(), bench)


@pytest.mark.parametrize("instruction", [*isa.INSTRUCTIONS, *isa.FIXED_POINT_INSTRUCTIONS,
                                         *isa.STEP_INSTRUCTIONS], ids=lambda known: known.name)
def test_only_variants_take_cycles(instruction):
    async def bench(ctx, dut):
        word = int.from_bytes(isa.encode(instruction.name), "little")
        found, _, cycles = await resolved(ctx, dut, word, [1] * STEP_REGISTERS)
        if instruction not in isa.STEP_INSTRUCTIONS:
            assert (found, cycles) == (word, 0)
        else:
            assert cycles == (dut.COPY_CYCLES if "host_step" in instruction.by_name
                              else dut.COUNT_CYCLES)

    run_bench(StepResolver(), bench)
