"""Clearing the memories on command."""

import pytest

from support.bench import run_bench
from support.ticks import sampled
from weft.control.clear import ClearControl


@pytest.mark.parametrize("answer", [0, 1, 2])
@pytest.mark.parametrize("length", [0, 1, 50])
def test_lasts_as_long_as_the_memories_take(answer, length):
    async def bench(ctx, dut):
        ctx.set(dut.i_request, 1)
        await ctx.tick()
        ctx.set(dut.i_request, 0)
        strobes, began, seen = 0, None, []
        for cycle in range(100):
            clear, = await sampled(ctx, dut.o_clear)
            if clear:
                strobes += 1
                began = cycle + answer
            clearing = began is not None and began <= cycle < began + length
            ctx.set(dut.i_clearing, clearing)
            seen.append((clearing, ctx.get(dut.o_clearing)))
        assert strobes == 1
        assert all(shown for clearing, shown in seen if clearing)
        assert seen[0][1]
        assert sum(shown for _, shown in seen) <= max(length + answer, dut.ANSWER_CYCLES) + 3

    run_bench(ClearControl(), bench)
