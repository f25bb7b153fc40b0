"""Validator of configurations with the fixed-point instructions and step registers."""

import random

import pytest
from amaranth.sim import Simulator

from support.bench import add_deadline
from support.fixed_point_checks import (
    CRAFTED,
    FOUR_BIT,
    STEPS,
    compute,
    four_bit,
    planes,
    ring,
    ring_load,
    solve,
)
from support.instruction_checks import copy, matmul
from support.random_words import random_steps, random_word
from support.seeds import seed
from support.ticks import sampled
from support.validator_bench import ALL, MEM_BASE, NONE, check, outcome
from weft.control.step_resolver import StepResolver
from weft.control.validate import Validator
from weft.spec.isa import ErrorCode
from weft.spec.presets import preset

TINY = preset("tiny", fixed_point=True)
TINY_FOUR_BIT = preset("tiny", fixed_point=True, weights_4bit=True)
WINDOWS = [(0x2000, 0x4FFF, 1, 0), (0x4000, 0x8FFF, 0, 1), (0x4000, 0x47FF, 1, 1), NONE]


@pytest.mark.parametrize("stalls", [False, True])
def test_every_check_at_the_limits_of_its_range(stalls):
    for given, code in CRAFTED:
        want = outcome(TINY, given, 0, MEM_BASE, (ALL,), STEPS)
        assert (want[0] if want else 0) == code, f"unexpected {want} for {given:064x}"
    seen = check(TINY, [given for given, _ in CRAFTED], stalls=stalls, seed=1,
                 steps=STEPS)
    assert all(seen[code] for code in (0, 1, 2, 3, 4, 5, 6)), seen


@pytest.mark.parametrize("stalls", [False, True])
def test_every_check_of_4_bit_weights(stalls):
    for given, code in FOUR_BIT:
        want = outcome(TINY_FOUR_BIT, given, 0, MEM_BASE, (ALL,), STEPS)
        assert (want[0] if want else 0) == code, f"unexpected {want} for {given:064x}"
    check(TINY_FOUR_BIT, [given for given, _ in FOUR_BIT], stalls=stalls, seed=2, steps=STEPS)


@pytest.mark.parametrize("name, changes", [
    ("tiny", {}), ("wide", {"weights_4bit": True}), ("tall", {}),
    ("large", {"weights_4bit": True})])
def test_random_instructions(name, changes):
    run_seed = seed()
    rng = random.Random(run_seed)
    config = preset(name, addr_width=rng.choice((16, 24, 32)), fixed_point=True, **changes)
    cases = [random_word(rng, config) for _ in range(500)]
    seen = check(config, cases, windows=WINDOWS, mem_base=0x1000, seed=run_seed,
                 stalls=rng.random() < 0.5, steps=random_steps(rng))
    assert seen[ErrorCode.NONE] > 40 and sum(seen.values()) == 500, (run_seed, seen)
    assert seen[ErrorCode.SPAD_BOUNDS] and seen[ErrorCode.BAD_FIELD], (run_seed, seen)


@pytest.mark.parametrize("name, given, products, resolution", [
    ("LOAD", copy(), 2, 0), ("MATMUL", matmul(), 7, 0), ("SOLVE", solve(), 3, 0),
    ("COMPUTE", compute(out_type=4), 7, 0), ("DRAIN_PLANES", planes(), 5, 0),
    ("LOAD_STEP", copy("LOAD_STEP", count_step=1), 2, StepResolver.COPY_CYCLES),
    ("COMPUTE_STEP", compute("COMPUTE_STEP", out_type=4), 7, StepResolver.COUNT_CYCLES),
    ("MATMUL_RING", ring(), 4, 0), ("LOAD_RING", ring_load(), 2, 0),
    # a step without a product precedes an extent of host memory
    ("LOAD_RING_4BIT", four_bit(), 2, 0),
    ("MATMUL_RING_STEP", ring("MATMUL_RING_STEP"), 4, StepResolver.COUNT_CYCLES)])
def test_latency_and_throughput(name, given, products, resolution):
    dut = Validator(TINY_FOUR_BIT if name == "LOAD_RING_4BIT" else TINY)
    sim = Simulator(dut)
    sim.add_clock(1e-6)
    add_deadline(sim, 100_000)

    async def bench(ctx):
        ctx.set(dut.i_windows[0], {"base": 0, "last": 0xFFFFFFFF, "read": 1, "write": 1})
        ctx.set(dut.i.payload, {"word": given, "index": 0, "offset": 0, "code": 0})
        ctx.set(dut.steps.value, 1)
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.o.ready, 1)
        cycles, passed = 0, []
        while len(passed) < 10:
            valid, = await sampled(ctx, dut.o.valid)
            cycles += 1
            if valid:
                passed.append(cycles)
        # the instruction is accepted in the first cycle
        assert passed[0] - 1 == 8 + products + resolution
        # the steps of an instruction enter while the previous one waits for its result
        assert {b - a for a, b in zip(passed, passed[1:])} == {
            max(dut.CYCLES, 1 + products + resolution)}

    sim.add_testbench(bench)
    sim.run()
