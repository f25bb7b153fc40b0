"""Run of the control subsystem's cocotb tests on both simulators."""

import json
import os

import pytest

from support.seeds import seed
from support.simulate import SIMULATORS, simulate
from weft.control.subsystem import ControlSubsystem
from weft.spec.presets import preset

COUNT = int(os.environ.get("WEFT_PROGRAMS", "20"))
SEED = seed(1)
CONFIGS = {
    "icarus": (preset("tiny"),),
    # `make soak` also runs the configuration that Icarus runs otherwise
    "verilator": (*((preset("tiny"),) if os.environ.get("WEFT_SOAK") else ()),
                  preset("tiny", max_burst=4, queue_depth=2),
                  preset("small", queue_depth=2, fixed_point=True),
                  preset("large", queue_depth=4)),
}


@pytest.mark.parametrize("module", ["program", "error", "register"])
@pytest.mark.parametrize("sim,config", [
    pytest.param(sim, config, id=f"{sim}-{config.name}")
    for sim in SIMULATORS for config in CONFIGS[sim]])
def test_sequencer(sim, config, module):
    print("seed", SEED)
    simulate(ControlSubsystem(config), name="control", test_module=f"sequencer_{module}_tests",
             sim=sim, config=config, env={
                 "WEFT_CONFIG": json.dumps(config.as_dict()), "WEFT_SEED": str(SEED),
                 "WEFT_COUNT": str(COUNT)})
