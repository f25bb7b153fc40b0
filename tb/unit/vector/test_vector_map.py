"""TABLE, MAP and SOFTMAX in the VECTOR unit: cycles, hazards, separation of scales."""

import random

import pytest

from models.vector_unit import random_drain, random_map, random_params, random_table
from support.seeds import seed
from support.vector_bench import VECTOR_CONFIGS, VectorBench
from weft.spec.integers import ceil_div
from weft.spec.isa import MapOp, Mode, encode
from weft.spec.presets import preset

FULL_RANGE = dict(clamp_min=-128, clamp_max=127)
TABLES = (encode("TABLE", multiplier=1 << 30, shift=54),
          encode("TABLE", table=1, multiplier=1 << 30, shift=54))


def rows(name="MAP", *, count=1, size=1, **fields):
    """Return an instruction on ``count`` dense rows of ``size`` bytes; ``fields`` override it."""
    pitches = {f"{operand}_pitch": size for operand in ("a", "out")}
    if name == "MAP":
        pitches |= dict(b_pitch=size, **FULL_RANGE)
    return encode(name, **{"count": count, "bytes": size} | pitches | fields)


@pytest.mark.parametrize("config", VECTOR_CONFIGS, ids=lambda c: f"{c.cols}x{c.vector_lanes}")
@pytest.mark.parametrize("op", MapOp)
@pytest.mark.parametrize("latency", (1, 6))
def test_map_takes_one_cycle_per_read(config, op, latency):
    """The constant overhead does not depend on sizes: no bubble between steps or rows."""
    lanes = config.vector_lanes
    shapes = [(1, 1), (5, 1), (1, 60 * lanes), (3, 20 * lanes), (7, lanes + 1), (4, 2 * lanes - 1)]
    shapes = [(count, size) for count, size in shapes if count * size <= config.spad_bytes]
    bench = VectorBench(config, spad_latency=latency)
    bench.run([*TABLES, *(rows(op=op, count=count, size=size) for count, size in shapes)])
    reads = 1 if op == MapOp.A else 2
    overhead = {bench.done_at[number] - bench.done_at[number - 1]
                - reads * count * ceil_div(size, lanes)
                for number, (count, size) in enumerate(shapes, start=len(TABLES))}
    assert len(overhead) == 1, f"the overhead in cycles depends on sizes: {overhead}"
    assert overhead.pop() == 24 + latency


@pytest.mark.parametrize("config", VECTOR_CONFIGS, ids=lambda c: f"{c.cols}x{c.vector_lanes}")
def test_softmax_takes_three_cycles_per_step_and_a_constant(config):
    lanes = config.vector_lanes
    bench = VectorBench(config, spad_latency=6)
    shapes = ((1, 1), (1, 5 * lanes), (4, 3 * lanes + 1), (3, lanes))
    bench.run([*TABLES, *(rows("SOFTMAX", count=count, size=size) for count, size in shapes)])
    for number, (count, size) in enumerate(shapes, start=len(TABLES)):
        row = 3 * ceil_div(size, lanes) + 82 + 2 * (lanes.bit_length() - 1)
        assert bench.done_at[number] - bench.done_at[number - 1] == count * row + 23


def test_softmax_of_exponentials():
    """Rows of one and of many steps, with a table of exponentials as a network has it."""
    config = preset("small", spad_bytes=4096)
    bench = VectorBench(config, stall=0.2, seed="exponentials")
    rng = random.Random(f"{seed()}/exponentials")
    for entry in range(256):
        value = round(((1 << 31) - 1) * 2.0 ** ((entry - 255) / 8))
        bench.model.spad[4 * entry:4 * entry + 4] = value.to_bytes(4, "little")
    bench.model.spad[1024:1324] = bytes(rng.randrange(40) for _ in range(300))
    bench.memory.data[:] = bench.model.spad
    bench.run([TABLES[0]] + [
        rows("SOFTMAX", count=count, size=size, a_addr=1024, out_addr=2000 + 300 * number)
        for number, (count, size) in enumerate(((1, 300), (30, 10), (10, 1), (7, 41)))])
    assert len(set(bench.model.spad[2300:2600])) > 20


@pytest.mark.parametrize("stall", (0.0, 0.6))
def test_instructions_read_the_results_of_earlier_instructions(stall):
    config = preset("tiny")
    drain = dict(channels=4, x_count=60, y_count=1, acc_addr=2, **FULL_RANGE)
    VectorBench(config, stall=stall, seed=stall).run([
        encode("PARAMS", channels=4, multiplier=1 << 30, shift=40), *TABLES,
        encode("DRAIN", x_pitch=4, out_addr=8, **drain),
        rows(op=1, size=77, count=3, a_addr=8, b_addr=9, out_addr=1000),
        rows(op=2, size=200, a_addr=1000, b_addr=1003, out_addr=1300),
        rows(size=100, a_addr=1300, out_addr=1300),
        rows("SOFTMAX", count=5, size=20, a_addr=1300, out_addr=1300),
        rows(size=100, a_addr=1300, out_addr=1500),
        encode("DRAIN", mode=Mode.RAW, x_pitch=16, out_addr=0, **drain),
        encode("TABLE", table_addr=8, multiplier=(1 << 31) - 1, shift=60),
        encode("PARAMS", channels=4, bias_addr=1500, per_channel=1, scale_addr=100),
        encode("DRAIN", x_pitch=4, out_addr=8, **drain),
        rows(size=300, a_addr=1300, out_addr=9),
    ])


def test_drain_map_and_softmax_use_their_own_scales():
    """DRAIN, MAP and SOFTMAX in progress at the same time."""
    config = preset("small", spad_bytes=2048)
    drain = encode("DRAIN", channels=8, x_count=40, y_count=1, x_pitch=8, out_addr=1024,
                   **FULL_RANGE)
    VectorBench(config, seed="scales").run([
        encode("PARAMS", channels=8, multiplier=3 << 29, shift=44), *TABLES, drain,
        rows(op=1, size=100, out_addr=1400), drain, rows(size=3, out_addr=1500),
        rows("SOFTMAX", size=100, out_addr=1600), drain, rows(size=90, out_addr=1700)])


@pytest.mark.parametrize("mode", Mode)
def test_a_drain_directly_after_the_last_step_of_a_map(mode):
    """With the shortest latency, the steps of both are adjacent in the lanes."""
    config = preset("small", spad_bytes=2048)
    drain = encode("DRAIN", mode=mode, channels=7, x_count=4, y_count=1, x_pitch=28,
                   out_addr=1024, **FULL_RANGE)
    VectorBench(config, seed=f"next{mode}", acc_latency=1).run([
        encode("PARAMS", channels=8, multiplier=3 << 29, shift=44), *TABLES,
        drain, rows(size=100, out_addr=1400), drain, rows(op=1, size=22, out_addr=1600), drain])


@pytest.mark.parametrize("stall", (0.0, 0.4))
def test_steps_with_paths_of_different_length_follow_each_other(stall):
    """Random short instructions of all kinds."""
    run_seed = seed()
    rng = random.Random(run_seed)
    config = preset("tiny")
    program = [random_params(rng, config, channels=config.param_channels),
               *(random_table(rng, config, table) for table in (0, 1))]
    for _ in range(60):
        program.append(random_map(rng, config, softmax=rng.random() < 0.1)
                       if rng.random() < 0.5 else random_drain(rng, config, 2))
    VectorBench(config, seed=run_seed, stall=stall, spad_latency=rng.randint(1, 7),
                acc_latency=rng.randint(1, 6)).run(program, gaps=True)


def test_the_queue_never_overflows():
    """Writes are rarely granted, reads always."""
    config = preset("tiny")
    VectorBench(config, stall=0.95, read_stall=0.0, seed="full").run([*TABLES, rows(size=500)])
