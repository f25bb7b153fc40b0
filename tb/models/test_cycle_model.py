"""The cycle model against the RTL: whole networks, each layer, fast and slow memory."""

import numpy as np
import pytest

from support.mlperf_like import anomaly_detection, visual_wake_words
from support.shared_models import NAMES, model_folder
from weft.spec.presets import preset
from weft_host import compile
from weft_host.device import RtlDevice
from weft_host.perf.cycle_model import predict
from weft_host.perf.trace import layer_cycles

TOTAL, LAYER, SMALLEST = 0.03, 0.10, 200
"""Shares that a network and a layer may be off, and cycles from which on a layer counts."""

DRIFT = 0.01
"""What a network is off is far less than the bar: more means that hardware and model part ways."""

MADE = {"visual_wake_words_like": visual_wake_words, "anomaly_detection_like": anomaly_detection}


def model_of(network):
    if network in MADE:
        return MADE[network]()
    return model_folder(network) / "model.tflite"


def compare(network, name, latency, bandwidth):
    """``(error of the run, {layer: (cycles, error)})``, errors as shares."""
    config = preset(name)
    program = compile(model_of(network), config)
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
@pytest.mark.parametrize("network", [*NAMES, *MADE])
def test_networks_and_layers(network, name, latency, bandwidth):
    error, layers = compare(network, name, latency, bandwidth)
    print(f"{network} on {name}, latency {latency}, bandwidth {bandwidth}: {100 * error:+.2f} %")
    assert abs(error) <= TOTAL, "the bar"
    assert abs(error) <= DRIFT, "not the bar, but off by more than ever before"
    large = {layer: entry for layer, entry in layers.items() if entry[0] > SMALLEST}
    assert large
    wrong = {layer: entry for layer, entry in large.items() if abs(entry[1]) > LAYER}
    assert not wrong, f"layers with (cycles, error): {wrong}"
