"""The whole accelerator under cocotb, on both simulators; the campaign is ``make soak``."""

import json
import os

import pytest

from support.simulate import SIMULATORS, simulate
from weft.accelerator import Accelerator
from weft.spec.presets import preset

# a smoke run; `make soak` raises it to 1,000. Icarus, which knows what is unknown, is slow
COUNTS = {"icarus": int(os.environ.get("WEFT_PROGRAMS", "9")),
          "verilator": int(os.environ.get("WEFT_PROGRAMS", "50"))}
SEED = int(os.environ.get("WEFT_SEED", "1"))


@pytest.mark.parametrize("sim", SIMULATORS)
def test_weft(sim):
    config = preset("tiny")
    print("seed", SEED)
    simulate(Accelerator(config), name="weft", test_module="weft_tests", sim=sim, env={
        "WEFT_CONFIG": json.dumps(config.as_dict()), "WEFT_SEED": str(SEED),
        "WEFT_COUNT": str(COUNTS[sim])})
