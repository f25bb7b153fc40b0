"""Run of the accelerator's cocotb tests on both simulators; ``make soak`` runs many programs."""

import json
import os

import pytest

from support.seeds import seed
from support.simulate import SIMULATORS, simulate
from weft.accelerator import Accelerator
from weft.spec.presets import preset

# a short run; `make soak` sets 1,000. Icarus, which simulates X, is slow
COUNTS = {"icarus": int(os.environ.get("WEFT_PROGRAMS", "9")),
          "verilator": int(os.environ.get("WEFT_PROGRAMS", "50"))}
SEED = seed(1)


@pytest.mark.parametrize("sim", SIMULATORS)
def test_weft(sim):
    config = preset("tiny")
    print("seed", SEED)
    simulate(Accelerator(config), name="weft", test_module="weft_tests", sim=sim, config=config,
             env={"WEFT_CONFIG": json.dumps(config.as_dict()), "WEFT_SEED": str(SEED),
                  "WEFT_COUNT": str(COUNTS[sim])})
