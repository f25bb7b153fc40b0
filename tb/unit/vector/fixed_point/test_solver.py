"""Solver of SOLVE compared with Python integers."""

import random

import pytest
from amaranth.sim import Simulator

from support.seeds import seed
from weft.spec.fixed_point_instructions import SolveOp
from weft.vector.fixed_point.solver import Solver
from weft_host.numerics import quotients

CYCLES = {SolveOp.ROOT: 80, SolveOp.SCALE: 36, SolveOp.SUM: 50, SolveOp.MEAN: 86,
          SolveOp.EXPONENT: 20}
MOST = 1 << 79          # reductions are below this magnitude


def law(op, a, constant):
    """Return ``(multiplier, shift, scale)``; None for what an operation does not write."""
    match op:
        case SolveOp.ROOT:
            return *quotients.reciprocal_root(max(a, 0) + constant), None
        case SolveOp.SCALE:
            scale, factor = quotients.scale(a)
            return *factor, scale
        case SolveOp.SUM:
            return *quotients.sum_quotient(a), None
        case SolveOp.MEAN:
            return quotients.mean(a, constant), None, None
    return quotients.exponent(a), None, None


def operands(op, rng):
    """Yield ``(a, constant)``."""
    powers = [(1 << bits) + d for bits in range(0, 79, 3) for d in (-1, 0, 1)]
    if op == SolveOp.MEAN:
        for constant in (1, 2, 3, 576, 65535, (1 << 64) - 1):
            limit = (1 << 31) * constant - constant // 2 - 1
            for a in (0, 1, -1, constant, -constant, limit, -limit, constant // 2,
                      -(constant // 2), rng.randint(-limit, limit), rng.randint(-limit, limit),
                      # the result exceeds an int32
                      limit + 1, -limit - constant, MOST - 1, -MOST,
                      *(rng.randrange(-MOST, MOST) for _ in range(4))):
                if -MOST <= a < MOST:
                    yield a, constant
        return
    for a in (*powers, -1, -5, -MOST, MOST - 1, 32639, 32640, 65535 << 15, 127 << 24,
              *(rng.getrandbits(79) >> rng.randrange(79) for _ in range(30))):
        yield a, rng.choice((0, 0, 1, (1 << 64) - 1, rng.getrandbits(40)))


@pytest.mark.parametrize("op", tuple(SolveOp), ids=lambda op: op.name)
def test_results_match_the_law(op):
    cases = list(operands(op, random.Random(f"{seed()}/{op}")))
    dut = Solver()
    most = 0

    async def feed(ctx):
        nonlocal most
        ctx.set(dut.i_op, op)
        for a, constant in cases:
            ctx.set(dut.i_constant, constant)
            ctx.set(dut.i_operand, a)
            ctx.set(dut.i_start, 1)
            await ctx.tick()
            ctx.set(dut.i_start, 0)
            ctx.set(dut.i_operand, 0x5A5A)
            cycles = 1
            while not ctx.get(dut.o_done):
                await ctx.tick()
                cycles += 1
                assert cycles <= CYCLES[op], f"{a}, {constant}: too many cycles"
            most = max(most, cycles)
            multiplier, shift, scale = law(op, a, constant)
            assert ctx.get(dut.o_multiplier) == multiplier % (1 << 32), (a, constant)
            assert shift is None or ctx.get(dut.o_shift) == shift, (a, constant)
            assert scale is None or ctx.get(dut.o_scale) == scale, (a, constant)

    sim = Simulator(dut)
    sim.add_clock(1e-8)
    sim.add_testbench(feed)
    sim.run()
    assert most > CYCLES[op] - 8, f"{op.name} takes at most {most} cycles"
