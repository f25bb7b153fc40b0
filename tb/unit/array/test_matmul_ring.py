"""MATMUL_RING between a model of the ring and model memories: results compared with numpy."""

import random

import numpy as np
import pytest

from support.matmul_bench import make_config, random_instruction
from support.matmul_ring_bench import RingMatmulBench, RingModel, random_ring_instruction
from support.seeds import seed
from support.streams import STALL_PATTERNS, Stalls
from weft.spec import isa

SIZES = [(4, 4, 1), (8, 2, 1), (4, 8, 1), (8, 4, 2), (16, 2, 2)]
each_size = pytest.mark.parametrize("rows, cols, tile_lines", SIZES)


def ring_config(rows, cols, tile_lines, **changes):
    return make_config(rows, cols, tile_lines=tile_lines, fixed_point=True, **changes)


def zeros(name):
    return {field.name: 0 for field in isa.BY_NAME[name].fields}


def encode(model, fields):
    """Let the model execute a MATMUL_RING with ``fields``, and return its word."""
    model.execute_ring(zeros("MATMUL_RING") | fields)
    return isa.encode("MATMUL_RING", **fields)


def check(bench, run_seed):
    wrong = np.argwhere(bench.acc != bench.model.acc)
    assert not len(wrong), (
        f"seed {run_seed}: accumulator {wrong[0]}: expected {bench.model.acc[tuple(wrong[0])]}, "
        f"got {bench.acc[tuple(wrong[0])]}")


def check_all_released(bench):
    """Check that as many tiles were released as all instructions have taken."""
    assert bench.first + bench.released == len(bench.model.tiles)


@each_size
@pytest.mark.parametrize("pattern, gaps", [
    ("none", "none"), ("none", "heavy"), ("heavy", "none"), ("bursts", "bursts"),
    ("light", "heavy")])
@pytest.mark.parametrize("latencies", [(4, 2), (2, 3)])
def test_random_instructions_equal_numpy(rows, cols, tile_lines, pattern, gaps, latencies):
    """Tiles arrive late or fill the whole ring; a released tile is overwritten at once."""
    config = ring_config(rows, cols, tile_lines)
    key = f"{seed()} {rows} {cols} {pattern} {gaps} {latencies}"
    run_seed = random.Random(key).randrange(1 << 30)
    draw = random.Random(run_seed)
    model = RingModel(config, run_seed)
    bench = RingMatmulBench(config, model, *latencies, Stalls(pattern, run_seed),
                            gaps=Stalls(gaps, run_seed))
    words = [isa.encode("SYNC_MATMUL") if draw.random() < 0.15
             else encode(model, random_ring_instruction(config, draw)) for _ in range(10)]
    bench.run(words, timeout=20000)
    check(bench, run_seed)
    check_all_released(bench)


@each_size
def test_the_ring_wraps_around_with_any_instruction(rows, cols, tile_lines):
    """The smallest ring, of four tiles, and kernel rows with accumulators of their own."""
    config = ring_config(rows, cols, tile_lines, wgt_bytes=max(128, 4 * rows * cols), max_burst=8)
    model = RingModel(config, seed(2))
    bench = RingMatmulBench(config, model, 4, 2, Stalls("light", seed(2)), gaps=Stalls("none"))
    words = [encode(model, {"row_count": 5, "chunk_count": 7, "row_pitch": 11, "chunk_pitch": rows,
                            "x_count": 2, "x_pitch": 3, "acc_addr": 2 * index,
                            "acc_pitch": 2 * (index % 2), "act_addr": index})
             for index in range(4)]
    assert len(model.tiles) > 4 * config.wgt_tiles
    bench.run(words, timeout=20000)
    check(bench, seed(2))
    check_all_released(bench)


@each_size
@pytest.mark.parametrize("pattern", ["none", "bursts"])
def test_instructions_with_and_without_the_ring_alternate(rows, cols, tile_lines, pattern):
    """The ring has the first half of the weight buffer, and the tiles of MATMUL the second."""
    config = ring_config(rows, cols, tile_lines, wgt_bytes=128 * rows * cols)
    half = config.wgt_tiles // 2
    draw = random.Random(f"{seed()} {rows} {cols} {pattern}")
    model = RingModel(config, seed(3))
    bench = RingMatmulBench(config, model, 4, 2, Stalls(pattern, seed(3)),
                            gaps=Stalls(draw.choice(STALL_PATTERNS), seed(3)))
    words = []
    while len(words) < 16:
        if draw.random() < 0.5:
            fields = random_instruction(config, draw)
            tiles = 1 if fields["hold"] else fields["row_count"] * fields["chunk_count"]
            fields["wgt_addr"] = draw.randint(half, config.wgt_tiles - tiles)
            model.execute(fields)
            words.append(isa.encode("MATMUL", **fields))
        else:
            fields = random_ring_instruction(config, draw)
            if len(model.tiles) + fields["row_count"] * fields["chunk_count"] <= half:
                words.append(encode(model, fields))
    bench.run(words, timeout=20000)
    check(bench, seed(3))
    check_all_released(bench)


@each_size
@pytest.mark.parametrize("positions", [1, 2, 9])
def test_passes_follow_each_other_without_a_bubble(rows, cols, tile_lines, positions):
    config = ring_config(rows, cols, tile_lines)
    model = RingModel(config, seed(4))
    bench = RingMatmulBench(config, model, 4, 2, Stalls("none"), gaps=Stalls("none"))
    fields = {"row_count": 3, "row_pitch": 40, "chunk_count": 2, "chunk_pitch": rows,
              "x_count": positions, "x_pitch": 7}
    words = [encode(model, fields | {"acc_addr": index % 2 * 16}) for index in range(4)]
    bench.run(words, timeout=4000)
    check(bench, seed(4))
    cycles = bench.vector_cycles[-1] - bench.vector_cycles[0] + 1
    assert cycles == 23 * max(config.tile_cycles, positions) + positions


def test_it_waits_for_each_tile():
    """A tile that arrives every 100 cycles: one pass in as many cycles."""
    config = ring_config(4, 4, 1)
    model = RingModel(config, seed(5))
    bench = RingMatmulBench(config, model, 4, 2, Stalls("none"), gaps=iter([99] * 20))
    bench.run([encode(model, {"row_count": 5, "chunk_count": 1, "x_count": 1})], timeout=2000)
    check(bench, seed(5))
    starts = bench.vector_cycles
    assert [later - first for first, later in zip(starts, starts[1:])] == [100] * 4


@each_size
def test_a_clear_begins_the_ring_at_its_first_tile(rows, cols, tile_lines):
    config = ring_config(rows, cols, tile_lines)
    model = RingModel(config, seed(6))
    bench = RingMatmulBench(config, model, 4, 2, Stalls("light", seed(6)),
                            gaps=Stalls("light", seed(6)))
    fields = {"row_count": 3, "row_pitch": 1, "chunk_count": 1, "x_count": 3, "x_pitch": 5}
    first = encode(model, fields)

    async def again(ctx):
        await bench.clear(ctx)
        return [encode(model, fields | {"acc_addr": 3})]

    bench.run([first], timeout=2000, between=again)
    assert bench.first == bench.released == 3
    check(bench, seed(6))
