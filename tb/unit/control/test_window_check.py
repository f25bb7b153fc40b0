"""Window check: ranges around all window edges, against a model."""

import random

import pytest
from amaranth.sim import Simulator

from support.bench import add_deadline
from support.seeds import seed
from support.ticks import sampled
from weft.control.window_check import WindowCheck
from weft.spec.presets import preset

WINDOWS = [(0x1000, 0x1FFF, 1, 0), (0x2000, 0x2FFF, 0, 1), (0x5000, 0x4FFF, 1, 1),
           (0xFFFF0000, 0xFFFFFFFF, 1, 1)]


@pytest.mark.parametrize("addr_width", [16, 31, 32])
def test_accepts_exactly_the_ranges_inside_a_permitted_window(addr_width):
    run_seed = seed()
    draw = random.Random(run_seed)
    dut = WindowCheck(preset("tiny", addr_width=addr_width), width=51)
    sim = Simulator(dut)
    sim.add_clock(1e-6)
    add_deadline(sim, 100_000)
    edges = [edge for window in WINDOWS for edge in window[:2]] + [0, 0xFFFF, 1 << 16, 1 << 31,
                                                                  1 << 32]
    cases = []
    for _ in range(600):
        start = max(0, draw.choice(edges) + draw.randrange(-2, 3))
        end = draw.choice((start + 1 + draw.randrange(3), start + draw.getrandbits(50),
                           draw.choice(edges) + draw.randrange(-2, 3)))
        if end > start:
            cases.append((start, end, draw.getrandbits(1)))

    def inside(start, end, write):
        return end <= 1 << addr_width and any(
            first <= start and end - 1 <= last and (writable if write else readable)
            for first, last, readable, writable in WINDOWS)

    async def bench(ctx):
        for window, (base, last, read, write) in zip(dut.i_windows, WINDOWS):
            ctx.set(window, {"base": base, "last": last, "read": read, "write": write})
        await ctx.tick().repeat(dut.LATENCY)
        expected = []
        for start, end, write in cases:
            ctx.set(dut.i_start, start % (1 << addr_width))
            ctx.set(dut.i_last, end - 1)
            ctx.set(dut.i_write, write)
            inside_now, = await sampled(ctx, dut.o_inside)
            expected.append(inside(start, end, write))
            if len(expected) > dut.LATENCY:
                which = len(expected) - 1 - dut.LATENCY
                assert inside_now == expected[which], f"seed {run_seed}: {cases[which]}"
        assert any(expected) and not all(expected)

    sim.add_testbench(bench)
    sim.run()


def test_rejects_a_width_without_room_for_large_addresses():
    with pytest.raises(ValueError, match="^width must be more than the addr_width of 32, not 32$"):
        WindowCheck(preset("tiny"), width=32)
