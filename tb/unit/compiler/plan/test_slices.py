"""Layers with fewer positions than the array has rows: slices of channels, thin tiles, one run."""

import numpy as np
import pytest

from support.litert import reference
from support.models import Chain, random_input
from weft.spec.presets import preset
from weft_host.compiler import compile
from weft_host.device import EmulatorDevice
from weft_host.program.expand import unroll

SEEDS = range(6)


def network(rng, config):
    """Fully connected layers, some of them wide, some thin."""
    slice_ = config.rows * max(1, min(64 * config.bus_bytes // config.tile_bytes,
                                      config.wgt_tiles // 4))
    sizes = [int(rng.choice([1, 3, config.rows // 2, config.rows + 1, slice_, slice_ + 1,
                             3 * slice_ - 2])) for _ in range(4)]
    sizes = [min(size, config.spad_bytes // 16) for size in sizes]
    chain = Chain(rng, (1, sizes[0]), scale=0.05, zero_point=int(rng.integers(-9, 9)))
    for size in sizes[1:]:
        chain.fully_connected(size, activation="RELU", scale=0.06, zero_point=-128,
                              per_channel=bool(rng.integers(2)))
    return chain.finish()


@pytest.mark.parametrize("name", ["tiny", "small", "wide", "tall", "ulx3s"])
def test_vectors_through_layers(name):
    config = preset(name)
    device = EmulatorDevice(config, memory_bytes=1 << 22)
    sliced = thin = rows = 0
    for seed in SEEDS:
        model = network(np.random.default_rng([seed, 5]), config)
        inputs = random_input(model, seed)
        program = compile(model, config)
        result, expected = device.run(program, inputs), reference(model, inputs)
        for output in program.outputs:
            assert np.array_equal(result.outputs[output.name], expected[output.tensor_id]), \
                (name, seed)
        plans = [layer["plan"] for layer in program.meta["layers"]]
        sliced += sum(plan["sliced"] for plan in plans)
        thin += sum(plan["lines"] < config.rows for plan in plans)
        rows += len(unroll(program)) - program.instruction_count
    assert sliced and rows > 0 and (thin or name == "tiny")


def test_few_positions_share_their_channels():
    """A pointwise layer over a few pixels is cut along its channels, too."""
    config = preset("ulx3s")
    for seed in SEEDS:
        rng = np.random.default_rng([seed, 6])
        chain = Chain(rng, (1, 3, 3, 130), scale=0.05, zero_point=3)
        chain.conv(int(rng.integers(20, 90)), (1, 1), padding="VALID", activation="RELU",
                   scale=0.06, zero_point=-128)
        chain.conv(20, (1, 1), padding="VALID", activation="NONE", scale=0.07, zero_point=0)
        model = chain.finish()
        inputs = random_input(model, seed)
        program = compile(model, config)
        assert program.meta["layers"][0]["plan"]["sliced"]
        result = EmulatorDevice(config, memory_bytes=1 << 22).run(program, inputs)
        output, = program.outputs
        assert np.array_equal(result.outputs[output.name],
                              reference(model, inputs)[output.tensor_id]), seed


def test_a_matrix_of_weights_is_few_instructions():
    """1 x 512 x 512 on 16 x 16: 1,024 tiles of weights."""
    chain = Chain(np.random.default_rng(0), (1, 512), scale=0.05, zero_point=0)
    chain.fully_connected(512, activation="NONE", scale=0.1, zero_point=0, per_channel=False)
    program = compile(chain.finish(), preset("ulx3s"))
    assert program.instruction_count < 110
    assert len(unroll(program)) > 512
