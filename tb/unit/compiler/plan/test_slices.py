"""Layers with fewer positions than the array has rows: channel slices, tiles with few lines."""

import numpy as np
import pytest

from support.litert import reference
from support.models import Chain, random_input
from support.seeds import seed
from weft.spec.presets import preset
from weft_host.compiler import compile
from weft_host.device import EmulatorDevice
from weft_host.program.expand import unroll

NETWORKS = 6


def network(number, rng, config):
    """Return fully connected layers: one that is sliced, one with few lines, and random ones."""
    channels = config.rows * max(1, min(64 * config.bus_bytes // config.tile_bytes,
                                        config.wgt_tiles // 4))
    sizes = [int(rng.choice([1, 3, config.rows // 2, config.rows + 1, channels, channels + 1,
                             3 * channels - 2])) for _ in range(4)]
    sizes[number % 2:number % 2 + 2] = [3 * channels - 2, 1]
    sizes = [min(size, config.spad_bytes // 16) for size in sizes]
    chain = Chain(rng, (1, sizes[0]), scale=0.05, zero_point=int(rng.integers(-9, 9)))
    for size in sizes[1:]:
        chain.fully_connected(size, activation="RELU", scale=0.06, zero_point=-128,
                              per_channel=bool(rng.integers(2)))
    return chain.finish()


def assert_exact(config, model, number):
    """Run a model, compare its outputs with the reference, and return the program."""
    inputs = random_input(model, number)
    program = compile(model, config)
    result = EmulatorDevice(config, memory_bytes=1 << 22).run(program, inputs)
    expected = reference(model, inputs)
    for output in program.outputs:
        assert np.array_equal(result.outputs[output.name], expected[output.tensor_id]), \
            (config.name, seed(number))
    return program


@pytest.mark.parametrize("name", ["tiny", "small", "wide", "tall", "ulx3s"])
def test_fully_connected_layers_on_vectors_are_exact(name):
    config = preset(name)
    sliced = thin = merged = 0
    for number in range(NETWORKS):
        rng = np.random.default_rng([seed(number), 5])
        program = assert_exact(config, network(number, rng, config), number)
        plans = [layer["plan"] for layer in program.meta["layers"]]
        sliced += sum(plan["sliced"] for plan in plans)
        thin += sum(plan["lines"] < config.rows for plan in plans)
        merged += len(unroll(program)) - program.instruction_count
    # on tiny, a tile takes so few beats that loading fewer lines saves nothing
    assert sliced and merged > 0 and (thin or name == "tiny")


def test_a_pointwise_layer_over_few_pixels_is_sliced():
    config = preset("ulx3s")
    for number in range(NETWORKS):
        rng = np.random.default_rng([seed(number), 6])
        chain = Chain(rng, (1, 3, 3, 130), scale=0.05, zero_point=3)
        chain.conv(int(rng.integers(20, 90)), (1, 1), padding="VALID", activation="RELU",
                   scale=0.06, zero_point=-128)
        chain.conv(20, (1, 1), padding="VALID", activation="NONE", scale=0.07, zero_point=0)
        program = assert_exact(config, chain.finish(), number)
        assert program.meta["layers"][0]["plan"]["sliced"]


def test_a_matrix_of_weights_needs_few_instructions():
    """1 x 512 x 512 on a 16 x 16 array: 1,024 tiles of weights."""
    chain = Chain(np.random.default_rng(seed(0)), (1, 512), scale=0.05, zero_point=0)
    chain.fully_connected(512, activation="NONE", scale=0.1, zero_point=0, per_channel=False)
    program = compile(chain.finish(), preset("ulx3s"))
    assert program.instruction_count < 110
    assert len(unroll(program)) > 512
