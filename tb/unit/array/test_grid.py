"""Multiplier forms of the grid's cells, and the grid with inputs that the test skews itself."""

import numpy as np
import pytest
from amaranth.sim import Simulator

from support.seeds import seed
from weft.array.cell import COLUMNS
from weft.array.grid import Grid, cell_forms, multiplier_latency, row_sum_width
from weft.spec.config import Config


def config_of(rows, cols, **overrides):
    return Config(rows=rows, cols=cols, wgt_bytes=max(16, 2 * rows * cols), vector_lanes=1,
                  **overrides)


@pytest.mark.parametrize("rows, cols", [(4, 2), (4, 8), (8, 4)])
@pytest.mark.parametrize("multiplier", ["ecp5", "ice40"])
def test_uses_the_vendor_form_for_exactly_dsp_cells_cells(rows, cols, multiplier):
    for dsp_cells in range(rows * cols + 1):
        forms = cell_forms(config_of(rows, cols, multiplier=multiplier, dsp_cells=dsp_cells))
        assert [len(row) for row in forms] == [cols] * rows
        flat = sum(forms, [])
        assert flat.count(multiplier) == dsp_cells
        other = {"ecp5": "ecp5_lut", "ice40": "lut"}[multiplier]
        assert flat.count(other) == rows * cols - dsp_cells
        # two products share one primitive: one pair is split, and only if the number is odd
        mixed = sum(flat[i] != flat[i + 1] for i in range(0, len(flat), COLUMNS))
        assert mixed == dsp_cells % COLUMNS


def test_spreads_vendor_cells_over_the_rows():
    forms = cell_forms(config_of(16, 16, multiplier="ecp5", dsp_cells=128))
    assert [row.count("ecp5") for row in forms] == [8] * 16
    forms = cell_forms(config_of(8, 8, multiplier="ecp5", dsp_cells=30))
    counts = [row.count("ecp5") for row in forms]
    assert max(counts) - min(counts) <= COLUMNS


def test_pads_faster_forms_to_the_slowest_in_use():
    latencies = [multiplier_latency(config_of(4, 4, multiplier="ice40", dsp_cells=count))
                 for count in (None, 16, 8, 0)]
    assert latencies == [2, 2, 3, 3]


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 8, 64])
def test_sum_width_fits_the_largest_sum(rows):
    largest = rows * 128 * 128
    width = row_sum_width(rows - 1)
    assert largest < 1 << width - 1
    assert width == 16 + (rows - 1).bit_length()


def test_activations_and_sums_move_one_row_and_one_group_a_cycle():
    rows, cols = 4, 8
    dut = Grid(config_of(rows, cols))
    rng = np.random.default_rng(seed(7))
    weights = rng.integers(-128, 128, (rows, cols)).tolist()
    vector = rng.integers(-128, 128, rows).tolist()
    groups = cols // COLUMNS
    start = rows                # the cycle in which the vector enters row 0
    seen = {}

    async def testbench(ctx):
        for index in range(start + dut.latency + groups + 1):
            for row in range(rows):
                # row r skips the first lines, which are for the rows below it
                ctx.set(dut.i_shift[row], row <= index < rows)
                ctx.set(dut.i_swap[row], index == start + row)
                ctx.set(dut.i_valid[row], index == start + row)
                ctx.set(dut.i_act[row], vector[row] if index == start + row else 99)
            for column in range(cols):
                line = index - column // COLUMNS
                ctx.set(dut.i_wgt[column],
                        weights[rows - 1 - line][column] if 0 <= line < rows else -77)
                if index == start + dut.latency + column // COLUMNS:
                    seen[column] = ctx.get(dut.o_sum[column])
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    expected = np.array(vector) @ np.array(weights)
    assert [seen[column] for column in range(cols)] == expected.tolist()


@pytest.mark.parametrize("rows, cols", [(4, 8), (8, 4), (4, 4)])
def test_a_column_filters_the_vectors_from_the_top(rows, cols):
    dut = Grid(config_of(rows, cols))
    rng = np.random.default_rng([seed(), rows, cols])
    weights = rng.integers(-128, 128, (rows, cols))
    lanes = min(rows, cols)
    vectors = np.zeros((3 * rows, cols), int)
    vectors[:, :lanes] = rng.integers(-128, 128, (len(vectors), lanes))
    # cycles without a vector between some of them do not count
    starts = (rows + np.cumsum(rng.integers(1, 3, len(vectors)))).tolist()
    index_at = {start: index for index, start in enumerate(starts)}
    seen = np.zeros((len(vectors), cols), int)

    async def testbench(ctx):
        for cycle in range(starts[-1] + dut.latency + cols // COLUMNS + 1):
            for row in range(rows):
                ctx.set(dut.i_shift[row], row <= cycle < rows)
                ctx.set(dut.i_swap[row], cycle == starts[0] + row)
                ctx.set(dut.i_valid[row], cycle - row in index_at)
                ctx.set(dut.i_depthwise[row], cycle - row in index_at)
                ctx.set(dut.i_act[row], 55)
            for column in range(cols):
                group = column // COLUMNS
                line = cycle - group
                ctx.set(dut.i_wgt[column],
                        weights[rows - 1 - line][column].item() if 0 <= line < rows else -77)
                if column < lanes:
                    index = index_at.get(cycle - group)
                    ctx.set(dut.i_top[column],
                            -99 if index is None else vectors[index][column].item())
                index = index_at.get(cycle - dut.latency - group)
                if index is not None:
                    seen[index][column] = ctx.get(dut.o_sum[column])
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
    for index in range(rows - 1, len(vectors)):
        expected = (vectors[index - np.arange(rows)] * weights).sum(axis=0)
        assert seen[index].tolist() == expected.tolist(), f"vector {index}"
