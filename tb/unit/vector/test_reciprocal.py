"""Reciprocal of SOFTMAX in hardware, compared with the integers of TensorFlow Lite's kernel."""

import random

import numpy as np

from golden.softmax import get_reciprocal
from support.bench import run_bench
from support.seeds import seed
from weft.vector.reciprocal import Reciprocal


def scales(totals):
    """Return the hardware's multiplier and shift for each total."""
    results = []

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
            results.append((ctx.get(dut.o_multiplier), ctx.get(dut.o_shift)))
            await ctx.tick()
            assert not ctx.get(dut.o_done)

    run_bench(Reciprocal(), bench)
    return results


def test_agrees_with_the_kernel():
    run_seed = seed()
    rng = random.Random(run_seed)
    totals = [(1 << 32) - 1, (1 << 31) - 1, 3, 5, 1 << 19, (1 << 19) + 1]
    totals += [1 << bit for bit in range(32)]
    totals += [rng.getrandbits(rng.randint(1, 32)) | 1 for _ in range(400)]
    multipliers, bits = get_reciprocal(np.array(totals))
    expected = [(int(m), min(62, 54 + int(n))) for m, n in zip(multipliers, bits)]
    for total, actual, wanted in zip(totals, scales(totals), expected):
        assert actual == wanted, f"seed {run_seed}: total {total}: {actual}, not {wanted}"


def test_a_total_of_zero_counts_as_one():
    zero, one = scales([0, 1])
    assert zero == one == ((1 << 31) - 1, 35)
