"""The reciprocal of SOFTMAX in hardware, against the kernel's steps in integers."""

import random

import numpy as np

from golden.softmax import get_reciprocal
from support.bench import run_bench
from support.seeds import seed
from weft.vector.reciprocal import Reciprocal


def scales(totals):
    """What the hardware makes of each total."""
    found = []

    async def bench(ctx, dut):
        for total in totals:
            ctx.set(dut.i_total, total)
            ctx.set(dut.i_start, 1)
            await ctx.tick()
            ctx.set(dut.i_start, 0)
            ctx.set(dut.i_total, total ^ 0x5A5A5A5A)
            for _ in range(dut.CYCLES - 1):
                assert not ctx.get(dut.o_done)
                await ctx.tick()
            assert ctx.get(dut.o_done)
            found.append((ctx.get(dut.o_multiplier), ctx.get(dut.o_shift)))
            await ctx.tick()
            assert not ctx.get(dut.o_done)

    run_bench(Reciprocal(), bench)
    return found


def test_is_the_kernels():
    run_seed = seed()
    rng = random.Random(run_seed)
    totals = [(1 << 32) - 1, (1 << 31) - 1, 3, 5, 1 << 19, (1 << 19) + 1]
    totals += [1 << bit for bit in range(32)]
    totals += [rng.getrandbits(rng.randint(1, 32)) | 1 for _ in range(400)]
    multipliers, bits = get_reciprocal(np.array(totals))
    expected = [(int(m), min(62, 54 + int(n))) for m, n in zip(multipliers, bits)]
    for total, have, want in zip(totals, scales(totals), expected):
        assert have == want, f"seed {run_seed}: total {total}: {have}, not {want}"


def test_a_total_of_zero_counts_as_one():
    zero, one = scales([0, 1])
    assert zero == one == ((1 << 31) - 1, 35)
