"""Register block with step registers: accesses, BUSY, reads of the sequencer, clearing."""

import random

from support.bench import run_bench
from support.seeds import seed
from weft.control.registers import Registers
from weft.spec import register_map
from weft.spec.presets import preset

CONFIG = preset("tiny", fixed_point=True)
STEPS = register_map.STEP_REGISTERS


async def access(ctx, dut, addr, data=None, strb=15):
    """Read, or write ``data``. Return the value, the error bit and the cycles of the access."""
    ctx.set(dut.bus.addr, addr)
    ctx.set(dut.bus.write, data is not None)
    ctx.set(dut.bus.data, data or 0)
    ctx.set(dut.bus.strb, strb)
    ctx.set(dut.bus.en, 1)
    await ctx.tick()
    ctx.set(dut.bus.en, 0)
    cycles = 1
    while not ctx.get(dut.bus.ack):
        await ctx.tick()
        cycles += 1
    response = ctx.get(dut.bus.read_data), ctx.get(dut.bus.error), cycles
    await ctx.tick()
    assert not ctx.get(dut.bus.ack)
    return response


async def settled(ctx, dut):
    """Wait until the reset has zeroed the registers."""
    while ctx.get(dut.steps.busy):
        await ctx.tick()


def test_random_accesses_match_a_model():
    run_seed = seed()
    draw = random.Random(run_seed)

    async def bench(ctx, dut):
        await settled(ctx, dut)
        model = [0] * len(STEPS)
        for step in range(500):
            busy = draw.random() < 0.3
            ctx.set(dut.i_status, {"BUSY": busy})
            index, other = draw.randrange(len(STEPS)), draw.randrange(len(STEPS))
            data, strb = draw.getrandbits(32), draw.choice((15, 15, draw.getrandbits(4)))
            where = f"seed {run_seed}, access {step}"
            _, error, cycles = await access(ctx, dut, STEPS[index].offset, data, strb)
            assert (error, cycles) == (busy, dut.LATENCY), where
            if not busy:
                mask = sum(0xFF << 8 * byte for byte in range(4) if strb >> byte & 1)
                model[index] = model[index] & ~mask | data & mask
            assert await access(ctx, dut, STEPS[other].offset) == (
                model[other], 0, dut.LATENCY), where
            ctx.set(dut.steps.index, index)
            ctx.set(dut.steps.en, 1)
            await ctx.tick()
            ctx.set(dut.steps.en, 0)
            assert ctx.get(dut.steps.value) == model[index], where

    run_bench(Registers(CONFIG), bench)


def test_a_read_of_the_sequencer_delays_one_of_the_host():
    async def bench(ctx, dut):
        await settled(ctx, dut)
        await access(ctx, dut, STEPS[5].offset, 0x12345678)
        await access(ctx, dut, STEPS[9].offset, 0x9ABCDEF0)
        ctx.set(dut.i_status, {"BUSY": 1})

        async def both(cycles):
            """Read register 5 as the host; the sequencer reads register 9 for some cycles."""
            ctx.set(dut.bus.addr, STEPS[5].offset)
            ctx.set(dut.bus.write, 0)
            ctx.set(dut.bus.en, 1)
            ctx.set(dut.steps.index, 9)
            for cycle in range(20):
                ctx.set(dut.steps.en, cycle < cycles)
                await ctx.tick()
                ctx.set(dut.bus.en, 0)
                if cycle < cycles:
                    assert ctx.get(dut.steps.value) == 0x9ABCDEF0
                if ctx.get(dut.bus.ack):
                    return ctx.get(dut.bus.read_data), cycle + 1
            return None

        for cycles in range(4):
            assert await both(cycles) == (0x12345678, dut.LATENCY + cycles)
            await ctx.tick()

    run_bench(Registers(CONFIG), bench)


def test_accesses_wait_until_a_clear_is_complete():
    async def bench(ctx, dut):
        assert (await access(ctx, dut, STEPS[63].offset))[0] == 0       # after the reset
        for register in STEPS:
            await access(ctx, dut, register.offset, 0xFFFFFFFF)
        ctx.set(dut.i_clear, 1)
        await ctx.tick()
        ctx.set(dut.i_clear, 0)
        _, error, cycles = await access(ctx, dut, STEPS[0].offset, 7)
        assert not error and cycles > len(STEPS)
        values = [(await access(ctx, dut, register.offset))[0] for register in STEPS]
        assert values == [7] + [0] * (len(STEPS) - 1)

    run_bench(Registers(CONFIG), bench)


def test_unmapped_offsets_are_refused():
    async def bench(ctx, dut):
        mapped = {register.offset for register in register_map.registers(True)}
        for addr in (*range(0x140, 0x200, 4), *range(0x300, 0x1000, 0x3C)):
            if addr not in mapped:
                assert (await access(ctx, dut, addr))[:2] == (0, 1), addr
                assert (await access(ctx, dut, addr, 0))[1], addr
        assert await access(ctx, dut, 0) == (register_map.MAGIC, 0, dut.LATENCY)

    run_bench(Registers(CONFIG), bench)
