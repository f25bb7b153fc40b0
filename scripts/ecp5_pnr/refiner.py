"""Refinement of a placement by nextpnr: cells move to shorten the critical path.

nextpnr's placer pulls connected cells together and then takes the nearest free bel for each. Some
cells end up far from all their neighbours, and each of them is on the critical path. The program
``refine`` moves all cells by simulated annealing. The cost of an arc is exponential in its negative
slack, by nextpnr's own estimate of delays before routing. A tile of wire costs more in a congested
part of the device, so that the router finds enough wires.

Source: V. Betz, J. Rose: VPR: A New Packing, Placement and Routing Tool for FPGA Research, 1997.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from weft_host.atomic_file import write_atomically

from .bels import slice_bel_name
from .cell_timing import SPEEDUP, TILE_DELAY
from .native import run_program
from .placed_design import PlacedDesign, TimingEdge

__all__ = ["RefinementProblem", "refine"]

# cost of a tile of wire, and first temperature, where an arc without slack costs 1
_WIRE_WEIGHT, _FIRST_TEMPERATURE = 0.05, 0.6
# rounds for the cube root of the number of clusters: more clusters need more rounds (VPR)
_ROUNDS = 8


def refine(folder: Path, placed: str, refined: str, *, mhz: float, grade: int = 6,
           rounds: int | None = None, seed: int = 1, title: str = "refinement") -> list[str]:
    """Improve the placement of a netlist, for nextpnr to place and route it again.

    Parameters
    ----------
    folder : :class:`pathlib.Path`
        Folder of all files, where the program ``refine`` has been compiled.
    placed : :class:`str`
        Netlist that nextpnr has written after placement.
    refined : :class:`str`
        Netlist to write, with the new bel of each cell as its attribute ``BEL``.
    mhz : :class:`float`
        Clock to reach. A design that is faster already is refined for a period of 85 % of its
        critical path.
    grade : :class:`int`
        Speed grade, 6 to 8. The log has nanoseconds at grade 6.
    rounds : :class:`int`, optional
        Rounds of annealing, instead of a number that grows with the design.
    seed : :class:`int`
        Seed of the random numbers.
    title : :class:`str`
        Name of the step in progress messages.

    Returns
    -------
    list of :class:`str`
        Lines of ``refine-SEED.log``; the first and the last one have the critical path before and
        after.
    """
    netlist = json.loads((folder / placed).read_text())
    module = netlist["modules"]["top"]
    module.pop("settings", None)                # they would override nextpnr's options
    problem = RefinementProblem(PlacedDesign(module))
    source, answer = folder / f"refine-{seed}.in", folder / f"refine-{seed}.out"
    source.write_text(problem.to_text(1e3 / mhz * SPEEDUP[grade]))
    rounds = rounds or round(_ROUNDS * problem.cluster_count ** (1 / 3))
    lines = run_program("refine", [str(rounds), str(_WIRE_WEIGHT), str(seed),
                                   str(_FIRST_TEMPERATURE), source.name, answer.name],
                        folder, f"refine-{seed}.log", title, source)
    problem.apply(answer.read_text())
    write_atomically(folder / refined, json.dumps(netlist))
    source.unlink()
    answer.unlink()
    return lines


class RefinementProblem:
    """Input and output of the program ``refine``, as text.

    The input has, in this order, each list after a line with its length:

    - the clock period and the delay of a tile of distance, in ns
    - tiles: ``x y site-type``, logic tiles first (type 0), row by row
    - clusters: ``1`` if fixed, else ``0``
    - cells: ``tile bel cluster tile-control-set slice-control-set uses-M fabric-inputs``
    - nets: ``driver launch``, the launch time in ns, or -1 if the driver is combinational
    - arcs: ``net sink in-tile``
    - timing edges: ``arc net delay``, where the net -1 is the end of a path

    The output has a line ``tile bel`` for each cell.
    """

    def __init__(self, design: PlacedDesign) -> None:
        self._design = design
        self._clusters = design.clusters()

    @property
    def cluster_count(self) -> int:
        """Number of clusters."""
        return len(self._clusters.fixed)

    def to_text(self, period: float) -> str:
        """Return the input of the program; ``period`` is in ns at grade 6."""
        return "\n".join([
            f"{period} {TILE_DELAY}", *self._tile_lines(),
            str(self.cluster_count), *(str(int(fixed)) for fixed in self._clusters.fixed),
            *self._cell_lines(), *self._net_lines()]) + "\n"

    def _tile_lines(self) -> list[str]:
        design = self._design
        types = {bel.tile: design.site_type(name) for name, bel in design.bels.items()}
        return [str(len(design.tiles)),
                *(f"{x} {y} {types.get((x, y, site), 0)}" for x, y, site in design.tiles)]

    def _cell_lines(self) -> list[str]:
        design = self._design
        lines = [str(len(design.cells))]
        numbers: dict[tuple[Any, ...], int] = {}
        for (name, cell), cluster in zip(design.cells.items(), self._clusters.of_cell):
            bel = design.bels[name]
            tile_set = slice_set = -1
            control_sets = design.control_sets(name)
            if control_sets:
                tile_set, slice_set = (numbers.setdefault(settings, len(numbers))
                                       for settings in control_sets)
            uses_m = any(isinstance(bit, int) for bit in cell["connections"].get("M", ()))
            lines.append(f"{design.tiles[bel.tile]} {bel.number} {cluster} {tile_set} {slice_set} "
                         f"{int(uses_m)} {design.fabric_inputs(name)}")
        return lines

    def _net_lines(self) -> list[str]:
        design = self._design
        numbers = {name: number for number, name in enumerate(design.cells)}
        arcs: list[str] = []
        edges: list[TimingEdge] = []
        for bit, net in design.nets.items():
            for name, port in design.sinks.get(bit, ()):
                edges += design.timing_edges(len(arcs), name, port)
                arcs.append(f"{net} {numbers[name]} {int(design.is_in_tile(name, port))}")
        return [
            str(len(design.driver)),
            *(f"{numbers[name]} {design.launch(name, port)}"
              for name, port in design.driver.values()),
            str(len(arcs)), *arcs,
            str(len(edges)), *(f"{edge.arc} {edge.net} {edge.delay}" for edge in edges)]

    def apply(self, answer: str) -> None:
        """Set the attribute ``BEL`` of each cell to the bel in the output of the program."""
        tiles = list(self._design.tiles)
        for cell, line in zip(self._design.cells.values(), answer.splitlines(), strict=True):
            tile, number = map(int, line.split())
            x, y, site = tiles[tile]
            attributes = cell["attributes"]
            attributes["BEL"] = f"X{x}/Y{y}/{site or slice_bel_name(number)}"
            del attributes["NEXTPNR_BEL"]
            attributes.pop("BEL_STRENGTH", None)
