"""Digits on the netlist after synthesis, of the vendor's cells: every tensor is the reference's.

The serial engine's takes a minute and a half with its control, most of it the C++ compiler's;
$WEFT_NETLISTS names others.
"""

import os

import pytest

import netlist
import netlist_sim
from fpga_flow import ROOT
from weft_boards import board_names

NAMES = os.environ.get("WEFT_NETLISTS", "icebreaker").split()


@pytest.mark.parametrize("name", NAMES)
def test_the_first_image_is_right_and_a_wrong_table_is_noticed(name, capsys):
    """`check` ends the process unless both hold."""
    chosen = netlist.choose(name)
    netlist.check(chosen, ROOT / "build" / "netlist" / name)
    assert "is the reference's" in capsys.readouterr().out


def test_a_netlist_that_nothing_is_wrong_with_fails_the_control(monkeypatch, tmp_path):
    answers = iter([(None, 5), (None, 5)])
    monkeypatch.setattr(netlist, "make_netlist", lambda chosen, folder: {"modules": {
        "weft": {"cells": {}}}})
    monkeypatch.setattr(netlist, "table_of", lambda design, family: "t")
    monkeypatch.setattr(netlist, "invert", lambda design, family, name: None)
    monkeypatch.setattr(netlist, "difference", lambda *arguments: next(answers))
    with pytest.raises(SystemExit, match="^icebreaker: the netlist's table t is inverted, and "
                                         "nothing noticed it$"):
        netlist.check(netlist.choose("icebreaker"), tmp_path)


def test_an_answer_that_is_wrong_fails(monkeypatch, tmp_path):
    monkeypatch.setattr(netlist, "make_netlist", lambda chosen, folder: {"modules": {
        "weft": {"cells": {}}}})
    monkeypatch.setattr(netlist, "difference", lambda *arguments: ("tensors [7] differ", 5))
    with pytest.raises(SystemExit, match=r"^small: the netlist is wrong: tensors \[7\] differ$"):
        netlist.check(netlist.choose("small"), tmp_path)


def test_only_what_has_models_is_taken():
    with pytest.raises(ValueError, match="^no board or preset 'big'; there are "
                                         f"{', '.join(board_names())}, "):
        netlist.choose("big")
    with pytest.raises(SystemExit, match="^netlist: there are no models of the cells of GW2A-"
                                         r"LV18PG256C8/I7 here, only of ecp5 and ice40$"):
        netlist_sim.make_netlist(netlist.choose("tang_primer_20k"), ROOT / "build")


def test_a_model_that_is_not_the_known_one_is_not_taken():
    with pytest.raises(SystemExit, match="^netlist: yosys' model of SB_SPRAM256KA is not the known "
                                         "one: it has"):
        netlist_sim.spram_model("module SB_SPRAM256KA(); endmodule")


def test_inverting_is_for_look_up_tables():
    design = {"modules": {"weft": {"cells": {
        "a": {"type": "LUT4", "parameters": {"INIT": "0110"}}, "b": {"type": "TRELLIS_FF"}}}}}
    netlist_sim.invert(design, "ecp5", "a")
    assert design["modules"]["weft"]["cells"]["a"]["parameters"]["INIT"] == "1001"
    with pytest.raises(ValueError, match="^b is a TRELLIS_FF, no LUT4$"):
        netlist_sim.invert(design, "ecp5", "b")


def test_the_table_that_most_read_is_inverted():
    def table(out, *bits):
        return {"type": "LUT4", "port_directions": {"A": "input", "Z": "output"},
                "connections": {"A": list(bits), "Z": [out]}}

    part = netlist_sim.FAMILIES["ecp5"][2]
    design = {"modules": {"weft": {"cells": {
        f"{part}.a": table(2, 9), f"{part}.b": table(3, 2), f"{part}.c": table(4, 3),
        f"{part}.d": table(5, 3, 6, 6, 6), "elsewhere": table(6, 4)}}}}
    assert netlist_sim.table_of(design, "ecp5") == f"{part}.b"
