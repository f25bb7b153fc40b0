"""Random networks with all operators on the RTL against the reference kernels."""

import os

import pytest

from support.exact import first_mismatch
from support.litert import reference
from support.models import random_input
from support.networks import random_network
from support.seeds import seed
from weft.spec.presets import preset
from weft_host.compiler import compile
from weft_host.device import RtlDevice

# a tenth of the networks of the emulator; `make soak` sets 500
NETWORKS = int(os.environ.get("WEFT_NETWORKS", "40")) // 10
SEED = seed(1)


@pytest.mark.parametrize("name", ["small", "tall"])
def test_random_networks_equal_the_reference(name):
    config = preset(name)
    with RtlDevice(config) as device:
        for number in range(1000 * SEED, 1000 * SEED + NETWORKS):
            model = random_network(number)
            inputs = random_input(model, number)
            program = compile(model, config, keep_tensors=True)
            result = device.run(program, inputs, all_tensors=True, limit=20_000_000)
            expected = reference(model, inputs)
            for tensor in program.outputs + program.tensors:
                mismatch = first_mismatch(expected[tensor.tensor_id], result.tensors[tensor.name])
                assert mismatch is None, (f"network {number} on {name}, tensor {tensor.name!r} "
                                          f"(index, expected, actual): {mismatch}")
