"""Duplicated drivers: each cell computes the same as before, and drivers have a smaller load."""

import collections
import json
import random

import pytest

from fan_out import duplicate_drivers
from support.seeds import seed

CELLS = {"TRELLIS_FF": (("CLK", "DI", "CE", "LSR"), "Q"), "LUT4": ("ABCD", "Z"),
         "PFUMX": (("ALUT", "BLUT", "C0"), "Z"), "DP16KD": (("CLKA", "ADA0"), "DOA0")}


class Netlist:
    """Flat netlist as Yosys writes it, built cell by cell."""

    def __init__(self):
        self.cells, self.names, self.bits = {}, {"clk": {"bits": [2]}, "in": {"bits": [3]}}, 4

    def add(self, kind, name, attributes=None, **inputs):
        """Add a cell, with the constant "0" at its other inputs; return the bit of its output."""
        ports, output = CELLS[kind]
        bit, self.bits = self.bits, self.bits + 1
        self.cells[name] = {
            "type": kind, "attributes": attributes or {}, "parameters": {},
            "port_directions": {**dict.fromkeys(ports, "input"), output: "output"},
            "connections": {**{port: [inputs.get(port, "0")] for port in ports}, output: [bit]}}
        self.names[f"{name}_{output}"] = {"bits": [bit]}
        return bit

    def duplicated(self, path, max_load):
        """Return the cells after :func:`duplicate_drivers`, and the number of copies."""
        path.write_text(json.dumps({"modules": {
            "helper": {"attributes": {}, "cells": {}, "netnames": {}},
            "top": {"attributes": {"top": 1}, "cells": self.cells, "netnames": self.names}}}))
        count = duplicate_drivers(path, max_load=max_load)
        top = json.loads(path.read_text())["modules"]["top"]
        assert len(top["cells"]) >= len(self.cells) + count
        bits = [net["bits"][0] for net in top["netnames"].values()]
        assert len(bits) == len(set(bits))
        return top["cells"], count


def functions(cells):
    """Return the function of each cell, as a tree whose leaves are flip-flops, named after their
    originals."""
    drivers = {cell["connections"][CELLS[cell["type"]][1]][0]: name for name, cell in cells.items()}
    assert len(drivers) == len(cells)

    def source(bit):
        if bit not in drivers:
            return bit
        name = drivers[bit]
        if cells[name]["type"] in ("TRELLIS_FF", "DP16KD"):
            return name.partition("_copy")[0]
        return inputs(name)

    def inputs(name):
        cell = cells[name]
        return cell["type"], *(source(cell["connections"][port][0])
                               for port in CELLS[cell["type"]][0])

    return {name: inputs(name) for name in cells}


def loads(cells, kinds=("TRELLIS_FF", "LUT4", "PFUMX")):
    """Return how many inputs each cell drives, without resets."""
    of = {cell["connections"][CELLS[cell["type"]][1]][0]: name for name, cell in cells.items()
          if cell["type"] in kinds}
    found = collections.Counter()
    for cell in cells.values():
        for port in CELLS[cell["type"]][0]:
            bit = cell["connections"][port][0]
            if port != "LSR" and bit in of:
                found[of[bit]] += 1
    return found


def test_random_netlists_compute_the_same(tmp_path):
    run_seed = seed()
    draw = random.Random(run_seed)
    for _ in range(20):
        netlist = Netlist()
        pool = [3]
        for number in range(draw.randint(20, 200)):
            kind = draw.choice(["TRELLIS_FF", "LUT4"])
            hub = draw.choice(pool[:5])
            pool.append(netlist.add(
                kind, f"cell_{number}", **{("DI" if kind == "TRELLIS_FF" else port): bit
                                           for port, bit in zip("AB", (hub, draw.choice(pool)))},
                **({"CLK": 2, "CE": draw.choice(pool)} if kind == "TRELLIS_FF" else {})))
        before = functions(netlist.cells)
        after, count = netlist.duplicated(tmp_path / "netlist.json", max_load=8)
        now = functions(after)
        assert all(now[name] == function for name, function in before.items()), f"seed {run_seed}"
        assert all(now[name] == before[name.partition("_copy")[0]] for name in now), \
            f"seed {run_seed}"
        assert count == len(after) - len(before), f"seed {run_seed}"


def test_cells_with_similar_names_share_a_copy(tmp_path):
    netlist = Netlist()
    bit = netlist.add("TRELLIS_FF", "select", CLK=2, DI=3)
    for number in range(100):
        netlist.add("TRELLIS_FF", f"word_{number}", CLK=2, DI=3, CE=bit)
    cells, count = netlist.duplicated(tmp_path / "netlist.json", max_load=25)
    assert count == 3
    groups = collections.defaultdict(list)
    for number in range(100):
        groups[cells[f"word_{number}"]["connections"]["CE"][0]].append(number)
    assert sorted(groups.values()) == [list(range(first, first + 25)) for first in (0, 25, 50, 75)]
    assert max(loads(cells).values()) == 25


def test_a_multiplexer_is_duplicated_with_its_luts(tmp_path):
    netlist = Netlist()
    tables = [netlist.add("LUT4", f"table_{which}", A=3) for which in "ab"]
    bit = netlist.add("PFUMX", "mux", ALUT=tables[0], BLUT=tables[1], C0=3)
    for number in range(20):
        netlist.add("LUT4", f"end_{number}", A=bit)
    cells, count = netlist.duplicated(tmp_path / "netlist.json", max_load=10)
    assert count == 1 and len(cells) == 23 + 3
    assert cells["mux_copy_1"]["connections"]["ALUT"] == \
        cells["table_a_copy_1"]["connections"]["Z"]


def test_clocks_resets_and_placed_cells_are_not_duplicated(tmp_path):
    netlist = Netlist()
    clock = netlist.add("LUT4", "gate", A=2)
    reset = netlist.add("TRELLIS_FF", "reset", CLK=2, DI=3)
    placed = netlist.add("TRELLIS_FF", "placed", {"BEL": "X1/Y1/SLICEA.FF0"}, CLK=2, DI=3)
    for number in range(100):
        netlist.add("TRELLIS_FF", f"end_{number}", CLK=clock, LSR=reset, DI=placed)
    assert netlist.duplicated(tmp_path / "netlist.json", max_load=10)[1] == 0


@pytest.mark.parametrize("max_load, copies", [(64, 0), (24, 1), (12, 3)])
def test_block_rams_have_a_larger_load(tmp_path, max_load, copies):
    netlist = Netlist()
    bit = netlist.add("TRELLIS_FF", "address", CLK=2, DI=3)
    for number in range(8):
        netlist.add("DP16KD", f"ram_{number}", CLKA=2, ADA0=bit)
    assert netlist.duplicated(tmp_path / "netlist.json", max_load=max_load)[1] == copies
