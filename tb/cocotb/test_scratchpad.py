"""Scratchpad in cocotb, with both simulators."""

import json
import os

import pytest

from support.seeds import seed
from support.simulate import SIMULATORS, simulate
from weft.spec.presets import preset
from weft.sram.scratchpad import Scratchpad

CYCLES = int(os.environ.get("WEFT_CYCLES", "1500"))
CONFIGS = {
    "icarus": (preset("tiny"), preset("wide")),
    "verilator": (preset("tiny"), preset("small")),
}


@pytest.mark.parametrize("sim,config", [
    pytest.param(sim, config, id=f"{sim}-{config.name}")
    for sim in SIMULATORS for config in CONFIGS[sim]])
def test_scratchpad(sim, config):
    simulate(Scratchpad(config), name="scratchpad", test_module="scratchpad_tests", sim=sim, env={
        "WEFT_CONFIG": json.dumps(config.as_dict()), "WEFT_SEED": str(seed()),
        "WEFT_CYCLES": str(CYCLES)})
