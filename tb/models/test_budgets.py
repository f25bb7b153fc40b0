"""The cycles that networks may take, and the decision that says so."""

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
KEPT = 0.01
"""What is won beyond this share of a budget has to be written down."""


def test_the_table_is_read():
    networks = {network for network, *_ in BUDGETS}
    assert len(BUDGETS) == 10 and len(networks) == 5


@pytest.mark.parametrize("network, name, most", BUDGETS)
def test_cycles(network, name, most):
    config = preset(name)
    program = compile(model_of(network), config)
    with RtlDevice(config, memory_bytes=1 << 22, latency=20) as device:
        cycles = device.run(program, [np.zeros(tensor.shape, tensor.dtype)
                                      for tensor in program.inputs]).cycles
    print(f"{network} on {name}: {cycles} of {most} cycles")
    assert cycles <= most, f"{network} takes {cycles} cycles on {name}; see {DECISION.name}"
    assert cycles > (1 - KEPT) * most, f"lower the number in {DECISION.name} to {cycles}"
