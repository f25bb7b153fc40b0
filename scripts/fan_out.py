"""Duplication of registers and LUTs with a large fan-out, before nextpnr places an ECP5 netlist.

nextpnr neither duplicates nor moves logic. A register that drives hundreds of cells has one site,
and the route to the farthest of the cells becomes the critical path. Here each such driver gets
copies, and each copy drives a share of the cells. Cells with similar names have the same driver:
bits of a word or bytes of a row, which are placed side by side.
"""

from __future__ import annotations

import pathlib
from typing import Any

from netlists import edit_netlist, natural_key
from weft.spec.integers import ceil_div

__all__ = ["MAX_LOAD", "duplicate_drivers"]

MAX_LOAD = 64
"""Inputs that a register or LUT drives at most, where it can be duplicated."""

_OUTPUTS = {"TRELLIS_FF": "Q", "LUT4": "Z", "PFUMX": "Z", "L6MUX21": "Z"}
# inputs of a multiplexer whose LUTs are in the same slice
_IN_SLICE = {("PFUMX", "ALUT"), ("PFUMX", "BLUT"), ("L6MUX21", "D0"), ("L6MUX21", "D1")}
_CLOCKS = {"CLK", "CLK0", "CLK1", "CLKA", "CLKB", "WCK"}
_MEMORIES = {"DP16KD"}
_MEMORY_LOAD = 6        # of an input of a block RAM: their sites are far from each other

Sink = tuple[str, str, int]             # cell, port, index of the bit


def duplicate_drivers(path: pathlib.Path, *, max_load: int = MAX_LOAD) -> int:
    """Duplicate drivers in the netlist ``path``, as :command:`synth_ecp5` writes it.

    The function of the netlist stays the same. A copy has the inputs of its original, whose load
    grows; they are duplicated afterwards, but no driver twice.

    Returns
    -------
    :class:`int`
        Number of copies.
    """
    with edit_netlist(path) as netlist:
        module = next(module for module in netlist["modules"].values()
                      if "top" in module["attributes"])
        return _Duplicator(module, max_load).run()


class _Duplicator:
    """Drivers and sinks of a module, and the bits that still have too many sinks."""

    def __init__(self, module: dict[str, Any], max_load: int) -> None:
        self.cells, self.names, self.max_load = module["cells"], module["netnames"], max_load
        self.free_bit = 1 + max(bit for net in self.names.values() for bit in net["bits"]
                                if isinstance(bit, int))
        self.drivers: dict[int, str] = {}
        self.sinks: dict[int, list[Sink]] = {}
        for name, cell in self.cells.items():
            for port, bits in cell["connections"].items():
                drives = cell["port_directions"].get(port) == "output"
                for index, bit in enumerate(bits):
                    if isinstance(bit, str):
                        continue
                    if drives:
                        self.drivers[bit] = name
                    else:
                        self.sinks.setdefault(bit, []).append((name, port, index))
        self.todo = {bit for bit in self.sinks if self._load(bit) > max_load}
        self.done: set[int] = set()

    def run(self) -> int:
        """Duplicate the drivers with the most sinks first; return the number of copies."""
        count = 0
        while self.todo:
            bit = max(self.todo, key=lambda bit: (len(self.sinks[bit]), bit))
            self.todo.remove(bit)
            self.done.add(bit)
            count += self._split(bit)
        return count

    def _weight(self, sink: Sink) -> int:
        cell, port, _ = sink
        if port == "LSR":       # a tile has room for few different resets
            return 0
        return _MEMORY_LOAD if self.cells[cell]["type"] in _MEMORIES else 1

    def _load(self, bit: int) -> int:
        return sum(map(self._weight, self.sinks[bit]))

    def _split(self, bit: int) -> int:
        """Split the sinks of ``bit`` among copies of its driver; return the number of copies."""
        original = self.drivers.get(bit)
        if original is None or not self._can_duplicate(original):
            return 0
        if _CLOCKS & {port for _, port, _ in self.sinks[bit]}:
            return 0                            # the clock network has no fan-out limit
        parts = ceil_div(self._load(bit), self.max_load)
        shares: list[list[Sink]] = [[] for _ in range(parts)]
        so_far = 0
        for sink in sorted(self.sinks[bit], key=_order):
            shares[so_far * parts // self._load(bit) if self._weight(sink) else 0].append(sink)
            so_far += self._weight(sink)
        self.sinks[bit] = shares[0]
        for part, share in enumerate(shares[1:], 1):
            new = self._copy(original, f"copy_{part}")
            for cell, port, index in share:
                self.cells[cell]["connections"][port][index] = new
            self.sinks[new] = share
        return parts - 1

    def _can_duplicate(self, name: str) -> bool:
        cell = self.cells[name]
        return (cell["type"] in _OUTPUTS and "BEL" not in cell["attributes"]
                and all(self._can_duplicate(self.drivers[bits[0]])
                        for port, bits in cell["connections"].items()
                        if (cell["type"], port) in _IN_SLICE))

    def _copy(self, original: str, suffix: str) -> int:
        """Add a copy of a cell, and of LUTs in its slice; return the bit that the copy drives."""
        cell = self.cells[original]
        name, output = f"{original}_{suffix}", _OUTPUTS[cell["type"]]
        new, self.free_bit = self.free_bit, self.free_bit + 1
        connections: dict[str, list[Any]] = {}
        self.cells[name] = {**cell, "connections": connections}
        for port, bits in cell["connections"].items():
            if port == output:
                connections[port] = [new]
            elif (cell["type"], port) in _IN_SLICE:
                connections[port] = [self._copy(self.drivers[bits[0]], suffix)]
                self.sinks[connections[port][0]] = [(name, port, 0)]
            else:
                connections[port] = list(bits)
                for index, bit in enumerate(bits):
                    if not isinstance(bit, str):
                        self.sinks[bit].append((name, port, index))
                        if bit not in self.done and self._load(bit) > self.max_load:
                            self.todo.add(bit)
        self.names[f"{name}_{output}"] = {"hide_name": 1, "bits": [new], "attributes": {}}
        self.drivers[new] = name
        return new


def _order(sink: Sink) -> tuple[Any, ...]:
    cell, port, index = sink
    return natural_key(cell), port, index
