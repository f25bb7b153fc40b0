"""Placed ECP5 design: cells, their bels, the nets between them, and the timing of its paths."""

from __future__ import annotations

import collections
from collections.abc import Iterator
from typing import Any, NamedTuple

from .bels import RAM_LUTS, WRITE_PORT, Bel
from .cell_timing import (
    CLOCK_PINS,
    SITE_TYPES,
    clock_to_output,
    combinational_delay,
    depends,
    setup_time,
)

__all__ = ["ENDPOINT", "FIXED", "Clusters", "PlacedDesign", "Port", "TimingEdge"]

Tile = tuple[int, int, str | None]

ENDPOINT = -1
"""In place of a net: the end of a path."""

FIXED = 3
"""Site type of the cells that do not move; 0 is a logic tile."""

# wires that do not leave their tile, or lead to the next one of a carry chain
_IN_TILE = {"FCI", "FXA", "FXB", "F1", "DI", "WD", "WAD0", "WAD1", "WAD2", "WAD3"}


class Port(NamedTuple):
    """Connected bit of a cell's port."""

    bit: int
    cell: str
    port: str
    is_output: bool


class TimingEdge(NamedTuple):
    """Step of a path, from an arc through its sink to a net, or to the end of the path.

    Attributes
    ----------
    arc : :class:`int`
        Number of the arc.
    net : :class:`int`
        Net that the cell drives, or :data:`ENDPOINT`.
    delay : :class:`float`
        Delay of the cell or setup time, in ns at grade 6.
    """

    arc: int
    net: int
    delay: float


class Clusters(NamedTuple):
    """Cells that keep their positions relative to each other.

    Attributes
    ----------
    of_cell : list of :class:`int`
        Cluster of each cell, in the order of the cells.
    fixed : list of :class:`bool`
        For each cluster, whether it must not move.
    """

    of_cell: list[int]
    fixed: list[bool]


class PlacedDesign:
    """Cells, nets and timing of a placed netlist.

    Parameters
    ----------
    module : :class:`dict`
        Module of a netlist that nextpnr has written. Cells without ``NEXTPNR_BEL`` are left out.

    Attributes
    ----------
    cells : dict
        Cells by name, as in the netlist.
    bels : dict of :class:`Bel`
        Their bels.
    tiles : dict
        Number of each tile, by :attr:`Bel.tile`: logic tiles row by row, then other sites.
    nets : dict of :class:`int`
        Number of each net by its bit; without clocks and constants.
    driver : dict
        Cell and port that drive each net, by its bit.
    sinks : dict
        Cells and ports that a bit leads to, clock inputs left out, by the bit.
    """

    def __init__(self, module: dict[str, Any]) -> None:
        self.cells: dict[str, dict[str, Any]] = {
            name: cell for name, cell in module["cells"].items()
            if "NEXTPNR_BEL" in cell["attributes"]}
        self.bels = {name: Bel.parse(cell["attributes"]["NEXTPNR_BEL"])
                     for name, cell in self.cells.items()}
        self.tiles = self._number_tiles()
        self._connect()

    def _number_tiles(self) -> dict[Tile, int]:
        in_slices = [bel for bel in self.bels.values() if bel.in_slice]
        columns, rows = {bel.x for bel in in_slices}, {bel.y for bel in in_slices}
        tiles: dict[Tile, int] = {}
        # slices fill whole rows; a carry chain goes on in the tile with the next number
        for y in sorted(rows):
            for x in sorted(columns):
                tiles[x, y, None] = len(tiles)
        for bel in self.bels.values():
            tiles.setdefault(bel.tile, len(tiles))
        return tiles

    def _connect(self) -> None:
        self.driver: dict[int, tuple[str, str]] = {}
        self.sinks: dict[int, list[tuple[str, str]]] = collections.defaultdict(list)
        for bit, name, port, is_output in self.ports():
            if is_output:
                self.driver[bit] = name, port
            elif port not in CLOCK_PINS:
                self.sinks[bit].append((name, port))
        # constants have in-tile arcs, too, to registers of constant inputs
        self._in_tile_pairs = [
            (name, sink) for bit, (name, _) in self.driver.items()
            for sink, port in self.sinks.get(bit, ()) if self.is_in_tile(sink, port)]
        for bit, (name, _) in list(self.driver.items()):
            if "PACKER" in name or self.cells[name]["type"] in ("DCCA", "EHXPLLL"):
                del self.driver[bit]            # constants, clocks
        self.nets = {bit: number for number, bit in enumerate(self.driver)}

    def ports(self) -> Iterator[Port]:
        """Yield each connected bit of each port."""
        for name, cell in self.cells.items():
            for port, bits in cell["connections"].items():
                is_output = cell["port_directions"].get(port) == "output"
                for bit in bits:
                    if not isinstance(bit, str):
                        yield Port(bit, name, port, is_output)

    def site_type(self, name: str) -> int:
        """Return the number of the type of sites where a cell can be."""
        return 0 if self.bels[name].in_slice else SITE_TYPES.get(self.cells[name]["type"], FIXED)

    def is_in_tile(self, name: str, port: str) -> bool:
        """Return whether an arc to this input stays in its tile, or goes to the next of a chain."""
        return port in _IN_TILE and self.bels[name].in_slice

    def fabric_inputs(self, name: str) -> int:
        """Return how many inputs of a cell are routed through the fabric, clocks left out."""
        cell = self.cells[name]
        return sum(cell["port_directions"].get(port) == "input"
                   and port not in _IN_TILE and port not in CLOCK_PINS
                   and any(isinstance(bit, int) for bit in bits)
                   for port, bits in cell["connections"].items())

    def clusters(self) -> Clusters:
        """Return the cells that must move together.

        These are cells with an arc in a tile: LUTs with the FF or wide multiplexer behind them, and
        carry chains; and a distributed RAM, with all LUTs that its write port needs.
        """
        parent = {name: name for name in self.cells}

        def root(name: str) -> str:
            while parent[name] != name:
                parent[name] = parent[parent[name]]
                name = parent[name]
            return name

        for name, sink in self._in_tile_pairs:
            parent[root(sink)] = root(name)
        numbers_in_tile = {name: bel.number for name, bel in self.bels.items()}
        write_ports = {self.bels[name].tile: name for name, number in numbers_in_tile.items()
                       if number == WRITE_PORT}
        for name, bel in self.bels.items():
            if bel.tile in write_ports and numbers_in_tile[name] < RAM_LUTS:
                parent[root(name)] = root(write_ports[bel.tile])
        numbers: dict[str, int] = {}
        fixed: list[bool] = []
        for name in self.cells:
            number = numbers.setdefault(root(name), len(numbers))
            if number == len(fixed):
                fixed.append(False)
            fixed[number] |= self.site_type(name) == FIXED
        return Clusters([numbers[root(name)] for name in self.cells], fixed)

    def launch(self, name: str, port: str) -> float:
        """Return the delay from the clock to an output in ns; -1 if it is combinational."""
        return clock_to_output(self.cells[name], port)

    def timing_edges(self, arc: int, name: str, port: str) -> list[TimingEdge]:
        """Return the steps of paths from an arc with the number ``arc`` through its sink."""
        cell = self.cells[name]
        setup = setup_time(cell, port)
        if setup is not None:
            return [TimingEdge(arc, ENDPOINT, setup)]
        return [TimingEdge(arc, self.nets[bit], combinational_delay(cell, port, out))
                for out, bits in cell["connections"].items() for bit in bits
                if bit in self.nets and self.driver[bit][0] == name
                and depends(cell, port, out)]

    def control_sets(self, name: str) -> tuple[tuple[Any, ...], tuple[Any, ...]] | None:
        """Return what an FF has in common with the FFs of its tile and of its slice."""
        cell = self.cells[name]
        if cell["type"] != "TRELLIS_FF":
            return None
        return (_settings(cell, ("CLK", "LSR"), ("CLKMUX", "LSRMUX", "SRMODE")),
                _settings(cell, ("CE",), ("CEMUX", "GSR")))


def _settings(cell: dict[str, Any], ports: tuple[str, ...],
              parameters: tuple[str, ...]) -> tuple[Any, ...]:
    return (*(str(cell["connections"].get(port)) for port in ports),
            *(cell["parameters"].get(parameter) for parameter in parameters))
