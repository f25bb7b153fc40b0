"""Golden model against stored reference results of third-party networks."""

import os
from pathlib import Path

import numpy as np
import pytest

from golden import graph as golden_graph

ROOT = Path(__file__).resolve().parents[3]
MODELS = Path(os.environ.get("WEFT_MODELS", ROOT.parent / "shared" / "models"))
NETWORKS = {
    "mlperf_resnet8_ic_int8": 16,
    "mlperf_dscnn_kws_int8": 13,
    "cfu_micro_speech": 4,
}


@pytest.mark.parametrize("network", NETWORKS)
def test_every_operator_of_a_real_network_is_exact(network):
    folder = MODELS / network
    if not folder.is_dir():
        pytest.skip(f"no third-party networks at {MODELS}; set WEFT_MODELS to their folder")
    graph = golden_graph.read((folder / "model.tflite").read_bytes())
    cases = sorted(folder.glob("*.npz"))
    assert len(graph.operators) == NETWORKS[network]
    assert cases
    for case in cases:
        with np.load(case) as stored:
            values = {int(k[1:]): stored[k] for k in stored.files if k[0] == "t"}
            values[graph.inputs[0]] = stored["in0"]
            expected_output = stored["out0"]
        constants = {i: t.value for i, t in enumerate(graph.tensors) if t.value is not None}
        for op in graph.operators:
            actual = golden_graph.evaluate(graph, op, constants | values)
            np.testing.assert_array_equal(
                actual, values[op.outputs[0]], err_msg=f"{case.name}: {op.name} {op.outputs}"
            )
        # the whole graph, so that an error propagates
        chain = golden_graph.run(graph, [values[graph.inputs[0]]])
        np.testing.assert_array_equal(chain[graph.outputs[0]], expected_output)
