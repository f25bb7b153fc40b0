"""VECTOR unit in cocotb, with both simulators."""

import json
import os

import pytest

from support.seeds import seed
from support.simulate import SIMULATORS, simulate
from weft.spec.presets import preset
from weft.vector.unit import VectorUnit

COUNT = int(os.environ.get("WEFT_PROGRAMS", "24"))
CONFIGS = {
    # one lane, two lanes, as many lanes as columns
    "icarus": tuple(preset("tiny", vector_lanes=lanes) for lanes in (1, 2, 4)),
    "verilator": (preset("small", spad_bytes=2048),),
}


@pytest.mark.parametrize("sim,config", [
    pytest.param(sim, config, id=f"{sim}-{config.name}")
    for sim in SIMULATORS for config in CONFIGS[sim]])
def test_vector(sim, config):
    simulate(VectorUnit(config), name="vector", test_module="vector_tests", sim=sim, env={
        "WEFT_CONFIG": json.dumps(config.as_dict()), "WEFT_SEED": str(seed()),
        "WEFT_COUNT": str(COUNT)})
