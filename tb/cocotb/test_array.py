"""The systolic array under cocotb, on both simulators."""

import json
import os

import pytest

from support.simulate import SIMULATORS, simulate
from weft.array.systolic import SystolicArray
from weft.config import Config
from weft.presets import preset

SEED = int(os.environ.get("WEFT_SEED", "1"))
CONFIGS = {
    "icarus": (preset("tiny"), preset("tall"), preset("wide"),
               preset("tiny", multiplier="lut")),
    "verilator": (preset("tiny"), preset("tall"), preset("small"),
                  Config(name="narrow", rows=16, cols=2, wgt_bytes=64, vector_lanes=1)),
}


@pytest.mark.parametrize("sim,config", [
    pytest.param(sim, config, id=f"{sim}-{config.name}")
    for sim in SIMULATORS for config in CONFIGS[sim]])
def test_array(sim, config):
    print("seed", SEED)
    dut = SystolicArray(config)
    simulate(dut, name="array", test_module="array_tests", sim=sim, env={
        "WEFT_CONFIG": json.dumps(config.as_dict()), "WEFT_SEED": str(SEED),
        "WEFT_LATENCY": str(dut.latency)})
