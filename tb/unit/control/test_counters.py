"""Performance counters against a model."""

import random

from support.bench import run_bench
from support.seeds import seed
from support.ticks import sampled
from weft.control.counters import PerformanceCounters
from weft.control.layouts import counter_increments
from weft.spec import register_map
from weft.spec.presets import preset


def test_random_increments_and_commands_match_a_model():
    run_seed = seed()
    draw = random.Random(run_seed)
    config = preset("small")
    widths = {name: field.width for name, field in counter_increments(config)}
    assert list(widths) == [name for name, _ in register_map.COUNTERS] and len(widths) >= 10
    most = {name: 1 if width == 1 else {"INSTRUCTIONS": 4}.get(name, config.bus_bytes)
            for name, width in widths.items()}

    async def bench(ctx, dut):
        count = dict.fromkeys(widths, 0)
        shown = dict.fromkeys(widths, 0)
        pending = dict.fromkeys(widths, 0)
        busy = may_command = checked = longest = 0
        selected = [None, None]
        for _ in range(20_000):
            now = {name: draw.randint(0, most[name]) for name in widths}
            snapshot = may_command and draw.random() < 0.1
            clear = may_command and draw.random() < 0.06
            select = draw.randrange(len(widths))
            ctx.set(dut.i, now)
            ctx.set(dut.i_snapshot, snapshot)
            ctx.set(dut.i_clear, clear)
            ctx.set(dut.i_select, select)
            is_busy, found = await sampled(ctx, dut.o_busy, dut.o)
            if not is_busy and selected[0] is not None:
                assert found == list(shown.values())[selected[0]], f"seed {run_seed}"
                checked += 1
            busy = busy + 1 if is_busy else 0
            longest = max(longest, busy)
            may_command, selected = not is_busy, [selected[1], select]
            if snapshot:
                shown = dict(count)
            for name in widths:
                count[name] = ((0 if clear else count[name]) + pending[name]) % (1 << 32)
            pending = now
        assert checked > 1000 and longest == dut.BUSY_CYCLES

    run_bench(PerformanceCounters(config), bench)


def test_all_counters_of_a_snapshot_are_from_the_same_cycle():
    """Includes snapshots before, during and after rounds that the period starts."""
    config = preset("tiny")

    async def bench(ctx, dut):
        ctx.set(dut.i, {name: 1 for name, _ in register_map.COUNTERS})
        cycle = 0
        for wait in (1, 2, 30, 31, 32, 33, 300):
            for _ in range(wait):
                await ctx.tick()
                cycle += 1
            while True:
                busy, = await sampled(ctx, dut.o_busy)
                cycle += 1
                if not busy:
                    break
            ctx.set(dut.i_snapshot, 1)
            await ctx.tick()
            expected = cycle - 1        # an increment is counted one cycle later
            cycle += 1
            ctx.set(dut.i_snapshot, 0)
            for select in range(len(register_map.COUNTERS)):
                ctx.set(dut.i_select, select)
                await ctx.tick().repeat(2)
                cycle += 2
                while ctx.get(dut.o_busy):
                    await ctx.tick()
                    cycle += 1
                assert ctx.get(dut.o) == expected, (wait, select)

    run_bench(PerformanceCounters(config), bench)
