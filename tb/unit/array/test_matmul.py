"""MATMUL unit between model memories: results compared with numpy, and cycles of a pass."""

import random

import numpy as np
import pytest
from amaranth.sim import Simulator

from support.matmul_bench import ACC_LATENCY, make_config, random_instruction
from support.matmul_bench import MatmulBench as Bench
from support.matmul_bench import MatmulModel as Model
from support.seeds import seed
from support.streams import STALL_PATTERNS, Stalls
from weft.array.matmul import MatmulUnit
from weft.array.positions import UPDATE_DISTANCE
from weft.spec import isa


@pytest.mark.parametrize("rows, cols, tile_lines", [
    (4, 4, 1), (4, 8, 1), (8, 4, 1), (8, 4, 2), (16, 2, 2)])
@pytest.mark.parametrize("pattern", STALL_PATTERNS)
@pytest.mark.parametrize("latencies", [(4, 2), (3, 2), (2, 3), (5, 1)])
def test_random_instructions_equal_numpy(rows, cols, tile_lines, pattern, latencies):
    config = make_config(rows, cols, tile_lines=tile_lines)
    key = f"{seed()} {rows} {cols} {pattern} {latencies}" + " two lines" * (tile_lines - 1)
    run_seed = random.Random(key).randrange(1 << 30)
    draw = random.Random(run_seed)
    model = Model(config, run_seed)
    bench = Bench(config, model, *latencies, Stalls(pattern, run_seed))
    words = []
    for _ in range(12):
        if draw.random() < 0.2:
            words.append(isa.encode("SYNC_MATMUL"))
        else:
            fields = random_instruction(config, draw)
            words.append(isa.encode("MATMUL", **fields))
            model.execute(fields)
    bench.run(words, timeout=20000)
    wrong = np.argwhere(bench.acc != model.acc)
    assert not len(wrong), (
        f"seed {run_seed}: row {wrong[0]}: expected {model.acc[tuple(wrong[0])]}, "
        f"got {bench.acc[tuple(wrong[0])]}")


@pytest.mark.parametrize("rows, cols", [(4, 4), (8, 4), (4, 8)])
@pytest.mark.parametrize("positions", [1, 3, 4, 8, 13])
def test_a_pass_takes_max_of_rows_and_positions(rows, cols, positions):
    config = make_config(rows, cols)
    model = Model(config, seed(1))
    bench = Bench(config, model, 4, 2, Stalls("none"))
    fields = {"act_addr": 3, "row_count": 2, "row_pitch": 40, "chunk_count": 2, "chunk_pitch": rows,
              "y_count": 1, "x_count": positions, "x_pitch": 7}
    words = [isa.encode("MATMUL", **fields, acc_addr=index % 2 * 16) for index in range(4)]
    bench.run(words, timeout=2000)
    passes = 4 * 4
    # the last pass takes only its positions; each earlier pass also covers the next tile's load
    ideal = (passes - 1) * max(rows, positions) + positions
    assert bench.vector_cycles[-1] - bench.vector_cycles[0] + 1 == ideal


@pytest.mark.parametrize("rows, cols", [(8, 8), (16, 4)])
@pytest.mark.parametrize("positions", [1, 2, 5, 8, 13])
def test_a_pass_with_two_lines_per_cycle_takes_max_of_half_the_rows_and_positions(
        rows, cols, positions):
    fields = {"act_addr": 3, "row_count": 2, "row_pitch": 40, "chunk_count": 2, "chunk_pitch": rows,
              "x_count": positions, "x_pitch": 7}
    words = [fields | {"acc_addr": index % 2 * 16} for index in range(4)]
    ideal = 15 * max(rows // 2, positions) + positions
    assert cycles_of(rows, cols, *words, tile_lines=2) == ideal


def cycles_of(rows, cols, *instructions, spad_bytes=2048, acc_rows=64, tile_lines=1):
    """Return the cycles from the first vector to the last, after a check of the results."""
    config = make_config(rows, cols, spad_bytes=spad_bytes, acc_rows=acc_rows,
                         tile_lines=tile_lines)
    model = Model(config, seed(1))
    bench = Bench(config, model, 4, 2, Stalls("none"))
    zeros = {field.name: 0 for field in isa.BY_NAME["MATMUL"].fields}
    for fields in instructions:
        model.execute(zeros | {"row_count": 1, "chunk_count": 1, "y_count": 1} | fields)
    bench.run([isa.encode("MATMUL", **{"row_count": 1, "chunk_count": 1, "y_count": 1} | fields)
               for fields in instructions], timeout=20000)
    assert (bench.acc == model.acc).all()
    return bench.vector_cycles[-1] - bench.vector_cycles[0] + 1


@pytest.mark.parametrize("rows, cols", [(8, 8), (16, 4), (4, 16)])
@pytest.mark.parametrize("lead", [0, 1, 3])
@pytest.mark.parametrize("y_count, x_count", [(1, 1), (1, 7), (3, 4), (4, 5)])
def test_a_depthwise_pass_takes_lead_more_cycles_for_each_row_of_positions(
        rows, cols, lead, y_count, x_count):
    pitch = min(rows, cols)
    fields = {"depthwise": 1, "lead": lead, "act_addr": 1, "row_count": 3, "x_pitch": pitch,
              "y_count": y_count, "y_pitch": pitch * (x_count + lead), "x_count": x_count,
              "row_pitch": pitch * (x_count + lead)}
    words = [fields | {"acc_addr": index % 2 * 32} for index in range(3)]
    vectors = y_count * (x_count + lead)
    passes = 3 * len(words)
    assert cycles_of(rows, cols, *words) == (passes - 1) * max(rows, vectors) + vectors


@pytest.mark.parametrize("rows, cols", [(8, 8), (4, 16)])
def test_dense_and_depthwise_passes_follow_each_other_without_a_bubble(rows, cols):
    dense = {"row_count": 2, "row_pitch": 9, "x_count": rows, "x_pitch": 3}
    depthwise = dense | {"depthwise": 1, "lead": 2, "x_count": rows - 2}
    words = [(dense, depthwise)[index % 2] | {"acc_addr": 16 * index, "wgt_addr": index % 3}
             for index in range(4)]
    assert cycles_of(rows, cols, *words) == 8 * rows


@pytest.mark.parametrize("rows, cols", [(4, 4), (16, 16)])
@pytest.mark.parametrize("positions", [1, 2, 4, 5])
@pytest.mark.parametrize("depthwise", [0, 1])
def test_a_pass_with_a_held_tile_takes_only_its_positions(rows, cols, positions, depthwise):
    fields = {"hold": 1, "row_count": 5, "row_pitch": 20, "chunk_count": 25, "chunk_pitch": 3,
              "x_count": positions, "x_pitch": rows, "depthwise": depthwise}
    ideal = 125 * max(positions, UPDATE_DISTANCE) - max(0, UPDATE_DISTANCE - positions)
    assert cycles_of(rows, cols, fields) == ideal


@pytest.mark.parametrize("width, height, y_per_instruction", [(25, 5, 5), (48, 4, 3)])
def test_a_depthwise_layer_is_faster_than_diagonal_tiles(width, height, y_per_instruction):
    """A 3 x 3 layer of 16 channels on an array of 16 x 16."""
    size, cells = 16, dict(spad_bytes=65536, acc_rows=256)
    halo = (width + 2) * size
    shapes = [(y, min(y_per_instruction, height - y))
              for y in range(0, height, y_per_instruction)]

    def layer(**fields):
        return cycles_of(size, size, *(
            {"act_addr": y * halo, "row_count": 3, "row_pitch": halo, "y_count": count,
             "y_pitch": halo, "x_count": width, "x_pitch": size} | fields
            for y, count in shapes), **cells)

    diagonal = layer(chunk_count=3, chunk_pitch=size)
    depthwise = layer(depthwise=1, lead=2)
    print("diagonal", diagonal, "depthwise", depthwise)
    assert diagonal == 9 * width * height
    assert depthwise == 3 * (width + 2) * height
    assert diagonal >= 2.5 * depthwise


@pytest.mark.parametrize("chunks, positions", [(1, 1), (2, 1), (3, 5), (1, 16), (2, 9)])
def test_kernel_rows_with_separate_accumulators_cost_no_cycles(chunks, positions):
    """A fully connected layer: each kernel row computes its own group of columns."""
    rows = 8
    fields = {"apart": 1, "row_count": 4, "chunk_count": chunks, "chunk_pitch": rows,
              "x_count": positions, "x_pitch": 2}
    passes = 4 * chunks
    assert cycles_of(rows, 8, fields, acc_rows=64) == \
        (passes - 1) * max(rows, positions) + positions


def test_rejects_a_grant_delay_below_two_cycles():
    with pytest.raises(ValueError, match="^spad_latency must be at least 2 cycles more than "
                                         "data_latency, not 1$"):
        MatmulUnit(make_config(4, 4), spad_latency=3, data_latency=2, wgt_latency=2,
                   acc_latency=ACC_LATENCY)


def test_accepts_no_instruction_while_halted():
    config = make_config(4, 4)
    dut = MatmulUnit(config, spad_latency=4, data_latency=2, wgt_latency=2,
                     acc_latency=ACC_LATENCY)
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)

    async def bench(ctx):
        ctx.set(dut.unit.cmd.payload, int.from_bytes(isa.encode("SYNC_MATMUL"), "little"))
        ctx.set(dut.unit.cmd.valid, 1)
        ctx.set(dut.unit.halt, 1)
        for _ in range(10):
            assert not ctx.get(dut.unit.cmd.ready)
            await ctx.tick()
        ctx.set(dut.unit.halt, 0)
        assert ctx.get(dut.unit.cmd.ready)

    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("pattern", STALL_PATTERNS)
@pytest.mark.parametrize("positions", [1, 2, 3, 4])
def test_updates_of_a_row_keep_their_distance_while_reads_are_stalled(pattern, positions):
    """Short passes with a held tile return to a row after the minimum distance."""
    config = make_config(4, 4)
    model = Model(config, seed(1))
    bench = Bench(config, model, 4, 5, Stalls(pattern, seed(positions)))
    fields = {"hold": 1, "row_count": 6, "row_pitch": 20, "chunk_count": 10, "chunk_pitch": 3,
              "x_count": positions, "x_pitch": 4, "y_count": 1}
    zeros = {field.name: 0 for field in isa.BY_NAME["MATMUL"].fields}
    words = [fields | {"acc_addr": acc} for acc in (0, 0, 1, 2, 0)]
    for word in words:
        model.execute(zeros | word)
    bench.run([isa.encode("MATMUL", **word) for word in words], timeout=20000)
    assert (bench.acc == model.acc).all()
