"""Rounding helpers, exhaustively at small widths; multipliers of average pooling."""

import random

import pytest
from amaranth.hdl import Cat, Const, Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from models.vector_unit import divide_away, divide_up
from support.seeds import seed
from weft.vector.rounding import ShiftStage, clamp, magnitude, rounds_half_up
from weft_host.compiler.lower.quantize import average_multiplier


def evaluate(build, inputs, output, cases):
    """Return the output of a combinational circuit for each case of its inputs."""
    results = []

    async def bench(ctx):
        for case in cases:
            for signal, value in zip(inputs, case):
                ctx.set(signal, value)
            results.append(ctx.get(output))

    sim = Simulator(build)
    sim.add_testbench(bench)
    sim.run()
    return results


def test_magnitude_of_every_value():
    m, value, result = Module(), Signal(signed(8)), Signal(8)
    m.d.comb += result.eq(magnitude(value))
    cases = [(n,) for n in range(-128, 128)]
    assert evaluate(m, [value], result, cases) == [abs(n) for n, in cases]


def test_clamp_of_every_value():
    m = Module()
    value, low, high, result = (Signal(signed(n)) for n in (6, 3, 3, 3))
    m.d.comb += result.eq(clamp(value, low, high))
    cases = [(v, a, b) for v in range(-32, 32) for a in range(-4, 4) for b in range(a, 4)]
    assert evaluate(m, [value, low, high], result, cases) == [
        min(max(v, a), b) for v, a, b in cases]


class Divider(wiring.Component):
    """Combinational division of ``value`` by ``2**shift`` in two stages of the shifter.

    The quotient has ``width`` bits. A larger quotient is presented as ``2**width - 1`` or more.
    """

    def __init__(self, width):
        self.width = width
        super().__init__({
            "value": In(signed(8)), "shift": In(3), "away": In(1), "result": Out(signed(9)),
        })

    def elaborate(self, platform):
        m = Module()
        negative = self.value[-1]
        start = ShiftStage(Cat(0, magnitude(self.value)), Const(0, 1), self.away, Const(0, 1))
        coarse = start.shift(self.shift[2:], step=4, width=self.width + 1 + 3)
        fine = coarse.shift(self.shift[:2], step=1, width=self.width + 1)
        quotient = fine.value[1:] | fine.over.replicate(self.width)
        rounded = quotient + fine.increment(negative)
        with m.If(negative):
            m.d.comb += self.result.eq(-rounded)
        with m.Else():
            m.d.comb += self.result.eq(rounded)
        return m


@pytest.mark.parametrize("width", (4, 8))
def test_division_of_every_value_by_every_shift(width):
    dut = Divider(width)
    cases = [(v, s, away) for v in range(-128, 128) for s in range(8) for away in (0, 1)]
    results = evaluate(dut, [dut.value, dut.shift, dut.away], dut.result, cases)
    largest = (1 << width) - 1
    for (value, shift, away), actual in zip(cases, results):
        exact = (divide_away if away else divide_up)(value, shift)
        if abs(exact) < largest:
            assert actual == exact, (value, shift, away)
        else:
            assert abs(actual) >= largest and (actual > 0) == (exact > 0), (value, shift, away)


def test_rounds_half_up_matches_the_model():
    m = Module()
    negative, guard, sticky, result = (Signal() for _ in range(4))
    m.d.comb += result.eq(rounds_half_up(negative, guard, sticky))
    cases = [(n, g, s) for n in (0, 1) for g in (0, 1) for s in (0, 1)]
    # (2 guard + sticky) quarters are dropped; a half of a negative value rounds to 0
    expected = [abs(divide_up((2 * g + s) * (-1 if n else 1), 2)) for n, g, s in cases]
    assert evaluate(m, [negative, guard, sticky], result, cases) == expected


def average(total, count):
    """Return the average as AveragePool of TensorFlow Lite computes it, with C's division."""
    half = count // 2
    return (total + half) // count if total > 0 else -((-total + half) // count)


def test_averages_of_every_count_are_exact():
    """All sums next to a tie, and the extremes, for every count up to 1024."""
    rng = random.Random(seed())
    for count in range(1, 1025):
        multiplier, shift = average_multiplier(count)
        assert multiplier < 1 << 31 and shift <= 62
        totals = {0, 128 * count, 127 * count, *(rng.randint(0, 128 * count) for _ in range(20))}
        for k in (0, 1, 2, 63, 126, 127, *(rng.randrange(128) for _ in range(4))):
            tie = k * count + (count + 1) // 2
            totals |= {tie - 1, tie, tie + 1}
        for total in totals:
            if total > 128 * count:
                continue
            for a in (total, -total):
                assert divide_away(a * multiplier, shift) == average(a, count), (count, a)


def test_averages_below_the_bound_are_exact():
    """Every sum below ``2**(shift-1) / d`` is exact, with ``d = multiplier*count - 2**shift``."""
    for count in range(1, 1 << 22, 977):
        multiplier, shift = average_multiplier(count)
        excess = multiplier * count - (1 << shift)
        assert 0 <= excess < count
        assert 128 * count * excess < 1 << shift - 1, count
