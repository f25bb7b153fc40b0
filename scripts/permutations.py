"""Whether nextpnr has permuted inputs of ECP5 tables that cannot be permuted.

The router may take any input of a table and permute the table's contents. A carry chain's tables
have pairs of inputs (A with B, C with D) that mean different things to the carry, and distributed
memory is addressed by all four. nextpnr looks after that while it knows what a cell is, which it
does not in every netlist that it reads back: a bitstream would then compute something else,
without a word.
"""

import json
import re

__all__ = ["forbidden_permutations"]

_PERMUTED = re.compile(r"X(\d+)/Y(\d+)/0_0_([ABCD])(\d)->0_0_([ABCD])\d_SLICE")
_FIRST_PAIR = {"A", "B"}


def forbidden_permutations(path):
    """Names of the cells of a routed netlist whose inputs must not be as they are."""
    module = json.loads(path.read_text())["modules"]["top"]
    cells = {cell["attributes"].get("NEXTPNR_BEL"): name for name, cell in module["cells"].items()}
    found = set()
    for net in module["netnames"].values():
        for x, y, wire, table, pin in _PERMUTED.findall(net["attributes"].get("ROUTING", "")):
            name = cells.get(f"X{x}/Y{y}/SLICE{'ABCD'[int(table) // 2]}.K{int(table) % 2}")
            if name and not _may_permute(module["cells"][name]["parameters"].get("MODE"),
                                         wire, pin):
                found.add(name)
    return sorted(found)


def _may_permute(mode, wire, pin):
    if mode in ("DPRAM", "RAMW_BLOCK"):
        return wire == pin
    return mode != "CCU2" or (wire in _FIRST_PAIR) == (pin in _FIRST_PAIR)
