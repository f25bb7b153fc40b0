"""Where the engine's block RAMs go on an ECP5-85F."""

import json
import re

from memory_sites import place_memories
from weft.verilog import to_rtlil
from weft_boards import board
from weft_boards._top import BoardTop


def placed(path, names):
    """``{name: (x, y)}`` of those that got a place."""
    path.write_text(json.dumps({"modules": {"top": {"cells": {
        name: {"type": "DP16KD", "attributes": {}} for name in names}}}}))
    count = place_memories(path)
    found = {name: cell["attributes"]["BEL"]
             for name, cell in json.loads(path.read_text())["modules"]["top"]["cells"].items()
             if "BEL" in cell["attributes"]}
    assert len(found) == count == len(set(found.values()))
    return {name: tuple(map(int, re.match(r"X(\d+)/Y(\d+)/EBR[0-3]$", bel).groups()))
            for name, bel in found.items()}


def full(scratchpad=16, words=128):
    return [*(f"top.scratchpad.bank_{bank}.lane_{lane}.0.0"
              for bank in range(2) for lane in range(scratchpad)),
            *(f"top.weights.bank_0.lane_{lane}.0.0" for lane in range(0, 16, 2)),
            *(f"top.accumulators.half_{half}.0.{number}" for half in range(2)
              for number in range(15)),
            *(f"top.memory.words.ram.0.{number}" for number in range(words)),
            "top.vector.map.table.0.0"]


def test_every_memory_of_the_ulx3s_has_its_places(tmp_path):
    found = placed(tmp_path / "netlist.json", full())
    assert len(found) == 32 + 8 + 30 + 128
    assert "top.vector.map.table.0.0" not in found
    # those of a smaller host memory are nearer to each other
    assert {y for name, (_, y) in placed(tmp_path / "netlist.json", full(words=52)).items()
            if "words" in name} == {82}
    # bits of both halves that are added are beside each other, and in order
    halves = [[found[f"top.accumulators.half_{half}.0.{number}"] for number in range(15)]
              for half in range(2)]
    assert halves[0] == sorted(halves[0])
    assert all(0 < right[0] - left[0] < 7 and left[1] == right[1]
               for left, right in zip(*halves))


def test_a_memory_without_enough_places_is_left_alone(tmp_path):
    found = placed(tmp_path / "netlist.json", full(scratchpad=17, words=129))
    assert len(found) == 8 + 30


def test_the_names_are_those_of_a_board():
    text = to_rtlil(BoardTop.of(board("ulx3s_85f")), "top")
    for name in ("scratchpad", "weights", "accumulators", "memory", "words", "bank_0", "bank_1",
                 "half_0", "half_1"):
        assert re.search(rf"cell \S+ \\{name}$|memory .*\\{name}$|cell .*\\{name}$", text,
                         re.MULTILINE), name
