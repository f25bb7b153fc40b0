"""Clear control: one strobe, and busy until all memories are zero."""

import pytest

from support.bench import run_bench
from support.ticks import sampled
from weft.control.clear import ClearControl


@pytest.mark.parametrize("delay", [0, 1, 2])
@pytest.mark.parametrize("length", [0, 1, 50])
def test_is_busy_until_the_memories_are_zero(delay, length):
    async def bench(ctx, dut):
        ctx.set(dut.i_request, 1)
        await ctx.tick()
        ctx.set(dut.i_request, 0)
        strobes, began, seen = 0, None, []
        for cycle in range(100):
            clear, = await sampled(ctx, dut.o_clear)
            if clear:
                strobes += 1
                began = cycle + delay
            clearing = began is not None and began <= cycle < began + length
            ctx.set(dut.i_clearing, clearing)
            seen.append((clearing, ctx.get(dut.o_clearing)))
        assert strobes == 1
        assert all(busy for clearing, busy in seen if clearing)
        assert seen[0][1]
        assert sum(busy for _, busy in seen) <= max(length + delay, dut.RESPONSE_CYCLES) + 3

    run_bench(ClearControl(), bench)
