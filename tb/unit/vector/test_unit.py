"""VECTOR unit with model memories: random programs, cycles, order of done, halt."""

import pathlib
import random

import pytest

from models.vector_unit import random_params, random_program
from support.seeds import seed
from support.vector_bench import VECTOR_CONFIGS as CONFIGS
from support.vector_bench import VectorBench as Bench
from weft.spec.integers import ceil_div
from weft.spec.isa import Mode, encode
from weft.spec.presets import preset

PAGE = pathlib.Path(__file__).resolve().parents[3] / "docs" / "blocks" / "vector.md"


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: f"{c.cols}x{c.vector_lanes}")
@pytest.mark.parametrize("stall", (0.0, 0.3, 0.8))
def test_random_programs_agree_with_the_model(config, stall):
    run_seed = f"{config.cols}/{config.vector_lanes}/{stall}"
    rng = random.Random(f"{seed()}/{run_seed}")
    bench = Bench(config, seed=run_seed, stall=stall, acc_latency=rng.randint(1, 6),
                  spad_latency=rng.randint(1, 7))
    bench.run(random_program(rng, config, 30), gaps=stall == 0.3)
    assert (bench.conflicts > 0) == (stall > 0)


@pytest.mark.parametrize("latency", (1, 9, 15))
def test_any_accumulator_latency(latency):
    config = preset("tiny")
    bench = Bench(config, seed=latency, acc_latency=latency, stall=0.1)
    bench.run(random_program(random.Random(f"{seed()}/{latency}"), config, 20))


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: f"{c.cols}x{c.vector_lanes}")
@pytest.mark.parametrize("mode", Mode)
def test_drain_takes_one_cycle_per_step(config, mode):
    """The constant overhead does not depend on sizes: no bubble between positions or rows."""
    cases = [(channels, y_count, x_count) for channels in {1, config.cols // 2, config.cols}
             for y_count, x_count in ((1, 1), (1, 5), (3, 2), (20, 3))]
    program = []
    for channels, y_count, x_count in cases:
        # PARAMS waits until the unit is empty, and each DRAIN starts when PARAMS is done
        program += [
            encode("PARAMS", channels=config.cols, multiplier=1 << 30, shift=33),
            encode("DRAIN", mode=mode, channels=channels, x_count=x_count, y_count=y_count,
                   x_pitch=1, y_pitch=7, clamp_min=-128, clamp_max=127)]
    bench = Bench(config)
    bench.run(program)
    overhead = set()
    for number, (channels, y_count, x_count) in enumerate(cases):
        steps = channels if mode == Mode.RAW else ceil_div(channels, config.vector_lanes)
        cycles = bench.done_at[2 * number + 1] - max(bench.accepted_at[2 * number + 1],
                                                     bench.done_at[2 * number])
        overhead.add(cycles - x_count * y_count * steps)
    assert len(overhead) == 1, f"the overhead in cycles depends on sizes: {overhead}"
    assert overhead.pop() <= 25


@pytest.mark.parametrize("mode", (Mode.TFL2, Mode.RAW))
def test_short_drains_overlap(mode):
    config = preset("small")
    drains = 20
    bench = Bench(config)
    bench.run([encode("PARAMS", channels=8, multiplier=1 << 30, shift=33)] + drains * [
        encode("DRAIN", mode=mode, channels=8, x_count=1, y_count=1, clamp_max=127)])
    steps = 8 if mode == Mode.RAW else 2
    cycles = (bench.done_at[-1] - bench.done_at[1]) / (drains - 1)
    assert cycles <= steps + 10, f"{cycles} cycles for {steps} steps"


@pytest.mark.parametrize("per_channel, ideal", ((0, 8), (1, 24)))
def test_params_takes_one_cycle_per_word(per_channel, ideal):
    bench = Bench(preset("small"))
    bench.run([encode("PARAMS", per_channel=per_channel, channels=8)])
    # plus the scratchpad's latency and the reader's own
    assert bench.done_at[0] - bench.accepted_at[0] <= ideal + 6 + 7


def test_the_documented_cycles_are_measured():
    def run(*program):
        bench = Bench(preset("small"), acc_latency=4, spad_latency=6)
        bench.run(list(program))
        return bench.accepted_at, bench.done_at

    def drain(mode=Mode.TFL2, positions=15):
        return encode("DRAIN", mode=mode, channels=8, x_count=positions, y_count=1, clamp_max=127)

    params = encode("PARAMS", channels=8, multiplier=1 << 30, shift=33)
    measured = {}
    for name, factor, per_channel in (("one multiplier for all", "", 0),
                                      ("`per_channel`", "3 * ", 1)):
        accepted, done = run(encode("PARAMS", channels=8, per_channel=per_channel))
        constant = done[0] - accepted[0] - (24 if per_channel else 8)
        measured[f"PARAMS, {name}, from accepted to done"] = f"{factor}channels + {constant}"
    for name, mode, steps in (("DRAIN", Mode.TFL2, 30), ("DRAIN, mode RAW,", Mode.RAW, 120)):
        _, done = run(params, drain(mode))
        measured[f"{name} after PARAMS, from done to done"] = f"steps + {done[1] - done[0] - steps}"
    _, done = run(params, drain(), drain())
    measured["DRAIN after a long DRAIN, from done to done"] = f"steps + {done[2] - done[1] - 30}"
    _, done = run(params, *20 * [drain(positions=1)])
    measured["DRAINs of one position and two steps, each"] = f"{(done[-1] - done[1]) / 19:.1f}"
    accepted, done = run(encode("TABLE"))
    measured["TABLE, from accepted to done"] = str(done[0] - accepted[0])
    rows = dict(count=3, bytes=38, a_pitch=38, out_pitch=38, out_addr=1024)
    one, two, softmax = encode("MAP", **rows), encode("MAP", op=1, **rows), \
        encode("SOFTMAX", **rows)
    first = (params, encode("TABLE"), encode("TABLE", table=1))

    def last(*program):
        """Return the cycles of the last instruction, from done to done."""
        _, done = run(*first, *program)
        return done[-1] - done[-2]

    measured["MAP of one operand, from done to done"] = f"steps + {last(one) - 30}"
    measured["MAP of two operands, from done to done"] = f"2 * steps + {last(two) - 60}"
    measured["MAP after a long DRAIN, from done to done"] = f"steps + {last(drain(), one) - 30}"
    measured["DRAIN after a long MAP, from done to done"] = f"steps + {last(one, drain()) - 30}"
    row = last(encode("SOFTMAX", **rows | {"count": 4})) - last(softmax)
    measured["SOFTMAX with 4 lanes, each row"] = f"3 * steps + {row - 30}"
    measured["SOFTMAX, beside its rows, from done to done"] = str(last(softmax) - 3 * row)
    accepted, done = run(encode("SYNC_VECTOR"))
    measured["SYNC_VECTOR, from accepted to done"] = str(done[0] - accepted[0])

    rows = [line.strip("| ").split(" | ") for line in PAGE.read_text().splitlines()
            if line.startswith("| ")]
    documented = {row[0]: row[-1] for row in rows if row[0] in measured}
    assert documented == measured


def test_params_reads_the_results_of_the_previous_drain():
    config = preset("tiny")
    bench = Bench(config, stall=0.5)
    bench.run([
        encode("PARAMS", channels=4, multiplier=1 << 30, shift=30),
        encode("DRAIN", mode=Mode.RAW, channels=4, x_count=8, y_count=1, x_pitch=16, out_addr=64),
        encode("PARAMS", per_channel=1, channels=4, bias_addr=64 + 7 * 16, scale_addr=64 + 5 * 16),
        encode("DRAIN", mode=Mode.RAW, channels=4, x_count=2, y_count=1, x_pitch=16, out_addr=512),
        encode("DRAIN", channels=4, x_count=2, y_count=1, x_pitch=16, out_addr=600,
               clamp_min=-128, clamp_max=127),
    ])


def test_params_keeps_the_slots_that_it_does_not_set():
    config = preset("tiny")
    rng = random.Random(f"{seed()}/keep")
    program = [random_params(rng, config, channels=4)]
    for channels in (1, 2, 3):
        program += [random_params(rng, config, channels=channels),
                    encode("DRAIN", mode=Mode.RAW, channels=4, x_count=1, y_count=1,
                           out_addr=64 * channels),
                    encode("DRAIN", channels=4, x_count=1, y_count=1, out_addr=64 * channels + 16,
                           clamp_min=-128, clamp_max=127)]
    Bench(config).run(program)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: f"{c.cols}x{c.vector_lanes}")
def test_clear_zeroes_all_parameters_and_tables(config):
    """The instructions after the clear use what they have not set, and then set some of it."""
    rng = random.Random(f"{seed()}/clear")
    before = random_program(rng, config, 6)
    tables = [encode("TABLE", table=table, multiplier=1 << 30, shift=31) for table in (0, 1)]
    after = [encode("DRAIN", mode=mode, channels=config.cols, channel=channel, x_count=1,
                    y_count=1, out_addr=4 * channel % 512, clamp_min=-128, clamp_max=127)
             for channel in range(0, config.param_channels, config.cols)
             for mode in (Mode.RAW, Mode.TFL2)]
    if config.spad_bytes >= 1024:
        before += tables
        # the scale is 0, then that of this TABLE, with which the other table is visible
        maps = [encode("MAP", op=op, count=1, bytes=40, out_addr=512 + 40 * op, clamp_min=-128,
                       clamp_max=127) for op in (0, 1, 2)]
        after += [*maps, encode("SOFTMAX", count=1, bytes=40, out_addr=700), tables[1], maps[0],
                  tables[0], maps[1]]
    Bench(config, seed="clear", stall=0.3).run([*before, *after], clear_at=len(before))


def test_done_follows_the_last_write():
    """The scratchpad grants one write in ten cycles; no done may be ahead of its writes."""
    config = preset("tiny")
    bench = Bench(config)
    dut = bench.dut
    missing = []

    async def watch(ctx):
        async for _, _, done in ctx.tick().sample(dut.unit.done):
            if done:
                missing.append(sum(writes[:len(missing) + 1]) - bench.memory.writes)

    bench.memory.stall = 0.9
    writes = [0, 6, 0, 1, 3]
    bench.run([encode("PARAMS", channels=4)] + [
        encode("DRAIN", channels=4, x_count=3, y_count=1, x_pitch=4, clamp_max=1),
        encode("SYNC_VECTOR"),
        encode("DRAIN", channels=2, x_count=1, y_count=1),
        encode("DRAIN", mode=Mode.RAW, channels=3, x_count=1, y_count=1),
    ], watch=watch)
    assert max(missing) <= 0, missing
    assert bench.memory.writes == sum(writes)


def test_halt_accepts_no_instruction_and_finishes_those_in_progress():
    config = preset("tiny")
    bench = Bench(config)
    dut = bench.dut

    async def halt(ctx):
        await ctx.tick().until(dut.unit.cmd.valid & dut.unit.cmd.ready)     # PARAMS
        await ctx.tick().until(dut.unit.cmd.valid & dut.unit.cmd.ready)     # DRAIN
        ctx.set(dut.unit.halt, 1)
        await ctx.tick().repeat(100)
        assert (len(bench.accepted_at), len(bench.done_at)) == (2, 2)
        ctx.set(dut.unit.halt, 0)

    bench.run([encode("PARAMS", channels=4)] + 3 * [
        encode("DRAIN", channels=4, x_count=5, y_count=1, x_pitch=4, clamp_max=1)], watch=halt)
