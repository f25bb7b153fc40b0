"""Lane of the fixed-point instructions compared with its law in Python integers."""

import random

import numpy as np
from amaranth.sim import Simulator

from support.seeds import seed
from weft.vector.fixed_point.lane import FixedPointLane
from weft_host.numerics.rounding_shift import round_shift

MOST = 1 << 31
NUMBERS = (0, 1, -1, MOST - 1, -MOST, -MOST + 1, 1 << 30, -(1 << 30), 32639)


def saturate(x):
    """Return ``x`` limited to int32."""
    return min(max(x, -MOST), MOST - 1)


def random_case(rng, previous):
    """Return the inputs of one element; ``previous`` are those of the element before it."""
    def number():
        return rng.choice((rng.choice(NUMBERS), rng.randint(-MOST, MOST - 1) >> rng.randrange(32)))

    case = {"value": number(), "multiplier": number(), "negative": rng.randint(0, 1),
            "addend": number(), "second": 0, "base": rng.choice((-128, -1, 0, 62, 63, 127,
                                                                 rng.randint(0, 63))),
            "slot_shift": rng.choice((0, 0, 62, 63, rng.randint(0, 63))),
            "bias": rng.choice((0, number())), "old": rng.choice((0, number()))}
    if previous and not previous["second"] and rng.random() < 0.3:
        case["second"] = 1
        for each in (case, previous):        # the sum of both products is at most 2^62
            each["multiplier"] = each["multiplier"] >> 1
            each["addend"] = 0
    return case


def expected(cases):
    """Return the exact and the limited result of each case."""
    results, total = [], 0
    for case in cases:
        product = case["value"] * case["multiplier"]
        total = (total if case["second"] else case["addend"]) + \
            (-product if case["negative"] else product)
        amount = min(max(case["base"] + case["slot_shift"], 0), 63)
        exact = int(round_shift(np.int64(total), amount))
        result = saturate(saturate(saturate(exact) + case["bias"]) + case["old"])
        results.append((exact, min(max(result, -32639), 32639)))
    return results


def test_random_elements_match_the_law():
    rng = random.Random(f"{seed()}/lane")
    cases = []
    while len(cases) < 1000:
        case = random_case(rng, cases[-1] if cases else None)
        if abs(case["value"] * case["multiplier"]) + abs(case["addend"]) <= 1 << 62:
            cases.append(case)
    dut = FixedPointLane()
    delays = {"value": 0, "multiplier": 0, "negative": 0, "addend": 0, "second": dut.SECOND_AT,
              "base": dut.BASE_AT, "slot_shift": dut.BASE_AT, "bias": dut.BIAS_AT,
              "old": dut.OLD_AT}
    exact, results = [], []

    async def feed(ctx):
        ctx.set(dut.i_low, -32639)
        ctx.set(dut.i_high, 32639)
        values, products = [], [0] * dut.PRODUCT_AT
        for cycle in range(len(cases) + dut.LATENCY):
            if dut.EXACT_AT <= cycle < dut.EXACT_AT + len(cases):
                exact.append(ctx.get(dut.o_exact))
            if cycle >= dut.LATENCY:
                results.append(ctx.get(dut.o_result))
            for name, delay in delays.items():
                index = cycle - delay
                ctx.set(getattr(dut, f"i_{name}"),
                        cases[index][name] if 0 <= index < len(cases) else 0)
            ctx.set(dut.i_product, products.pop(0))
            values.append(abs(ctx.get(dut.o_value)))
            await ctx.tick()
            # the multiplier follows one cycle after its value
            products.append(values.pop(0) * ctx.get(dut.o_multiplier))

    sim = Simulator(dut)
    sim.add_clock(1e-8)
    sim.add_testbench(feed)
    sim.run()
    law = expected(cases)
    for number, (case, want, found) in enumerate(
            zip(cases, law, zip(exact, results, strict=True), strict=True)):
        assert found == want, f"case {number} {case}: {found} instead of {want}"
