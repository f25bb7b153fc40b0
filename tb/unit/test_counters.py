"""Performance counters against a model."""

import random

from support.bench import run_bench
from support.ticks import sampled
from weft.control import regmap
from weft.control.counters import PerformanceCounters
from weft.control.records import counter_increments
from weft.presets import preset


def test_counts_like_a_model():
    seed = random.randrange(1 << 32)
    draw = random.Random(seed)
    config = preset("small")
    widths = {name: field.width for name, field in counter_increments(config)}
    assert list(widths) == [name for name, _ in regmap.COUNTERS] and len(widths) >= 10
    most = {name: 1 if width == 1 else {"INSTRUCTIONS": 4}.get(name, config.bus_bytes)
            for name, width in widths.items()}

    async def bench(ctx, dut):
        count = dict.fromkeys(widths, 0)
        shown = dict.fromkeys(widths, 0)
        pending = dict.fromkeys(widths, 0)
        for _ in range(1500):
            now = {name: draw.randint(0, most[name]) for name in widths}
            snapshot, clear = draw.random() < 0.05, draw.random() < 0.03
            ctx.set(dut.i, now)
            ctx.set(dut.i_snapshot, snapshot)
            ctx.set(dut.i_clear, clear)
            found, = await sampled(ctx, dut.o)
            assert [int(value) for value in found] == list(shown.values()), f"seed {seed}"
            if snapshot:
                shown = dict(count)
            for name in widths:
                count[name] = (0 if clear else count[name]) + pending[name]
            pending = now

    run_bench(PerformanceCounters(config), bench)
