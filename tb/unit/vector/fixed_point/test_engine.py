"""VECTOR unit with the fixed-point instructions: random programs, cycles, halt."""

import random

import pytest

from models.vector_unit import random_drain, random_map, random_params, random_table
from support.fixed_point_bench import FixedPointBench as Bench
from weft.spec.config import Config
from weft.spec.fixed_point_instructions import (
    ComputeOp,
    OperandType,
    OutputType,
    Reduction,
    Scale,
    SolveOp,
)
from weft.spec.isa import encode
from weft.spec.presets import preset

CONFIGS = (
    preset("tiny", fixed_point=True, spad_bytes=8192),
    preset("tall", fixed_point=True),
    preset("small", fixed_point=True),
    preset("ulx3s", fixed_point=True, cols=8),
    Config(cols=16, vector_lanes=16, fixed_point=True),
    Config(cols=2, vector_lanes=2, spad_bytes=8192, acc_rows=8, fixed_point=True),
)


def name(config):
    return f"{config.cols}x{config.vector_lanes}"


@pytest.mark.parametrize("config", CONFIGS, ids=name)
def test_random_programs_agree_with_the_emulator(config):
    run_seed = f"{config.cols}/{config.vector_lanes}"
    rng = random.Random(run_seed)
    stall = rng.choice((0.0, 0.3, 0.7))
    bench = Bench(config, seed=run_seed, stall=stall, acc_latency=rng.randint(1, 6),
                  spad_latency=rng.randint(1, 7))
    programs = bench.programs
    program = [random_params(bench.rng, config, channels=config.param_channels)]
    for _ in range(3):
        program += [programs.compute(), programs.drain_planes(), programs.compute()]
    program.append(programs.solve())
    bench.run(program, gaps=True)


@pytest.mark.parametrize("config", (CONFIGS[0], CONFIGS[3]), ids=name)
def test_every_operation_agrees_with_the_emulator(config):
    bench = Bench(config, seed="operations", stall=0.2)
    programs = bench.programs
    program = []
    for reduce in tuple(Reduction)[1:]:
        program.append(programs.compute(op=0, b_type=0, out_type=0, shift=0, row_shift=0,
                                        reduce=reduce))
    program += [programs.compute(op=op, reduce=0) for op in ComputeOp]
    program += [programs.solve(op) for op in SolveOp]
    program += [programs.drain_planes(scale=scale) for scale in (Scale.NONE, Scale.VECTOR)]
    bench.run(program)


def test_instructions_of_both_kinds_follow_each_other():
    config = CONFIGS[2]
    bench = Bench(config, stall=0.3)
    rng, programs = bench.rng, bench.programs
    program = [random_params(rng, config, channels=config.param_channels),
               random_table(rng, config, 0), random_table(rng, config, 1)]
    for _ in range(3):
        program += [programs.compute(), random_drain(rng, config, 4), programs.drain_planes(),
                    random_map(rng, config), programs.compute(), encode("SYNC_VECTOR"),
                    programs.compute(), random_params(rng, config), programs.drain_planes()]
    # the other instructions write anywhere, so that the operands are arbitrary bytes
    bench.run(program)


def test_a_norm_agrees_with_the_emulator():
    """Sum of squares, factor, multiplication: each instruction reads the results of the last."""
    config = CONFIGS[3]
    bench = Bench(config, stall=0.1)
    addr, _ = bench.programs.block(1, 4 * 24, lambda: bench.programs.words(
        24, lambda: bench.rng.randint(-(1 << 20), 1 << 20)))
    bench.run([
        encode("COMPUTE", reduce=Reduction.SQUARES, a_addr=addr, count=1, elements_count=24,
               row_addr=512),
        encode("SOLVE", op=SolveOp.ROOT, a_addr=512, count=1, out_addr=528, constant=1000),
        encode("COMPUTE", a_addr=addr, count=1, elements_count=24, b_type=OperandType.FACTOR,
               b_addr=528, out_type=OutputType.PLANES, out_addr=600, plane_pitch=24),
    ])


def test_no_result_is_done():
    bench = Bench(CONFIGS[0])
    bench.run([encode("COMPUTE", count=2, elements_count=3), encode("SYNC_VECTOR"),
               encode("COMPUTE", count=1, elements_count=4, out_type=OutputType.INT32)])
