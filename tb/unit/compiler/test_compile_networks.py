"""The layers of real networks, one program each, fed and compared with the stored tensors."""

import os
import pathlib

import numpy as np
import pytest

from support.exact import first_mismatch
from weft.spec.presets import preset
from weft_host import Tensor
from weft_host.compiler.frontend.tflite import read_model
from weft_host.compiler.lower.layer import Layer
from weft_host.compiler.lower.lowering import lower
from weft_host.compiler.pipeline import assemble
from weft_host.compiler.plan.allocators import HostMemory
from weft_host.compiler.steps.array_step import ArrayStep
from weft_host.compiler.steps.residency import arrange
from weft_host.device import EmulatorDevice

MODELS = pathlib.Path(os.environ.get(
    "WEFT_MODELS", pathlib.Path(__file__).resolve().parents[4] / "shared" / "models"))
NETWORKS = {"mlperf_resnet8_ic_int8": 11, "mlperf_dscnn_kws_int8": 11, "cfu_micro_speech": 2}
"""Networks, and how many of their operators are layers of the device."""


def single(layer, graph, config):
    """A program of one layer, with its input and output."""
    memory = HostMemory()
    source, target = graph.tensor(layer.source), graph.tensor(layer.target)
    offsets = {entry.index: memory.take(entry.size) for entry in (source, target)}

    def tensors(base):
        return [[Tensor(name=name, shape=entry.shape, offset=base + offsets[entry.index])]
                for name, entry in (("in", source), ("out", target))] + [[]]

    steps = [ArrayStep(layer, config)]
    return assemble(steps, arrange(steps, config), config, offsets, memory.size, tensors)


@pytest.mark.parametrize("name", ("tiny", "small", "tall", "ulx3s"))
@pytest.mark.parametrize("network", NETWORKS)
def test_layers_make_the_stored_tensors(network, name):
    folder = MODELS / network
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there; set WEFT_MODELS")
    graph = read_model(folder / "model.tflite")
    case = np.load(folder / "rand_seed0.npz")
    config = preset(name)
    device = EmulatorDevice(config)
    lowered = lower(graph)
    layers = [work for work in lowered.works if isinstance(work, Layer)]
    assert len(layers) == NETWORKS[network]
    values = {graph.inputs[0]: case["in0"]}
    values.update({int(key[1:]): case[key] for key in case.files if key[0] == "t"})
    for layer in layers:
        source = values[layer.source].reshape(graph.tensor(layer.source).shape)
        result = device.run(single(layer, graph, config), [source]).outputs["out"]
        mismatch = first_mismatch(values[layer.target], result)
        assert mismatch is None, f"{network} {layer.name} on {name}: {mismatch}"
