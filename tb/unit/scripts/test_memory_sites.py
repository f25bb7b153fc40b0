"""Sites of the engine's block RAMs on an LFE5U-85F."""

import json
import re

from memory_sites import place_memories
from weft.verilog import to_rtlil
from weft_boards import board
from weft_boards._top import BoardTop


def placed(path, names):
    """Return ``{name: (x, y)}`` of the block RAMs that have a site."""
    path.write_text(json.dumps({"modules": {"top": {"cells": {
        name: {"type": "DP16KD", "attributes": {}} for name in names}}}}))
    count = place_memories(path)
    found = {name: cell["attributes"]["BEL"]
             for name, cell in json.loads(path.read_text())["modules"]["top"]["cells"].items()
             if "BEL" in cell["attributes"]}
    assert len(found) == count == len(set(found.values()))
    return {name: tuple(map(int, re.match(r"X(\d+)/Y(\d+)/EBR[0-3]$", bel).groups()))
            for name, bel in found.items()}


def names_of(scratchpad=16, words=128):
    """Return the names of block RAMs, for lanes of the scratchpad and words of the host memory."""
    return [*(f"top.scratchpad.bank_{bank}.lane_{lane}.0.0"
              for bank in range(2) for lane in range(scratchpad)),
            *(f"top.weights.bank_0.lane_{lane}.0.0" for lane in range(0, 16, 2)),
            *(f"top.accumulators.half_{half}.0.{number}" for half in range(2)
              for number in range(15)),
            *(f"top.memory.words.ram.0.{number}" for number in range(words)),
            "top.vector.map.table.0.0"]


def test_every_memory_of_the_ulx3s_has_sites(tmp_path):
    found = placed(tmp_path / "netlist.json", names_of())
    assert len(found) == 32 + 8 + 30 + 128
    assert "top.vector.map.table.0.0" not in found
    # a smaller host memory uses one row
    assert {y for name, (_, y) in placed(tmp_path / "netlist.json", names_of(words=52)).items()
            if "words" in name} == {82}
    # bits of both halves that are added are side by side, in order
    halves = [[found[f"top.accumulators.half_{half}.0.{number}"] for number in range(15)]
              for half in range(2)]
    assert halves[0] == sorted(halves[0])
    assert all(0 < right[0] - left[0] < 7 and left[1] == right[1]
               for left, right in zip(*halves))


def test_a_memory_without_enough_sites_is_left_to_nextpnr(tmp_path):
    found = placed(tmp_path / "netlist.json", names_of(scratchpad=17, words=129))
    assert len(found) == 8 + 30


def test_the_names_are_those_of_the_gateware():
    text = to_rtlil(BoardTop.of(board("ulx3s_85f")), "top")
    for name in ("scratchpad", "weights", "accumulators", "memory", "words", "bank_0", "bank_1",
                 "half_0", "half_1"):
        assert re.search(rf"cell \S+ \\{name}$|memory .*\\{name}$|cell .*\\{name}$", text,
                         re.MULTILINE), name
