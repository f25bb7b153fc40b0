"""Token counters against a model."""

import random

from amaranth.sim import Simulator

from support.bench import add_deadline
from support.seeds import seed
from support.ticks import sampled
from weft.control.token_counters import TokenCounters

PAIRS = [(waiter, giver) for waiter in range(4) for giver in range(4) if waiter != giver]


def run(bench):
    """Simulate ``bench(ctx, dut)`` with new token counters."""
    dut = TokenCounters()
    sim = Simulator(dut)
    sim.add_clock(1e-6)
    add_deadline(sim, 100_000)

    async def testbench(ctx):
        await bench(ctx, dut)

    sim.add_testbench(testbench)
    sim.run()


def matrix(pairs):
    """Return the pairs as the value of a ``TOKEN_MATRIX``."""
    return [sum(1 << giver for waiter, giver in pairs if waiter == row) for row in range(4)]


def test_random_tokens_match_a_model():
    run_seed = seed()
    draw = random.Random(run_seed)

    async def bench(ctx, dut):
        count = dict.fromkeys(PAIRS, 0)
        overflows = 0
        for cycle in range(6000):
            share = 0.7 if cycle // 1000 % 2 == 0 else 0.3
            give = {pair for pair in PAIRS if draw.random() < share}
            take = {pair for pair in PAIRS if count[pair] and draw.random() < 0.45}
            clear = draw.random() < 0.0005
            if cycle < 300:         # more than 255 tokens without a take: forces an overflow
                give.add(PAIRS[0])
                take.discard(PAIRS[0])
                clear = False
            ctx.set(dut.i_give, matrix(give))
            ctx.set(dut.i_take, matrix(take))
            ctx.set(dut.i_clear, clear)
            available, overflow = await sampled(ctx, dut.o_available, dut.o_overflow)
            assert list(available) == matrix([p for p in PAIRS if count[p]]), f"seed {run_seed}"
            lost = {pair for pair in give - take if count[pair] == 255}
            assert overflow == sum({1 << giver for _, giver in lost}), f"seed {run_seed}"
            overflows += bool(lost)
            for pair in PAIRS:
                count[pair] += (pair in give - lost) - (pair in take)
                if clear:
                    count[pair] = 0
        assert overflows

    run(bench)


def test_a_token_can_be_taken_in_the_next_cycle():
    async def bench(ctx, dut):
        ctx.set(dut.i_give[2], 0b0001)
        available, = await sampled(ctx, dut.o_available)
        assert list(available) == [0, 0, 0, 0]
        ctx.set(dut.i_give[2], 0)
        available, = await sampled(ctx, dut.o_available)
        assert list(available) == [0, 0, 0b0001, 0]

    run(bench)


def test_a_full_counter_does_not_overflow_if_a_token_is_taken():
    async def bench(ctx, dut):
        ctx.set(dut.i_give[0], 0b1000)
        await ctx.tick().repeat(255)
        ctx.set(dut.i_take[0], 0b1000)
        for _ in range(3):
            overflow, = await sampled(ctx, dut.o_overflow)
            assert overflow == 0
        ctx.set(dut.i_take[0], 0)
        overflow, = await sampled(ctx, dut.o_overflow)
        assert overflow == 0b1000

    run(bench)
