"""Routes of ECP5 designs by :mod:`ecp5_pnr.router`, and checks that they are legal."""

from __future__ import annotations

import collections
import json
import pathlib
import random
import re
from collections.abc import Collection
from typing import Any

from ecp5_pnr.router import route

from .placed import Placed

__all__ = ["COLUMNS", "DIE", "MHZ", "ROWS", "Route", "check_disjoint", "check_routes", "path_to",
           "random_design", "routed"]

DIE, MHZ = "25k", 20
COLUMNS, ROWS = range(6, 30), range(2, 12)
_PIP = re.compile(r"X(\d+)/Y(\d+)/(-?\d+)_(-?\d+)_(\w+)->(-?\d+)_(-?\d+)_(\w+)$")
_LUT_INPUT = re.compile(r"X\d+/Y\d+/([ABCD])\d$")
_SLICE_BEL = re.compile(r"X(\d+)/Y(\d+)/SLICE([A-D])\.(K|FF|RAMW)([01]?)$")

Route = dict[str, str | None]
"""Wires of a net, each with the wire that drives it, or None at the source."""


def routed(design: Placed, folder: pathlib.Path, mhz: float = MHZ,
           clocks: Collection[int] = (), **options: Any) -> tuple[dict[int, Route], int]:
    """Route a design; return the route of each bit, and how many arcs are left to nextpnr.

    The bits ``clocks`` are nets of the clock network.
    """
    for cell in design.cells.values():
        cell["attributes"] = {"BEL": cell["attributes"]["NEXTPNR_BEL"]}
    bits = range(1, design.bits + 1)
    module = {"cells": design.cells,
              "netnames": {f"net {bit}": {"bits": [bit], "attributes": {
                  "ECP5_IS_GLOBAL": f"{bit in clocks:032b}"}} for bit in bits}}
    (folder / "refined.json").write_text(json.dumps({"modules": {"top": module}}))
    lines = route(folder, "refined.json", "routed.json", die=DIE, mhz=mhz, **options)
    left = re.search(r"; (\d+) arcs left to nextpnr$", lines[-1])
    assert left
    module = json.loads((folder / "routed.json").read_text())["modules"]["top"]
    assert all("BEL" in cell["attributes"] and "NEXTPNR_BEL" not in cell["attributes"]
               for cell in module["cells"].values())
    return {bit: _parse(module["netnames"][f"net {bit}"]["attributes"].get("ROUTING", ""))
            for bit in bits}, int(left[1])


def _parse(text: str) -> Route:
    """Return the route that nextpnr reads from a net's ``ROUTING``."""
    fields = text.split(";") if text else []
    assert len(fields) % 3 == 0
    found: Route = {}
    for wire, pip, strength in zip(fields[::3], fields[1::3], fields[2::3], strict=True):
        assert wire not in found and strength == "1"
        found[wire] = None
        if pip:
            match = _PIP.match(pip)
            assert match
            x, y, *ends = match.groups()
            source, sink = (f"X{int(x) + int(dx)}/Y{int(y) + int(dy)}/{name}"
                            for dx, dy, name in (ends[:3], ends[3:]))
            assert sink == wire
            found[wire] = source
    return found


def path_to(found: Route, wire: str) -> list[str]:
    """Return the wires from ``wire`` back to the source."""
    path = [wire]
    while (source := found[path[-1]]) is not None:
        path.append(source)
        assert len(path) < 1000
    return path


def check_disjoint(routes: dict[int, Route]) -> None:
    """Check that no wire belongs to two nets."""
    nets = collections.Counter(wire for found in routes.values() for wire in found)
    assert not [wire for wire, count in nets.items() if count > 1]


def random_design(generator: random.Random, size: int, columns: range = COLUMNS,
                  rows: range = ROWS) -> Placed:
    """Return a design of ``size`` FFs and LUTs at random bels, with inputs from any others."""
    design = Placed()
    design.bit()                                # the clock
    bels = [f"X{x}/Y{y}/SLICE{letter}.{kind}{half}" for x in columns for y in rows
            for letter in "ABCD" for half in "01" for kind in ("K", "FF")]
    signals: list[int] = []
    for number, bel in enumerate(generator.sample(bels, size)):
        inputs = {port: generator.choice(signals) for port in "ABCD" if signals}
        if ".FF" in bel:
            # the LUT and the FF of a half share M, and only FFs use it here
            signals.append(design.add(f"register_{number}", "TRELLIS_FF", bel, ("Q",), CLK=1,
                                      **({"M": inputs["A"]} if inputs else {})))
        else:
            signals.append(design.add(f"table_{number}", "TRELLIS_COMB", bel, ("F",),
                                      {"MODE": "LOGIC"}, **inputs))
    return design


def check_routes(design: Placed, routes: dict[int, Route], mode: str = "LOGIC") -> int:
    """Check that each sink has a route from its driver, through a LUT input that is allowed.

    Returns
    -------
    :class:`int`
        Number of permuted inputs.
    """
    drivers = {}
    for name, cell in design.cells.items():
        for port, (bit,) in cell["connections"].items():
            if cell["port_directions"][port] == "output":
                drivers[bit] = _wire_of(design, name, port)
    permuted = 0
    for name, cell in design.cells.items():
        for port, (bit,) in cell["connections"].items():
            if cell["port_directions"][port] == "output" or port == "CLK":
                continue
            path = path_to(routes[bit], _wire_of(design, name, port))
            assert path[-1] == drivers[bit]
            if port in "ABCD" and cell["type"] == "TRELLIS_COMB":
                used = _LUT_INPUT.match(path[1])
                assert used
                permuted += used[1] != port
                assert mode == "LOGIC" or used[1] == port or (
                    mode == "CCU2" and (used[1] in "AB") == (port in "AB"))
    return permuted


def _wire_of(design: Placed, name: str, port: str) -> str:
    """Return the wire at a port of a LUT, an FF or the write port of a distributed RAM."""
    match = _SLICE_BEL.match(design.cells[name]["attributes"]["BEL"])
    assert match
    x, y, letter, kind, half = match.groups()
    slice_number = "ABCD".index(letter)
    if kind == "RAMW":
        return f"X{x}/Y{y}/{port[0]}{4 + int(port[1])}_SLICE"
    number = slice_number if port in ("CE", "LSR", "WRE") else 2 * slice_number + int(half)
    return f"X{x}/Y{y}/{port}{number}_SLICE"
