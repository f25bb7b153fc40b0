"""The systolic array compared with numpy, in Amaranth's simulator."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from amaranth.hdl import Fragment, ResetInserter, Signal
from amaranth.sim import Simulator

from support.array_schedule import (
    corner_tiles,
    filter_pass,
    mixed_tiles,
    random_tiles,
    schedule,
)
from support.seeds import seed
from weft.array.systolic import SystolicArray
from weft.spec.config import Config

SIZES = [(4, 2), (4, 4), (4, 16), (16, 4), (8, 8)]


def config_of(rows, cols, **overrides):
    return Config(rows=rows, cols=cols, wgt_bytes=max(16, 2 * rows * cols),
                  vector_lanes=min(cols, 2), **overrides)


def run(config, cycles, reset_at=None):
    """Drive ``cycles`` and return the array and ``{cycle of an output: sums}``."""
    dut = SystolicArray(config)
    outputs = {}

    async def testbench(ctx):
        announced = 0
        ctx.set(dut.i_load_next, cycles[0].load)
        await ctx.tick()
        for index in range(len(cycles) + dut.latency + 1):
            cycle = cycles[index] if index < len(cycles) else None
            ctx.set(dut.i_valid, cycle.valid if cycle else 0)
            ctx.set(dut.i_load_next, cycles[index + 1].load if index + 1 < len(cycles) else 0)
            if cycle:
                ctx.set(dut.i_act, cycle.act)
                ctx.set(dut.i_swap, cycle.swap)
                ctx.set(dut.i_depthwise, cycle.depthwise)
                ctx.set(dut.i_wgt, cycle.wgt)
                if config.tile_lines > 1:
                    ctx.set(dut.i_wgt_lower, cycle.lower)
            if ctx.get(dut.o_valid):
                outputs[index] = [ctx.get(dut.o_sum[column]) for column in range(config.cols)]
            assert ctx.get(dut.o_valid) == announced, f"cycle {index}"
            announced = ctx.get(dut.o_next)
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    return dut, outputs


def check(config, cycles):
    dut, outputs = run(config, cycles)
    expected = {index + dut.latency: cycle.expected
                for index, cycle in enumerate(cycles) if cycle.valid}
    assert sorted(outputs) == sorted(expected)
    for index, sums in expected.items():
        for column, (wanted, actual) in enumerate(zip(sums or (), outputs[index])):
            assert wanted == actual, \
                f"cycle {index}, column {column}: expected {wanted}, got {actual}"


@pytest.mark.parametrize("rows, cols", SIZES)
@pytest.mark.parametrize("bubbles, gaps", [(0, 0), (0.4, 0), (0, 0.4), (0.3, 0.3)])
def test_equals_numpy(rows, cols, bubbles, gaps):
    rng = np.random.default_rng([seed(), rows, cols, int(10 * bubbles), int(10 * gaps)])
    counts = [1, rows, 1, 1, rows + 3, 2, rows - 1, *rng.integers(1, 2 * rows, 3)]
    for draw in (random_tiles, mixed_tiles):
        tiles = draw(rng, rows=rows, cols=cols, counts=counts)
        check(config_of(rows, cols), schedule(tiles, rng, bubbles=bubbles, gaps=gaps))


@pytest.mark.parametrize("rows, cols", [(8, 2), (8, 8), (16, 4)])
@pytest.mark.parametrize("bubbles, gaps", [(0, 0), (0.4, 0), (0, 0.4), (0.3, 0.3)])
def test_two_lines_per_cycle_equal_numpy(rows, cols, bubbles, gaps):
    rng = np.random.default_rng([seed(), rows, cols, int(10 * bubbles), int(10 * gaps)])
    counts = [1, rows // 2, 1, 2, rows + 3, 1, rows // 2 - 1, *rng.integers(1, rows, 4)]
    for draw in (random_tiles, mixed_tiles):
        tiles = draw(rng, rows=rows, cols=cols, counts=counts)
        cycles = schedule(tiles, rng, bubbles=bubbles, gaps=gaps, tile_lines=2)
        check(config_of(rows, cols, tile_lines=2), cycles)


@pytest.mark.parametrize("rows, cols, count", [(8, 8, 2), (8, 8, 4), (16, 4, 9), (16, 4, 16)])
def test_a_tile_of_two_lines_per_cycle_takes_half_the_rows(rows, cols, count):
    tiles = random_tiles(np.random.default_rng(seed(1)), rows=rows, cols=cols, counts=[count] * 5)
    cycles = schedule(tiles, np.random.default_rng(seed(2)), tile_lines=2)
    _, outputs = run(config_of(rows, cols, tile_lines=2), cycles)
    assert max(outputs) - min(outputs) + 1 == 4 * max(rows // 2, count) + count


@pytest.mark.parametrize("rows, cols", SIZES)
def test_full_scale_sums_do_not_overflow(rows, cols):
    tiles = corner_tiles(rows=rows, cols=cols)
    cycles = schedule(tiles, np.random.default_rng(seed()))
    assert max(max(cycle.expected) for cycle in cycles if cycle.expected) == rows << 14
    check(config_of(rows, cols), cycles)


@pytest.mark.parametrize("rows, cols, count", [
    (8, 8, 8), (8, 8, 13), (4, 16, 4), (16, 4, 16), (8, 8, 1), (16, 4, 5)])
def test_a_tile_takes_the_specified_number_of_cycles(rows, cols, count):
    tiles = random_tiles(np.random.default_rng(seed(1)), rows=rows, cols=cols, counts=[count] * 5)
    cycles = schedule(tiles, np.random.default_rng(seed(2)))
    check(config_of(rows, cols), cycles)
    dut, outputs = run(config_of(rows, cols), cycles)
    # cycles at the output, from the first vector of the first tile to the last of the fifth
    measured = max(outputs) - min(outputs) + 1
    assert measured == 4 * max(rows, count) + count
    if count >= rows:
        assert len(outputs) == measured     # one output per cycle


@pytest.mark.parametrize("rows, cols", SIZES)
@pytest.mark.parametrize("bubbles", [0, 0.4])
def test_dense_and_depthwise_passes_follow_each_other_without_a_gap(rows, cols, bubbles):
    rng = np.random.default_rng([seed(), rows, cols])
    size = {"rows": rows, "cols": cols}
    leads = (None, rows - 1, None, 0, 1, rows - 1, 2, None, None)
    tiles = [random_tiles(rng, counts=[rows], **size)[0] if lead is None
             else filter_pass(rng, lead=lead, count=max(1, rows - lead), **size) for lead in leads]
    cycles = schedule(tiles, rng, bubbles=bubbles)
    assert bubbles or len(cycles) == rows * (1 + len(tiles))
    check(config_of(rows, cols), cycles)


def test_earlier_vectors_do_not_affect_a_filter():
    """The largest values in every register, then a filter of one tap, whose sums must be exact."""
    size = {"rows": 8, "cols": 4}
    rng = np.random.default_rng(seed(9))
    full_scale = corner_tiles(**size)[:2]
    one_tap = filter_pass(rng, lead=0, count=12, **size)
    assert [tile.lead for tile in full_scale] == [None, 7]
    check(config_of(8, 4), schedule([full_scale[0], one_tap, full_scale[1], one_tap], rng))


def test_swaps_and_loads_in_the_same_cycle():
    rows, cols = 8, 4
    tiles = random_tiles(np.random.default_rng(seed(3)), rows=rows, cols=cols, counts=[rows] * 4)
    cycles = schedule(tiles, np.random.default_rng(seed(3)))
    assert sum(cycle.valid and cycle.swap and cycle.load for cycle in cycles) == 3
    check(config_of(rows, cols), cycles)


@pytest.mark.parametrize("cycles_early", [1, 2])
def test_a_line_before_the_swap_corrupts_the_tile(cycles_early):
    """Demonstrates that a tile must not load before the swap to the previous tile."""
    rows, cols = 4, 4
    rng = np.random.default_rng(seed(4))
    tiles = random_tiles(rng, rows=rows, cols=cols, counts=[4, 4])
    idle = dataclasses.replace(schedule(tiles, rng)[0], valid=0, load=0)
    cycles = [dataclasses.replace(idle, load=1, wgt=tile.weights[rows - 1 - line].tolist())
              for tile in tiles for line in range(rows)]
    cycles += [dataclasses.replace(idle) for _ in range(4)]
    swap_at = rows + cycles_early
    for position, vector in enumerate(tiles[0].vectors):
        cycles[swap_at + position] = dataclasses.replace(
            cycles[swap_at + position], act=vector.tolist(), valid=1, swap=int(position == 0),
            depthwise=0, expected=tiles[0].expected(position))
    with pytest.raises(AssertionError, match="expected"):
        check(config_of(rows, cols), cycles)


@pytest.mark.parametrize("multiplier", ["lut", "ice40"])
def test_works_with_lut_multipliers(multiplier):
    rng = np.random.default_rng(seed(5))
    config = config_of(4, 4, multiplier=multiplier, dsp_cells=0)
    check(config, schedule(mixed_tiles(rng, rows=4, cols=4, counts=[1, 4, 6, 1, 3, 2]), rng))
    check(config, schedule(corner_tiles(rows=4, cols=4), rng))


@pytest.mark.parametrize("multiplier, latency", [
    ("portable", 8 + 2 + 1), ("lut", 8 + 2 + 3), ("ecp5", 8 + 2 + 4), ("ecp5_lut", 8 + 2 + 2),
    ("ice40", 8 + 2 + 2)])
def test_latency_is_rows_plus_half_the_columns_plus_the_multiplier(multiplier, latency):
    dut = SystolicArray(config_of(8, 4, multiplier=multiplier))
    assert dut.latency == latency
    Fragment.get(dut, None)     # the array elaborates


def test_reset_discards_an_incomplete_tile_and_vectors_in_flight():
    rows, cols = 4, 4
    config = config_of(rows, cols)
    dut = SystolicArray(config)
    reset = Signal()
    rng = np.random.default_rng(seed(6))
    before = schedule(random_tiles(rng, rows=rows, cols=cols, counts=[9, 9]), rng)
    after = schedule(mixed_tiles(rng, rows=rows, cols=cols, counts=[4, 1, 5, 3, 2]), rng)
    assert any(cycle.valid and cycle.expected is None for cycle in after)

    async def testbench(ctx):
        for stop in range(1, 16):
            for cycle, following in pairwise(before[:stop + 1]):
                drive(ctx, cycle, following)
                await ctx.tick()
            ctx.set(reset, 1)
            await ctx.tick()
            ctx.set(reset, 0)
            ctx.set(dut.i_valid, 0)
            ctx.set(dut.i_load_next, after[0].load)
            await ctx.tick()
            outputs = []
            for cycle, following in pairwise([*after, None]):
                drive(ctx, cycle, following)
                if ctx.get(dut.o_valid):
                    outputs.append([ctx.get(dut.o_sum[column]) for column in range(cols)])
                await ctx.tick()
            ctx.set(dut.i_valid, 0)
            for _ in range(dut.latency):
                if ctx.get(dut.o_valid):
                    outputs.append([ctx.get(dut.o_sum[column]) for column in range(cols)])
                await ctx.tick()
            expected = [cycle.expected for cycle in after if cycle.valid]
            assert len(outputs) == len(expected), f"reset after {stop}"
            assert all(wanted in (None, sums) for wanted, sums in zip(expected, outputs)), \
                f"reset after {stop}: expected {expected}, got {outputs}"

    def drive(ctx, cycle, following):
        ctx.set(dut.i_act, cycle.act)
        ctx.set(dut.i_valid, cycle.valid)
        ctx.set(dut.i_swap, cycle.swap)
        ctx.set(dut.i_depthwise, cycle.depthwise)
        ctx.set(dut.i_wgt, cycle.wgt)
        ctx.set(dut.i_load_next, following.load if following else 0)

    simulator = Simulator(ResetInserter(reset)(dut))
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
