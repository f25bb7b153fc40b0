"""Registers that move into ECP5 multipliers."""

import copy
import json

import pytest

from multiplier_registers import move_registers

CLOCK, OTHER_CLOCK = [2], [3]
RESULT = 900
PLAIN = {"GSR": "DISABLED", "CEMUX": "1 ", "CLKMUX": "CLK", "LSRMUX": "LSR", "REGSET": "RESET"}


def register(d, q, **changes):
    """Return a register without enable and reset, as Yosys writes it."""
    return {"type": "TRELLIS_FF", "parameters": PLAIN | changes.get("parameters", {}),
            "port_directions": {"CLK": "input", "DI": "input", "LSR": "input", "CE": "input",
                                "Q": "output"},
            "connections": {"CLK": CLOCK, "LSR": ["0"], "DI": [d], "Q": [q]}
            | changes.get("connections", {})}


def netlist(bits=3):
    """Return a product of two operands of ``bits`` bits.

    The inputs of their registers are bits from 100 and 200 on, the outputs from 300 and 400 on.
    """
    operands = {"A": 300, "B": 400}
    connections = {f"{name}{bit}": [first + bit if bit < bits else "0"]
                   for name, first in operands.items() for bit in range(18)}
    connections |= {"SIGNEDA": ["0"], "P0": [RESULT]}
    cells = {"mult": {"type": "MULT18X18D", "parameters": {}, "connections": connections,
                      "port_directions": {port: "output" if port[0] == "P" else "input"
                                          for port in connections}}}
    for bit in range(bits):
        cells[f"a{bit}"] = register(100 + bit, 300 + bit)
        cells[f"b{bit}"] = register(200 + bit, 400 + bit)
    cells["result"] = register(RESULT, 901)
    return {"modules": {"top": {"cells": cells, "ports": {
        "out": {"direction": "output", "bits": [901]}}}}}


def moved(tmp_path, design):
    path = tmp_path / "top.json"
    path.write_text(json.dumps(design))
    count = move_registers(path)
    return count, json.loads(path.read_text())["modules"]["top"]["cells"]


def test_a_multiplier_absorbs_the_registers_of_both_operands(tmp_path):
    count, cells = moved(tmp_path, netlist())
    assert count == 1 and list(cells) == ["mult", "result"]
    mult = cells["mult"]
    assert [mult["connections"][f"A{bit}"] for bit in range(4)] == [[100], [101], [102], ["0"]]
    assert [mult["connections"][f"B{bit}"] for bit in range(4)] == [[200], [201], [202], ["0"]]
    assert (mult["connections"]["CLK0"], mult["connections"]["CE0"],
            mult["connections"]["RST0"]) == (CLOCK, ["1"], ["0"])
    assert mult["parameters"]["REG_INPUTA_CLK"] == mult["parameters"]["REG_INPUTB_CLK"] == "CLK0"
    assert mult["port_directions"]["CLK0"] == "input"
    # the register behind the product does not move
    assert cells["result"] == netlist()["modules"]["top"]["cells"]["result"]


def test_a_register_with_other_loads_stays_as_well(tmp_path):
    design = netlist()
    design["modules"]["top"]["cells"]["else"] = register(301, 902)
    design["modules"]["top"]["ports"]["out"]["bits"] += [902, 402]
    count, cells = moved(tmp_path, design)
    assert count == 1 and set(cells) == {"mult", "result", "else", "a1", "b2"}
    assert cells["mult"]["connections"]["A1"] == [101]


def _enabled(cells):
    cells["a1"]["connections"]["CE"] = [50]
    cells["a1"]["parameters"]["CEMUX"] = "CE"


def _reset(cells):
    cells["b0"]["connections"]["LSR"] = [51]


def _set_initially(cells):
    cells["b0"]["parameters"]["REGSET"] = "SET"


def _other_clock(cells):
    cells["a2"]["connections"]["CLK"] = OTHER_CLOCK


def _falling_edge(cells):
    cells["a2"]["parameters"]["CLKMUX"] = "INV"


def _from_logic(cells):
    del cells["a0"]


def _registered(cells):
    cells["mult"]["parameters"]["REG_OUTPUT_CLK"] = "CLK0"


@pytest.mark.parametrize("change", [_enabled, _reset, _set_initially, _other_clock, _falling_edge,
                                    _from_logic, _registered])
def test_other_registers_do_not_move(tmp_path, change):
    design = netlist()
    change(design["modules"]["top"]["cells"])
    before = copy.deepcopy(design)
    count, cells = moved(tmp_path, design)
    assert count == 0 and cells == before["modules"]["top"]["cells"]
