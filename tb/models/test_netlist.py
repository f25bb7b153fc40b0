"""Digits on the netlist after synthesis: every tensor equals the reference.

The serial engine takes a minute and a half with its negative control, most of it for the C++
compiler. $WEFT_NETLISTS selects other designs.
"""

import os

import pytest

import netlist
import netlist_sim
from fpga_flow import ROOT
from weft_boards import board_names
from weft_host.device import EmulatorDevice

NAMES = os.environ.get("WEFT_NETLISTS", "icebreaker").split()


@pytest.mark.parametrize("name", NAMES)
def test_first_image_is_exact_and_an_inverted_lut_is_detected(name, capsys):
    """``check`` exits unless both hold."""
    chosen = netlist.choose(name)
    netlist.check(chosen, ROOT / "build" / "netlist" / name)
    assert "equals the reference" in capsys.readouterr().out


@pytest.mark.parametrize("first", [False, True])
def test_the_emulator_passes_the_comparison_and_another_result_is_detected(first, monkeypatch):
    config = netlist.choose("icebreaker").config
    assert netlist.compare(EmulatorDevice(config, memory_bytes=1 << 16), first=first) == (None, 0)
    device = EmulatorDevice(config, memory_bytes=1 << 16)
    conv = netlist.compile(netlist.DIGITS / "digits.tflite", config, keep_tensors=True).tensors[0]
    assert conv.tensor_id == 3
    read = device.read_memory

    def changed(offset, size):
        """Return memory whose last byte of the first operator's output is wrong."""
        raw = bytearray(read(offset, size))
        if offset <= conv.offset + conv.span - 1 < offset + size:
            raw[conv.offset + conv.span - 1 - offset] ^= 1
        return bytes(raw)

    monkeypatch.setattr(device, "read_memory", changed)
    wrong, _ = netlist.compare(device, first=first)
    assert wrong and wrong.startswith("tensors [3] differ from the reference")


def test_fails_if_an_inverted_lut_is_not_detected(monkeypatch, tmp_path):
    results = iter([(None, 5), (None, 5)])
    monkeypatch.setattr(netlist, "make_netlist", lambda chosen, folder: {"modules": {
        "weft": {"cells": {}}}})
    monkeypatch.setattr(netlist, "lut_to_invert", lambda design, family: "t")
    monkeypatch.setattr(netlist, "invert", lambda design, family, name: None)
    monkeypatch.setattr(netlist, "difference", lambda *arguments, first=False: next(results))
    with pytest.raises(SystemExit, match="^icebreaker: LUT t of the netlist was inverted, but no "
                                         "result changed$"):
        netlist.check(netlist.choose("icebreaker"), tmp_path)


def test_fails_on_a_wrong_result(monkeypatch, tmp_path):
    monkeypatch.setattr(netlist, "make_netlist", lambda chosen, folder: {"modules": {
        "weft": {"cells": {}}}})
    monkeypatch.setattr(netlist, "difference", lambda *arguments: ("tensors [7] differ", 5))
    with pytest.raises(SystemExit, match=r"^small: the netlist is wrong: tensors \[7\] differ$"):
        netlist.check(netlist.choose("small"), tmp_path)


def test_rejects_designs_without_cell_models():
    with pytest.raises(ValueError, match="^no board or preset 'big'; there are "
                                         f"{', '.join(board_names())}, "):
        netlist.choose("big")
    with pytest.raises(SystemExit, match="^netlist: there are no cell models for GW2A-"
                                         r"LV18PG256C8/I7, only for ecp5 and ice40$"):
        netlist_sim.make_netlist(netlist.choose("tang_primer_20k"), ROOT / "build")


def test_rejects_an_unexpected_cell_model():
    with pytest.raises(SystemExit, match="^netlist: yosys' model of SB_SPRAM256KA is not the "
                                         "expected one: it contains"):
        netlist_sim.spram_model("module SB_SPRAM256KA(); endmodule")


def test_only_luts_can_be_inverted():
    design = {"modules": {"weft": {"cells": {
        "a": {"type": "LUT4", "parameters": {"INIT": "0110"}}, "b": {"type": "TRELLIS_FF"}}}}}
    netlist_sim.invert(design, "ecp5", "a")
    assert design["modules"]["weft"]["cells"]["a"]["parameters"]["INIT"] == "1001"
    with pytest.raises(ValueError, match="^b is a TRELLIS_FF, no LUT4$"):
        netlist_sim.invert(design, "ecp5", "b")


def test_inverts_the_lut_with_the_highest_fan_out():
    def lut(out, *bits):
        return {"type": "LUT4", "port_directions": {"A": "input", "Z": "output"},
                "connections": {"A": list(bits), "Z": [out]}}

    prefix = netlist_sim.FAMILIES["ecp5"][2]
    design = {"modules": {"weft": {"cells": {
        f"{prefix}.a": lut(2, 9), f"{prefix}.b": lut(3, 2), f"{prefix}.c": lut(4, 3),
        f"{prefix}.d": lut(5, 3, 6, 6, 6), "elsewhere": lut(6, 4)}}}}
    assert netlist_sim.lut_to_invert(design, "ecp5") == f"{prefix}.b"
