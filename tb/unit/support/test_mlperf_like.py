"""Networks with MLPerf Tiny's layer shapes, on the emulator against the reference kernels."""

import numpy as np
import pytest

from support.litert import reference
from support.mlperf_like import anomaly_detection, mobilenet_v2, visual_wake_words
from support.models import random_input
from weft.spec.presets import preset
from weft_host import compile
from weft_host.compiler.frontend.tflite import read_model
from weft_host.device import EmulatorDevice
from weft_host.perf.scale_sim import products

MACS = {visual_wake_words: 7_489_664, anomaly_detection: 264_192}


@pytest.mark.parametrize("name", ["small", "ulx3s"])
@pytest.mark.parametrize("network", MACS)
def test_every_tensor_equals_the_reference(network, name):
    model = network(seed=1)
    config = preset(name)
    program = compile(model, config, keep_tensors=True)
    assert sum(layer.macs for layer in products(read_model(model))) == MACS[network]
    device = EmulatorDevice(config, memory_bytes=program.memory_bytes)
    inputs = random_input(model, 1)
    expected = reference(model, inputs)
    result = device.run(program, inputs, all_tensors=True)
    compared = 0
    for tensor in (*program.tensors, *program.outputs):
        wanted = expected[tensor.tensor_id]
        np.testing.assert_array_equal(result.tensors[tensor.name], wanted, tensor.name)
        assert wanted.size < 10 or len(np.unique(wanted)) > 2, f"{tensor.name} is nearly constant"
        compared += 1
    assert compared == {visual_wake_words: 31, anomaly_detection: 10}[network]


@pytest.mark.parametrize("size, macs", [(160, 154_083_200), (224, 300_774_272)])
def test_mobilenet_v2_has_the_published_size(size, macs):
    layers = products(read_model(mobilenet_v2(size)))
    assert len(layers) == 53 and sum(layer.macs for layer in layers) == macs


def test_a_narrow_mobilenet_v2_equals_the_reference():
    model = mobilenet_v2(32, width=0.1, classes=10, seed=2)
    assert model == mobilenet_v2(32, width=0.1, classes=10, seed=2)
    program = compile(model, preset("ulx3s"), keep_tensors=True)
    device = EmulatorDevice("ulx3s", memory_bytes=program.memory_bytes)
    inputs = random_input(model, 1)
    expected = reference(model, inputs)
    result = device.run(program, inputs, all_tensors=True)
    compared = [np.testing.assert_array_equal(
        result.tensors[tensor.name], expected[tensor.tensor_id], tensor.name)
        for tensor in (*program.tensors, *program.outputs)]
    assert len(compared) > 60


@pytest.mark.parametrize("network", MACS)
def test_equal_seeds_give_equal_models(network):
    assert network(seed=3) == network(seed=3) != network(seed=4)
