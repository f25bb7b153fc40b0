"""Single layers of real networks, run on the emulator and compared with the stored tensors."""

import numpy as np
import pytest

from support.exact import first_mismatch
from support.shared_models import model_folder
from weft.spec.presets import preset
from weft_host import Tensor
from weft_host.compiler.frontend.tflite import read_model
from weft_host.compiler.lower.layer import Layer
from weft_host.compiler.lower.lowering import lower
from weft_host.compiler.pipeline import assemble
from weft_host.compiler.plan.allocators import HostMemoryAllocator
from weft_host.compiler.plan.tensor_layout import TensorLayout
from weft_host.compiler.steps.array_step import ArrayStep
from weft_host.compiler.steps.residency import arrange
from weft_host.device import EmulatorDevice

NETWORKS = {"mlperf_resnet8_ic_int8": 11, "mlperf_dscnn_kws_int8": 11, "cfu_micro_speech": 2}
"""Networks, and the number of their operators that are layers of the device."""


def compile_layer(layer, graph, config):
    """Return a program of one layer, with the input ``in`` and the output ``out``."""
    memory = HostMemoryAllocator()
    source, target = graph.tensor(layer.sources[0]), graph.tensor(layer.target)
    offsets = {tensor.index: memory.allocate(tensor.size) for tensor in (source, target)}
    layout = TensorLayout(
        size=memory.size, offsets=offsets,
        inputs=(Tensor(name="in", shape=source.shape, offset=offsets[source.index]),),
        outputs=(Tensor(name="out", shape=target.shape, offset=offsets[target.index]),))
    steps = [ArrayStep(layer, config)]
    return assemble(steps, arrange(steps, config), config, layout)


@pytest.mark.parametrize("name", ("tiny", "small", "tall", "ulx3s"))
@pytest.mark.parametrize("network", NETWORKS)
def test_layers_compute_the_stored_tensors(network, name):
    folder = model_folder(network)
    graph = read_model(folder / "model.tflite")
    case = np.load(folder / "rand_seed0.npz")
    config = preset(name)
    device = EmulatorDevice(config)
    layers = [operation for operation in lower(graph, config).operations
              if isinstance(operation, Layer)]
    assert len(layers) == NETWORKS[network]
    values = {graph.inputs[0]: case["in0"]}
    values.update({int(key[1:]): case[key] for key in case.files if key[0] == "t"})
    for layer in layers:
        source = graph.tensor(layer.sources[0])
        inputs = [values[source.index].reshape(source.shape)]
        result = device.run(compile_layer(layer, graph, config), inputs).outputs["out"]
        mismatch = first_mismatch(values[layer.target], result)
        assert mismatch is None, f"{network} {layer.name} on {name}: {mismatch}"
