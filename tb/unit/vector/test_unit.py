"""The VECTOR unit with model memories: random programs, cycles, order of done, halt."""

import pathlib
import random

import pytest

from models.vector_unit import random_params, random_program
from support.vector_bench import VECTOR_CONFIGS as CONFIGS
from support.vector_bench import VectorBench as Bench
from weft.spec.isa import Mode, encode
from weft.spec.presets import preset

PAGE = pathlib.Path(__file__).resolve().parents[3] / "docs" / "blocks" / "vector.md"


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: f"{c.cols}x{c.vector_lanes}")
@pytest.mark.parametrize("stall", (0.0, 0.3, 0.8))
def test_random_programs_leave_the_models_bytes(config, stall):
    seed = f"{config.cols}/{config.vector_lanes}/{stall}"
    rng = random.Random(seed)
    bench = Bench(config, seed=seed, stall=stall, acc_latency=rng.randint(1, 6),
                  spad_latency=rng.randint(1, 7))
    bench.run(random_program(rng, config, 30), gaps=stall == 0.3)
    assert (bench.conflicts > 0) == (stall > 0)


@pytest.mark.parametrize("latency", (1, 9, 15))
def test_any_accumulator_latency_works(latency):
    config = preset("tiny")
    bench = Bench(config, seed=latency, acc_latency=latency, stall=0.1)
    bench.run(random_program(random.Random(latency), config, 20))


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: f"{c.cols}x{c.vector_lanes}")
@pytest.mark.parametrize("mode", Mode)
def test_drain_takes_a_cycle_a_step(config, mode):
    """No bubble between positions or rows, on top of a constant that sizes do not change."""
    cases = [(channels, y_count, x_count) for channels in {1, config.cols // 2, config.cols}
             for y_count, x_count in ((1, 1), (1, 5), (3, 2), (20, 3))]
    program = []
    for channels, y_count, x_count in cases:
        # PARAMS waits until the unit is empty, so each DRAIN starts when that is done
        program += [
            encode("PARAMS", channels=config.cols, multiplier=1 << 30, shift=33),
            encode("DRAIN", mode=mode, channels=channels, x_count=x_count, y_count=y_count,
                   x_pitch=1, y_pitch=7, clamp_min=-128, clamp_max=127)]
    bench = Bench(config)
    bench.run(program)
    overhead = set()
    for number, (channels, y_count, x_count) in enumerate(cases):
        steps = channels if mode == Mode.RAW else -(-channels // config.vector_lanes)
        cycles = bench.done_at[2 * number + 1] - max(bench.taken_at[2 * number + 1],
                                                     bench.done_at[2 * number])
        overhead.add(cycles - x_count * y_count * steps)
    assert len(overhead) == 1, f"cycles beyond the ideal differ: {overhead}"
    assert overhead.pop() <= 25


@pytest.mark.parametrize("mode", (Mode.TFL2, Mode.RAW))
def test_short_drains_follow_each_other_closely(mode):
    config = preset("small")
    drains = 20
    bench = Bench(config)
    bench.run([encode("PARAMS", channels=8, multiplier=1 << 30, shift=33)] + drains * [
        encode("DRAIN", mode=mode, channels=8, x_count=1, y_count=1, clamp_max=127)])
    steps = 8 if mode == Mode.RAW else 2
    cycles = (bench.done_at[-1] - bench.done_at[1]) / (drains - 1)
    assert cycles <= steps + 10, f"{cycles} cycles for {steps} steps"


@pytest.mark.parametrize("per_channel, ideal", ((0, 8), (1, 24)))
def test_params_takes_a_cycle_a_word(per_channel, ideal):
    bench = Bench(preset("small"))
    bench.run([encode("PARAMS", per_channel=per_channel, channels=8)])
    # the scratchpad's latency, and the reader's own
    assert bench.done_at[0] - bench.taken_at[0] <= ideal + 6 + 7


def test_the_cycles_in_the_docs_are_measured():
    def run(*program):
        bench = Bench(preset("small"), acc_latency=4, spad_latency=6)
        bench.run(list(program))
        return bench.taken_at, bench.done_at

    def drain(mode=Mode.TFL2, positions=15):
        return encode("DRAIN", mode=mode, channels=8, x_count=positions, y_count=1, clamp_max=127)

    params = encode("PARAMS", channels=8, multiplier=1 << 30, shift=33)
    found = {}
    for name, factor, per_channel in (("one multiplier for all", "", 0),
                                      ("`per_channel`", "3 * ", 1)):
        taken, done = run(encode("PARAMS", channels=8, per_channel=per_channel))
        constant = done[0] - taken[0] - (24 if per_channel else 8)
        found[f"PARAMS, {name}, from taken to done"] = f"{factor}channels + {constant}"
    for name, mode, steps in (("DRAIN", Mode.TFL2, 30), ("DRAIN, mode RAW,", Mode.RAW, 120)):
        _, done = run(params, drain(mode))
        found[f"{name} after PARAMS, from done to done"] = f"steps + {done[1] - done[0] - steps}"
    _, done = run(params, drain(), drain())
    found["DRAIN after a long DRAIN, from done to done"] = f"steps + {done[2] - done[1] - 30}"
    _, done = run(params, *20 * [drain(positions=1)])
    found["DRAINs of one position and two steps, each"] = f"{(done[-1] - done[1]) / 19:.1f}"
    taken, done = run(encode("TABLE"))
    found["TABLE, from taken to done"] = str(done[0] - taken[0])
    rows = dict(count=3, bytes=38, a_pitch=38, out_pitch=38, out_addr=1024)
    one, two, softmax = encode("MAP", **rows), encode("MAP", op=1, **rows), \
        encode("SOFTMAX", **rows)
    before = (params, encode("TABLE"), encode("TABLE", table=1))

    def last(*program):
        """Cycles of the last instruction, from done to done."""
        _, done = run(*before, *program)
        return done[-1] - done[-2]

    found["MAP of one operand, from done to done"] = f"steps + {last(one) - 30}"
    found["MAP of two operands, from done to done"] = f"2 * steps + {last(two) - 60}"
    found["MAP after a long DRAIN, from done to done"] = f"steps + {last(drain(), one) - 30}"
    found["DRAIN after a long MAP, from done to done"] = f"steps + {last(one, drain()) - 30}"
    row = last(encode("SOFTMAX", **rows | {"count": 4})) - last(softmax)
    found["SOFTMAX with 4 lanes, each row"] = f"3 * steps + {row - 30}"
    found["SOFTMAX, beside its rows, from done to done"] = str(last(softmax) - 3 * row)
    taken, done = run(encode("SYNC_VECTOR"))
    found["SYNC_VECTOR, from taken to done"] = str(done[0] - taken[0])

    rows = [line.strip("| ").split(" | ") for line in PAGE.read_text().splitlines()
            if line.startswith("| ")]
    written = {row[0]: row[-1] for row in rows if row[0] in found}
    assert written == found


def test_params_reads_what_the_drain_before_it_wrote():
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


def test_params_keeps_the_channels_it_does_not_name():
    config = preset("tiny")
    rng = random.Random("keep")
    program = [random_params(rng, config, channels=4)]
    for channels in (1, 2, 3):
        program += [random_params(rng, config, channels=channels),
                    encode("DRAIN", mode=Mode.RAW, channels=4, x_count=1, y_count=1,
                           out_addr=64 * channels),
                    encode("DRAIN", channels=4, x_count=1, y_count=1, out_addr=64 * channels + 16,
                           clamp_min=-128, clamp_max=127)]
    Bench(config).run(program)


def test_done_comes_after_the_last_write_was_made():
    """With one write made every 10 cycles, no done may overtake its writes."""
    config = preset("tiny")
    bench = Bench(config)
    dut = bench.dut
    waiting = []

    async def watch(ctx):
        async for _, _, done in ctx.tick().sample(dut.unit.done):
            if done:
                waiting.append(sum(writes[:len(waiting) + 1]) - bench.memory.writes)

    bench.memory.stall = 0.9
    writes = [0, 6, 0, 1, 3]
    bench.run([encode("PARAMS", channels=4)] + [
        encode("DRAIN", channels=4, x_count=3, y_count=1, x_pitch=4, clamp_max=1),
        encode("SYNC_VECTOR"),
        encode("DRAIN", channels=2, x_count=1, y_count=1),
        encode("DRAIN", mode=Mode.RAW, channels=3, x_count=1, y_count=1),
    ], watch=watch)
    assert max(waiting) <= 0, waiting
    assert bench.memory.writes == sum(writes)


def test_halt_takes_no_new_instruction_and_finishes_the_old_one():
    config = preset("tiny")
    bench = Bench(config)
    dut = bench.dut

    async def halt(ctx):
        await ctx.tick().until(dut.unit.cmd.valid & dut.unit.cmd.ready)     # PARAMS
        await ctx.tick().until(dut.unit.cmd.valid & dut.unit.cmd.ready)     # DRAIN
        ctx.set(dut.unit.halt, 1)
        await ctx.tick().repeat(100)
        assert (len(bench.taken_at), len(bench.done_at)) == (2, 2)
        ctx.set(dut.unit.halt, 0)

    bench.run([encode("PARAMS", channels=4)] + 3 * [
        encode("DRAIN", channels=4, x_count=5, y_count=1, x_pitch=4, clamp_max=1)], watch=halt)
