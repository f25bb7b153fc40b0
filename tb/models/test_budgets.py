"""Cycle budgets of networks, from the table of decision 0011."""

import pathlib
import re

import numpy as np
import pytest

from models.test_cycle_model import model_of
from weft.spec.presets import preset
from weft_host import compile
from weft_host.device import RtlDevice

DECISION = pathlib.Path(__file__).parents[2] / "docs/decisions/0011-cycle-budgets.md"
BUDGETS = [(network, name, int(cycles)) for network, name, cycles in re.findall(
    r"^\| (\w+) \| (\w+) \| (\d+) \|$", DECISION.read_text(), re.MULTILINE)]
TOLERANCE = 0.01
"""A network that needs fewer cycles by more than this share of its budget fails, too."""


def test_table_has_two_budgets_per_network():
    networks = {network for network, *_ in BUDGETS}
    assert len(BUDGETS) == 10 and len(networks) == 5


@pytest.mark.parametrize("network, name, budget", BUDGETS)
def test_network_takes_at_most_its_budget(network, name, budget):
    config = preset(name)
    program = compile(model_of(network), config)
    with RtlDevice(config, memory_bytes=1 << 22, latency=20) as device:
        cycles = device.run(program, [np.zeros(tensor.shape, tensor.dtype)
                                      for tensor in program.inputs]).cycles
    print(f"{network} on {name}: {cycles} of {budget} cycles")
    assert cycles <= budget, f"{network} takes {cycles} cycles on {name}; see {DECISION.name}"
    assert cycles > (1 - TOLERANCE) * budget, f"lower the budget in {DECISION.name} to {cycles}"
