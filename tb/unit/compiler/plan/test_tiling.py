"""Plans of layers: their sizes, their estimates, and the weights and passes that follow."""

import dataclasses

import numpy as np
import pytest

from support.seeds import seed
from weft.spec.integers import ceil_div
from weft.spec.presets import PRESETS, preset
from weft_host.compiler.lower.layer import Layer
from weft_host.compiler.plan.allocators import WeightBufferRing
from weft_host.compiler.plan.kernel_blocks import divide_kernel, pass_grids
from weft_host.compiler.plan.tiling import plan_layer
from weft_host.compiler.plan.weight_packing import pack_convolution
from weft_host.compiler.steps.array_step import ArrayStep
from weft_host.compiler.steps.residency import arrange
from weft_host.compiler.steps.weight_loader import LoadedPasses


def conv(in_h, in_w, in_c, out_c, size=3, stride=1, dilation=1):
    return Layer(
        name="test", index=0, kind="conv", sources=(0,), target=1, in_h=in_h, in_w=in_w, in_c=in_c,
        out_h=ceil_div(in_h, stride), out_w=ceil_div(in_w, stride), out_c=out_c, kernel_h=size,
        kernel_w=size, stride_h=stride, stride_w=stride, dilation_h=dilation, dilation_w=dilation,
        pad_top=size // 2, pad_left=size // 2,
        weights=np.zeros((out_c, size, size, in_c), np.int8), bias=np.zeros(out_c, np.int32),
        multiplier=np.arange(1, out_c + 1), shift=np.full(out_c, 31))


def test_equal_layers_have_one_plan_and_others_their_own():
    config = preset("small")
    layer = conv(16, 16, 32, 64)
    plan = plan_layer(layer, config)
    assert plan_layer(dataclasses.replace(layer, name="other", index=9), config) is plan
    same_scale = dataclasses.replace(layer, multiplier=np.full(64, 1 << 30))
    assert plan_layer(same_scale, config).parameter_bytes < plan.parameter_bytes
    for change in ({"stride_h": 2, "out_h": 8}, {"out_c": 65, "multiplier": np.arange(1, 66),
                                                  "shift": np.full(65, 31)}, {"pad_top": 0}):
        assert plan_layer(dataclasses.replace(layer, **change), config) is not plan
    assert plan_layer(layer, config, output_on_chip=True).output_on_chip
    assert plan_layer(layer, config, budget=9000).buffer_bytes <= 9000 < plan.buffer_bytes


def gemm(m, k, n):
    return dataclasses.replace(conv(1, m, k, n, 1), multiplier=np.full(n, 1 << 30))


@pytest.mark.parametrize("tile_lines, most", [(1, 7), (2, 3)])
def test_slices_only_where_a_pass_leaves_cycles_to_drain_accumulators(tile_lines, most):
    config = preset("small", tile_lines=tile_lines)
    for positions in range(1, 9):
        plan = plan_layer(gemm(positions, 256, 64), config)
        assert plan.sliced == (positions <= most), positions


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("layer", [
    conv(32, 32, 3, 16), conv(32, 32, 16, 16), conv(16, 16, 32, 64, 3, 2), conv(8, 8, 64, 64),
    conv(9, 200, 70, 9, 5), conv(3, 3, 500, 3), gemm(256, 256, 256), gemm(1, 512, 512),
    gemm(1, 4000, 4), gemm(1000, 1, 1),
], ids=lambda layer: layer.describe())
def test_plans_fit_every_preset(name, layer):
    config = preset(name)
    arrangement = arrange([ArrayStep(layer, config)], config)
    plan, = arrangement.plans
    buffers, = arrangement.buffers
    ranges = sorted((address, address + size) for addresses, size in (
        (buffers.inputs, plan.input_bytes), (buffers.outputs, plan.output_bytes),
        (buffers.parameters, plan.parameter_bytes)) for address in addresses)
    assert ranges[-1][1] <= config.spad_bytes
    assert all(end <= start for (_, end), (start, _) in zip(ranges, ranges[1:]))
    positions = plan.y_count * plan.x_count
    blocks = divide_kernel(layer, plan.kernel_y, plan.kernel_x, plan.channels)
    assert positions * (plan.group if len(blocks) > 1 else 1) <= config.acc_rows // 2
    assert plan.tiles_per_load <= config.wgt_tiles
    assert plan.cycles >= layer.macs / (config.rows * config.cols)


@pytest.mark.parametrize("name, layer, bar", [
    ("small", gemm(256, 256, 256), 1.08), ("ulx3s", gemm(256, 256, 256), 1.08),
    ("small", conv(32, 32, 16, 16), 1.15), ("ulx3s", conv(8, 8, 64, 64), 1.3),
])
def test_estimates_stay_near_the_ideal(name, layer, bar):
    config = preset(name)
    assert plan_layer(layer, config).cycles <= bar * layer.macs / (config.rows * config.cols)


def test_input_and_output_buffers_are_in_different_banks():
    config = preset("ulx3s")
    arrangement = arrange([ArrayStep(gemm(256, 256, 256), config)], config)
    plan, = arrangement.plans
    buffers, = arrangement.buffers
    bank = config.spad_bytes // config.spad_banks
    assert plan.input_buffers == plan.output_buffers == 2
    assert {address // bank for address in buffers.inputs} == {0}
    assert {address // bank for address in buffers.outputs} == {1}


@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("channels", [1, 3, 4, 5, 9])
def test_packed_weights_multiply_the_bytes_that_the_passes_read(dilation, channels):
    config = preset("tiny", cols=2, vector_lanes=2)
    rng = np.random.default_rng(seed(channels))
    layer = conv(8, 8, channels, 5, 3, dilation=dilation)
    weights = rng.integers(-128, 128, layer.weights.shape, dtype=np.int8)
    layer = dataclasses.replace(layer, weights=weights)
    block, = divide_kernel(layer, 3, 3, channels)
    pitch = 8 * channels
    image = rng.integers(-128, 128, 8 * pitch + config.rows).astype(np.int64)
    tiles = pack_convolution(layer, block, config)
    acc = np.zeros(6, np.int64)
    number = 0
    for grid in pass_grids(layer, block, pitch, config.rows):
        for row in range(grid.rows):
            for chunk in range(grid.chunks):
                start = grid.offset + row * grid.row_pitch + chunk * grid.chunk_pitch
                vector = image[start:start + config.rows]
                for column in range(3):
                    # the first line that enters the array ends up in the last row
                    acc[2 * column:2 * column + 2] += vector @ tiles[column, number][::-1]
                number += 1
    assert number == tiles.shape[1]
    taps = image[:8 * pitch].reshape(8, 8, channels)[:2 * dilation + 1:dilation,
                                                     :2 * dilation + 1:dilation]
    expected = (weights.astype(np.int64) * taps).sum(axis=(1, 2, 3))
    np.testing.assert_array_equal(acc[:5], expected)
    assert acc[5] == 0


def test_loaded_passes_are_divided_into_rectangles_of_the_grid():
    for rows in range(1, 5):
        for chunks in range(1, 5):
            for start in range(rows * chunks + 3):
                for stop in range(start + 1, rows * chunks + 4):
                    found = [row * chunks + chunk for r0, count, c0, width in
                             LoadedPasses(start, stop, 0).rectangles(2, rows, chunks)
                             for row in range(r0, r0 + count) for chunk in range(c0, c0 + width)]
                    expected = [number for number in range(rows * chunks)
                                if start <= number + 2 < stop]
                    assert found == expected


def test_the_weight_ring_never_wraps_within_an_allocation():
    config = preset("tiny")
    ring = WeightBufferRing(config)
    rng = np.random.default_rng(seed())
    end = 0
    for count in rng.integers(1, config.wgt_tiles + 1, 200):
        first = ring.allocate(int(count))
        assert first + count <= config.wgt_tiles
        assert first in (0, end)
        end = first + int(count)
