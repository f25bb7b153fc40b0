"""Plans: they fit, and their choices are the ones that keep the array busy."""

import dataclasses

import numpy as np
import pytest

from weft.spec.presets import PRESETS, preset
from weft_host.compiler.lower.layer import Layer
from weft_host.compiler.plan import kernel_blocks
from weft_host.compiler.plan.allocators import WeightRing
from weft_host.compiler.plan.tiling import plan_layer
from weft_host.compiler.steps.array_step import ArrayStep
from weft_host.compiler.steps.residency import arrange
from weft_host.compiler.steps.weight_loader import Passes


def conv(in_h, in_w, in_c, out_c, size=3, stride=1, dilation=1):
    out_h, out_w = -(-in_h // stride), -(-in_w // stride)
    return Layer(
        name="test", index=0, kind="conv", source=0, target=1, in_h=in_h, in_w=in_w, in_c=in_c,
        out_h=out_h, out_w=out_w, out_c=out_c, kernel_h=size, kernel_w=size, stride_h=stride,
        stride_w=stride, dilation_h=dilation, dilation_w=dilation, pad_top=size // 2,
        pad_left=size // 2, weights=np.zeros((out_c, size, size, in_c), np.int8),
        bias=np.zeros(out_c, np.int32), multiplier=np.arange(1, out_c + 1),
        shift=np.full(out_c, 31))


def gemm(m, k, n):
    return dataclasses.replace(conv(1, m, k, n, 1), multiplier=np.full(n, 1 << 30))


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
    spans = sorted((address, address + size) for addresses, size in (
        (buffers["act"], plan.act_bytes), (buffers["out"], plan.out_bytes),
        (buffers["params"], plan.param_bytes)) for address in addresses)
    assert spans[-1][1] <= config.spad_bytes
    assert all(end <= start for (_, end), (start, _) in zip(spans, spans[1:]))
    positions = plan.y_count * plan.x_count
    parts = kernel_blocks.blocks(layer, plan.kernel_y, plan.kernel_x, plan.channels)
    assert positions * (plan.group if len(parts) > 1 else 1) <= config.acc_rows // 2
    assert plan.packet <= config.wgt_tiles
    assert plan.cycles >= layer.macs / (config.rows * config.cols)


@pytest.mark.parametrize("name, layer, bar", [
    ("small", gemm(256, 256, 256), 1.08), ("ulx3s", gemm(256, 256, 256), 1.08),
    ("small", conv(32, 32, 16, 16), 1.15), ("ulx3s", conv(8, 8, 64, 64), 1.3),
])
def test_estimates_stay_near_the_ideal(name, layer, bar):
    config = preset(name)
    assert plan_layer(layer, config).cycles <= bar * layer.macs / (config.rows * config.cols)


def test_input_and_output_lie_in_different_banks():
    config = preset("ulx3s")
    arrangement = arrange([ArrayStep(gemm(256, 256, 256), config)], config)
    plan, = arrangement.plans
    buffers, = arrangement.buffers
    bank = config.spad_bytes // config.spad_banks
    assert plan.act_regions == plan.out_regions == 2
    begins = [{start // bank for start in buffers[use]} for use in ("act", "out")]
    assert begins == [{0}, {1}]


@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("channels", [1, 3, 4, 5, 9])
def test_packed_weights_multiply_what_the_runs_read(dilation, channels):
    config = preset("tiny", cols=2, vector_lanes=2)
    rng = np.random.default_rng(channels)
    layer = conv(8, 8, channels, 5, 3, dilation=dilation)
    weights = rng.integers(-128, 128, layer.weights.shape, dtype=np.int8)
    layer = dataclasses.replace(layer, weights=weights)
    block, = kernel_blocks.blocks(layer, 3, 3, channels)
    pitch = 8 * channels
    image = rng.integers(-128, 128, 8 * pitch + config.rows).astype(np.int64)
    tiles = kernel_blocks.pack(layer, block, config)
    acc = np.zeros(6, np.int64)
    number = 0
    for run in kernel_blocks.runs(layer, block, pitch, config.rows):
        for row in range(run.rows):
            for chunk in range(run.chunks):
                at = run.offset + row * run.row_pitch + chunk * run.chunk_pitch
                vector = image[at:at + config.rows]
                for column in range(3):
                    # shifting in turns the lines around
                    acc[2 * column:2 * column + 2] += vector @ tiles[column, number][::-1]
                number += 1
    assert number == tiles.shape[1]
    taps = image[:8 * pitch].reshape(8, 8, channels)[:2 * dilation + 1:dilation,
                                                     :2 * dilation + 1:dilation]
    expected = (weights.astype(np.int64) * taps).sum(axis=(1, 2, 3))
    np.testing.assert_array_equal(acc[:5], expected)
    assert acc[5] == 0


def test_passes_are_rectangles_of_a_run():
    for rows in range(1, 5):
        for chunks in range(1, 5):
            for start in range(rows * chunks + 3):
                for stop in range(start + 1, rows * chunks + 4):
                    found = [row * chunks + chunk for r0, count, c0, wide in
                             Passes(start, stop, 0).within(2, rows, chunks)
                             for row in range(r0, r0 + count) for chunk in range(c0, c0 + wide)]
                    expected = [at for at in range(rows * chunks) if start <= at + 2 < stop]
                    assert found == expected


def test_the_ring_never_cuts_a_run_of_tiles():
    config = preset("tiny")
    ring = WeightRing(config)
    rng = np.random.default_rng(0)
    last = 0
    for count in rng.integers(1, config.wgt_tiles + 1, 200):
        first = ring.take(int(count))
        assert first + count <= config.wgt_tiles
        assert first in (0, last)
        last = first + int(count)
