"""Cycle model against the RTL: networks and their layers, with fast and slow memory."""

import functools

import numpy as np
import pytest

from support.mlperf_like import NETWORKS
from support.shared_models import NAMES, model_folder
from weft.spec.presets import preset
from weft_host import compile
from weft_host.device import RtlDevice
from weft_host.perf.cycle_model import predict
from weft_host.perf.trace import layer_cycles

TOTAL, LAYER, SMALLEST = 0.03, 0.10, 200
"""Allowed relative errors of a network and of a layer; layers of fewer cycles do not count."""

DRIFT = 0.01
"""Usual maximum of a network's error. A larger one means that hardware and model have diverged."""


def model_of(network):
    if network in NETWORKS:
        return NETWORKS[network]()
    return model_folder(network) / "model.tflite"


@functools.lru_cache(maxsize=2)
def compiled(network, name):
    """Return the program of a network, which runs with both memories."""
    return compile(model_of(network), preset(name))


def compare(network, name, latency, bandwidth):
    """Return the relative error of the run, and the cycles and relative error of each layer."""
    config, program = preset(name), compiled(network, name)
    predicted = predict(program, latency=latency, bandwidth=bandwidth)
    with RtlDevice(config, memory_bytes=1 << 22, latency=latency, bandwidth=bandwidth) as device:
        inputs = [np.zeros(tensor.shape, tensor.dtype) for tensor in program.inputs]
        result, times = device.record(program, inputs)
    layers = {}
    expected = layer_cycles(program, predicted.times)
    for layer, (first, end) in layer_cycles(program, times).items():
        found = expected[layer][1] - expected[layer][0]
        layers[layer] = end - first, found / max(1, end - first) - 1
    return predicted.cycles / result.cycles - 1, layers


@pytest.mark.parametrize("latency, bandwidth", [(20, 1.0), (100, 0.25)])
@pytest.mark.parametrize("name", ["small", "ulx3s"])
@pytest.mark.parametrize("network", [*NAMES, *NETWORKS])
def test_predicts_networks_and_layers(network, name, latency, bandwidth):
    error, layers = compare(network, name, latency, bandwidth)
    print(f"{network} on {name}, latency {latency}, bandwidth {bandwidth}: {100 * error:+.2f} %")
    assert abs(error) <= TOTAL, "above the required accuracy"
    assert abs(error) <= DRIFT, "within the required accuracy, but hardware and model diverge"
    large = {layer: entry for layer, entry in layers.items() if entry[0] > SMALLEST}
    assert large
    wrong = {layer: entry for layer, entry in large.items() if abs(entry[1]) > LAYER}
    assert not wrong, f"layers with (cycles, error): {wrong}"
