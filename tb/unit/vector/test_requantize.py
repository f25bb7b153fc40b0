"""Requantiser compared with the laws of the numerics page, written with Python's integers."""

import random

import pytest
from amaranth.sim import Simulator

from models.vector_unit import quotient, requantize
from support.seeds import seed
from weft.spec.isa import Mode
from weft.vector.requantize import Requantizer

LAWS = (Mode.TFL2, Mode.TFL1, Mode.AWAY)
INT32_MIN, INT32_MAX = -(1 << 31), (1 << 31) - 1


def tflite_double(a, multiplier, shift):
    """Return TensorFlow Lite's MultiplyByQuantizedMultiplier (double rounding), by its statements.

    ``shift`` is 31 minus the exponent that TFLite calls shift.
    """
    exponent = 31 - shift
    left, right = max(exponent, 0), max(-exponent, 0)
    x = a << left
    # SaturatingRoundingDoublingHighMul
    ab = x * multiplier
    nudge = (1 << 30) if ab >= 0 else 1 - (1 << 30)
    high = abs(ab + nudge) >> 31            # C's division truncates
    high = high if ab + nudge >= 0 else -high
    # RoundingDivideByPOT
    mask = (1 << right) - 1
    remainder = high & mask
    threshold = (mask >> 1) + (1 if high < 0 else 0)
    return (high >> right) + (1 if remainder > threshold else 0)


def run(cases):
    """Return the requantiser's results for ``cases``, one of which enters every cycle."""
    dut = Requantizer()
    results = []
    unused = (0, 0, 0, Mode.TFL1, 0, 0, 0)

    async def feed(ctx):
        def case(number):
            return cases[number] if 0 <= number < len(cases) else unused

        for cycle in range(len(cases) + dut.LATENCY + 1):
            ctx.set(dut.i_value, case(cycle)[0])
            ctx.set(dut.i_multiplier, case(cycle - dut.MULTIPLIER_AT)[1])
            _, _, shift, mode, *_ = case(cycle - dut.SHIFT_AT)
            ctx.set(dut.i_shift, shift)
            ctx.set(dut.i_double, mode == Mode.TFL2)
            ctx.set(dut.i_away, mode == Mode.AWAY)
            ctx.set(dut.i_zero_point, case(cycle - dut.ZERO_POINT_AT)[4])
            ctx.set(dut.i_clamp_min, case(cycle - dut.CLAMP_AT)[5])
            ctx.set(dut.i_clamp_max, case(cycle - dut.CLAMP_AT)[6])
            if cycle >= dut.LATENCY:
                results.append(ctx.get(dut.o_result))
            await ctx.tick()

    sim = Simulator(dut)
    sim.add_clock(1e-8)
    sim.add_testbench(feed)
    sim.run()
    return results[:len(cases)]


def check(cases):
    """Compare the requantiser with the law for all ``cases``."""
    for number, (case, actual) in enumerate(zip(cases, run(cases), strict=True)):
        assert actual == requantize(*case), (number, case, requantize(*case), actual)


def near_tie(rng, mode):
    """Return a value, a multiplier and a shift whose product is within two of an exact half."""
    while True:
        shift = rng.randint(1, 62)
        a = rng.choice((rng.randint(INT32_MIN, INT32_MAX), rng.randint(-2000, 2000),
                        rng.choice((-1, 1)) << rng.randint(0, 30)))
        if a == 0:
            continue
        # the quotient is k + 1/2 with small k; the nearest multiplier gives a product close by
        half = (2 * rng.randint(0, 260 >> rng.randint(0, 9)) + 1) << shift - 1
        if mode == Mode.TFL2 and shift > 31 and rng.random() < 0.5:
            half -= 1 << 30         # the first rounding then rounds up to the tie of the second
        multiplier = half // abs(a) + rng.randint(0, 1)
        if 0 <= multiplier < 1 << 31:
            return a, multiplier, shift


def uniform(rng):
    """Return a random value, a multiplier and a shift whose quotient is near the range of int8."""
    a = rng.randint(INT32_MIN, INT32_MAX) >> rng.randint(0, 31)
    multiplier = rng.randint(0, (1 << 31) - 1) >> rng.choice((0, 0, 0, rng.randint(0, 31)))
    shift = (abs(a) * multiplier).bit_length() - rng.randint(-2, 10)
    return a, multiplier, min(max(shift, 0), 63)


def settings(rng):
    """Return a random zero point and random clamps."""
    zero_point = rng.choice((-128, 127, 0, rng.randint(-128, 127)))
    low, high = sorted((rng.randint(-128, 127), rng.randint(-128, 127)))
    return zero_point, *rng.choice(((-128, 127), (-128, 127), (low, high), (low, low)))


@pytest.mark.parametrize("mode", LAWS)
def test_agrees_with_the_law_near_ties(mode):
    rng = random.Random(f"{seed()}/ties/{mode}")
    check([(*near_tie(rng, mode), mode, *settings(rng)) for _ in range(4000)])


def test_agrees_with_alternating_laws_on_random_values():
    rng = random.Random(f"{seed()}/uniform")
    check([(*uniform(rng), rng.choice(LAWS), *settings(rng)) for _ in range(6000)])


def test_agrees_with_the_law_in_corner_cases():
    values = (INT32_MIN, INT32_MIN + 1, -(1 << 30), -65536, -3, -1, 0, 1, 2, 32767, 65535, 65536,
              1 << 30, INT32_MAX)
    multipliers = (0, 1, 2, 0x7FFF, 0xFFFF, 0x10000, 1 << 30, (1 << 31) - 1)
    shifts = (0, 1, 15, 16, 30, 31, 32, 33, 47, 48, 61, 62, 63)
    check([(a, m, s, mode, zero_point, -128, 127)
           for a in values for m in multipliers for s in shifts for mode in LAWS
           for zero_point in (-128, 127)])


def test_every_dropped_bit_affects_rounding():
    """Exact halves, and halves that differ in one dropped bit, for every shift."""
    cases = []
    for shift in range(1, 63):
        half = 1 << shift - 1
        for bit in range(shift):
            for p in (half, half + (1 << bit), half - (1 << bit), 3 * half - (1 << bit)):
                # the product as a value and a power of two, if the value fits an int32
                power = min((p & -p).bit_length() - 1, 30) if p else 0
                if p >> power <= INT32_MAX:
                    cases += [(sign * p >> power, 1 << power, shift, mode, 0, -128, 127)
                              for mode in LAWS for sign in (1, -1)]
    assert len(cases) > 20000
    check(cases)


def test_the_double_rounding_law_is_that_of_tflite():
    rng = random.Random(f"{seed()}/tflite")
    for _ in range(20000):
        a, multiplier, shift = rng.choice((uniform(rng), near_tie(rng, Mode.TFL2)))
        if shift <= 62 and abs(a) << max(31 - shift, 0) <= INT32_MAX:
            assert quotient(a, multiplier, shift, Mode.TFL2) == \
                tflite_double(a, multiplier, shift), (a, multiplier, shift)
