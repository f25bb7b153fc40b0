"""Delay line: length 0 and more, with and without clock enable."""

import random

import pytest
from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator

from support.seeds import seed
from weft.delay_line import delay_line


def test_a_length_of_zero_returns_the_signals():
    signals = Signal(), Signal(3)
    delayed = delay_line(Module(), "none", 0, *signals)
    assert all(one is other for one, other in zip(delayed, signals))


@pytest.mark.parametrize("cycles", (1, 3))
@pytest.mark.parametrize("has_enable", (False, True))
def test_delays_every_signal_by_the_length_in_enabled_cycles(cycles, has_enable):
    m = Module()
    narrow, wide, enable = Signal(), Signal(5), Signal()
    delayed = delay_line(m, "line", cycles, narrow, wide, advance=enable if has_enable else None)
    rng = random.Random(seed())

    async def bench(ctx):
        history = [(0, 0)] * cycles
        for _ in range(200):
            values, enabled = (rng.randrange(2), rng.randrange(32)), rng.randrange(2)
            ctx.set(narrow, values[0])
            ctx.set(wide, values[1])
            ctx.set(enable, enabled)
            assert tuple(ctx.get(signal) for signal in delayed) == history[0]
            await ctx.tick()
            if enabled or not has_enable:
                history = [*history[1:], values]

    sim = Simulator(m)
    sim.add_clock(1e-6)
    sim.add_testbench(bench)
    sim.run()
