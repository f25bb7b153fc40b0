"""Moves cells of a placed ECP5 design to where the clock needs them.

nextpnr's placer pulls cells together, and then looks for each one the nearest free place. Some end
far from all their neighbours, and each of them is the slowest path of the design. Here all are
moved about, a few tiles at a time, by simulated annealing on nextpnr's own estimate of a wire's
delay, in which late paths weigh exponentially more. A tile of wire costs more where many are
needed, so that a router finds room. nextpnr then takes the places as given.
"""

import collections
import json
import re
import subprocess
import sys
from pathlib import Path

from watched import run_watched
from weft_host.device.rtl_build import BuildError, find_compiler

__all__ = ["CLOCK_PINS", "FASTER", "STEP", "Design", "compile_program",
           "compile_source", "keep_netlist", "refine"]

_BEL = re.compile(r"X(\d+)/Y(\d+)/(.*)$")
_IN_SLICE = re.compile(r"SLICE([A-D])\.(K|FF|RAMW)([01]?)$")
_SITES = {"MULT18X18D": 1, "DP16KD": 2}
_FIXED = 3
_MEMORY_SLOT, _MEMORY_TABLES = 16, 6    # the tables come first
_PROGRAM = "refine"
# nanoseconds at grade 6, as nextpnr has them
STEP = 0.080
_CLOCK_TO_Q = 0.525
_RESET_SETUP, _WRITE_SETUP = 0.424, 0.392       # registers' other inputs need none
_LOOK_UP = {"F": 0.236, "FCO": 0.447, "OFX": 0.401}
_BESIDE_TABLE = {"M": 0.256, "F1": 0.165, "FXA": 0.239, "FXB": 0.242}
_CARRY = {"FCO": 0.071, "F": 0.443}
# of a multiplier, by its last and its first registers, and without any
_PRODUCT = {"OUTPUT": 0.735, "PIPELINE": 1.334, "INPUT": 3.864}
_FACTOR_SETUP = {"INPUT": 0.084, "PIPELINE": 2.625, "OUTPUT": 3.486}
_MULTIPLY = 3.927
# of a block RAM's ports, without and with a register behind them
_READ = {("A", "NOREG"): 5.609, ("B", "NOREG"): 5.830,
         ("A", "OUTREG"): 0.956, ("B", "OUTREG"): 0.973}
_BLOCK_SETUP = 0.251                    # an address; other inputs, a multiplier's too, count as one
# how much faster a grade is, by one routed LFE5U-85F timed as each: 100.6, 113.6 and 130.3 MHz
FASTER = {6: 1.0, 7: 1.129, 8: 1.295}
# what a tile of wire costs, and a temperature, where a path of no slack costs 1
_WIRE, _HOT = 0.05, 0.6
# Rounds for each unit to the power of 1/3. More units need more rounds: V. Betz, J. Rose: VPR: A
# New Packing, Placement and Routing Tool for FPGA Research, 1997.
_ROUNDS = 8
_TABLE_INPUTS = {"A", "B", "C", "D", "M", "FCI", "FXA", "FXB", "F1"}
# these wires do not leave their tile, or go to the next one of a chain
_INSIDE = {"FCI", "FXA", "FXB", "F1", "DI", "WD", "WAD0", "WAD1", "WAD2", "WAD3"}
CLOCK_PINS = {"CLK", "CLK0", "CLK1", "CLK2", "CLK3", "CLKA", "CLKB", "WCK"}
_NOT_OUT_OF_FABRIC = _INSIDE | CLOCK_PINS


def refine(folder, placed, ready, *, mhz, grade=6, rounds=None, seed=1, what="better places"):
    """Writes the netlist that nextpnr has placed, ``placed`` in ``folder``, to ``ready`` there,
    with a better place for each cell as its ``BEL``, so that nextpnr may place and route it.

    ``mhz`` is the clock to reach, by nextpnr's estimate before routing, with a device of speed
    ``grade``, 6 to 8; what is told is in nanoseconds of grade 6. More ``rounds`` than are made
    without it find better places. ``what`` is said now and then while they are looked for. Returns
    the lines that tell how the slowest path got shorter, which are in ``refine-SEED.log``, too.
    :func:`compile_program` comes first.
    """
    netlist = json.loads((folder / placed).read_text())
    module = netlist["modules"]["top"]
    module.pop("settings", None)                # they would count more than nextpnr's options
    design = Design(module)
    problem, answer = folder / f"refine-{seed}.in", folder / f"refine-{seed}.out"
    problem.write_text(design.problem(1e3 / mhz * FASTER[grade]))
    rounds = rounds or round(_ROUNDS * design.count_units() ** (1 / 3))
    log = f"refine-{seed}.log"
    status, _ = run_watched(
        [str(folder / _PROGRAM), str(rounds), str(_WIRE), str(seed), str(_HOT), problem.name,
         answer.name], folder, log, what)
    if status:
        sys.exit(f"the program that moves cells ended with status {status}; what it was given is "
                 f"in {problem}")
    design.put(answer.read_text())
    keep_netlist(netlist, folder / ready, problem, answer)
    return (folder / log).read_text().splitlines()


def compile_program(folder):
    """Compiles what moves the cells into ``folder``; ends the build if that cannot be done."""
    compile_source(Path(__file__).with_suffix(".cc"), folder)


def keep_netlist(netlist, path, *needed_no_more):
    """Writes a netlist whole or not at all, and takes away the files that made it."""
    whole = path.with_suffix(".whole")
    whole.write_text(json.dumps(netlist))
    whole.replace(path)
    for file in needed_no_more:
        file.unlink()


def compile_source(source, folder):
    """Compiles a program of the build into ``folder``, under its source's name; ends the build if
    that cannot be done."""
    try:
        compiler = find_compiler()
    except BuildError as error:
        sys.exit(f"an ECP5 build compiles a part of itself: {error}")
    # the same places on machines of one C library: no sums that some of them have in one step
    done = subprocess.run([compiler, "-O2", "-std=c++17", "-ffp-contract=off", "-o",
                           str(folder / source.stem), str(source)],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{compiler} could not compile {source}: {done.stderr.strip()}")


class Design:
    """A placed ECP5 design: its cells, where they are, what they drive, and how long that takes."""

    def __init__(self, module):
        self.cells = {name: cell for name, cell in module["cells"].items()
                      if "NEXTPNR_BEL" in cell["attributes"]}
        self.number = {name: number for number, name in enumerate(self.cells)}
        self.tiles = {}                         # (x, y, site): number
        self._find_places()
        self._connect()

    def _find_places(self):
        self.spots = {}                         # of a cell: (x, y, site or None), slot
        columns, rows = set(), set()
        for name, cell in self.cells.items():
            x, y, rest = _BEL.match(cell["attributes"]["NEXTPNR_BEL"]).groups()
            x, y = int(x), int(y)
            found = _IN_SLICE.match(rest)
            if not found:
                self.spots[name] = (x, y, rest), 0
                continue
            columns.add(x)
            rows.add(y)
            letter, kind, half = found.groups()
            slot = _MEMORY_SLOT if kind == "RAMW" else \
                "ABCD".index(letter) * 2 + int(half) + (8 if kind == "FF" else 0)
            self.spots[name] = (x, y, None), slot
        # Slices fill whole rows. Row by row, so that the next tile of a chain is the next one.
        for y in sorted(rows):
            for x in sorted(columns):
                self.tiles[x, y, None] = len(self.tiles)
        for place, _ in self.spots.values():
            self.tiles.setdefault(place, len(self.tiles))

    def _connect(self):
        self.driver, self.sinks = {}, collections.defaultdict(list)
        for bit, name, port, drives in self.ports():
            if drives:
                self.driver[bit] = name, port
            elif port not in CLOCK_PINS:
                self.sinks[bit].append((name, port))
        # the constants' tables have registers of their own, too
        self.glued = [(name, sink) for bit, (name, _) in self.driver.items()
                      for sink, port in self.sinks.get(bit, ())
                      if port in _INSIDE and self._is_in_slice(sink)]
        for bit, (name, _) in list(self.driver.items()):
            if "PACKER" in name or self.cells[name]["type"] in ("DCCA", "EHXPLLL"):
                del self.driver[bit]            # constants, clocks
        self.nets = {bit: number for number, bit in enumerate(self.driver)}

    def ports(self):
        """``(bit, cell, port, whether it drives the bit)`` of each that is connected."""
        for name, cell in self.cells.items():
            for port, bits in cell["connections"].items():
                drives = cell["port_directions"].get(port) == "output"
                for bit in bits:
                    if not isinstance(bit, str):
                        yield bit, name, port, drives

    # -- units ---------------------------------------------------------------------------------

    def _units(self):
        """Of each cell the number of its unit, and which units stay."""
        parent = {name: name for name in self.cells}

        def root(name):
            while parent[name] != name:
                parent[name] = parent[parent[name]]
                name = parent[name]
            return name

        for name, sink in self.glued:
            parent[root(sink)] = root(name)
        memories = {self.spots[name][0]: name for name in self.cells
                    if self.spots[name][1] == _MEMORY_SLOT}
        for name, (place, slot) in self.spots.items():
            if place in memories and slot < _MEMORY_TABLES:
                parent[root(name)] = root(memories[place])
        numbers, fixed = {}, {}
        for name in self.cells:
            unit = numbers.setdefault(root(name), len(numbers))
            fixed[unit] = fixed.get(unit, False) or self._kind(name) == _FIXED
        return [numbers[root(name)] for name in self.cells], fixed

    def count_units(self):
        """How many units there are."""
        return len(self._units()[1])

    def _is_in_slice(self, name):
        return self.spots[name][0][2] is None

    def _kind(self, name):
        return 0 if self._is_in_slice(name) else _SITES.get(self.cells[name]["type"], _FIXED)

    # -- time ----------------------------------------------------------------------------------

    def _is_table(self, name):
        cell = self.cells[name]
        return cell["type"] == "TRELLIS_COMB" or (
            cell["type"] == "MULT18X18D" and not _registers(cell))

    def launch(self, name, port):
        """When an output of a cell is there after the clock, in ns, or -1 if it follows inputs."""
        cell = self.cells[name]
        if self._is_table(name):
            return -1
        if cell["type"] == "MULT18X18D":
            return _PRODUCT[_registers(cell)[-1]]
        if cell["type"] == "DP16KD":
            side = "B" if port.startswith("DOB") else "A"
            return _READ[side, cell["parameters"].get(f"REGMODE_{side}", "NOREG")]
        return _CLOCK_TO_Q if cell["type"] == "TRELLIS_FF" else 0

    def edges_of(self, wire, name, port):
        """``(wire, net or -1, delay)`` of what comes in at a port."""
        cell = self.cells[name]
        if not self._is_table(name):
            return [(wire, -1, _setup(cell, port))]
        if port == "WRE":
            return [(wire, -1, _WRITE_SETUP)]
        if cell["type"] == "TRELLIS_COMB" and port not in _TABLE_INPUTS:
            return []
        return [(wire, self.nets[bit], _through(cell, port, out))
                for out, bits in cell["connections"].items() for bit in bits
                if bit in self.nets and self.driver[bit][0] == name
                and _depends(cell, port, out)]

    # -- to the program and back ---------------------------------------------------------------

    def problem(self, period):
        """What the program reads."""
        lines = [f"{period} {STEP}", str(len(self.tiles))]
        kinds = {place: self._kind(name) for name, (place, _) in self.spots.items()}
        lines += [f"{x} {y} {kinds.get((x, y, site), 0)}" for x, y, site in self.tiles]
        units, fixed = self._units()
        lines.append(str(len(fixed)))
        lines += [str(int(fixed[unit])) for unit in range(len(fixed))]
        lines.append(str(len(self.cells)))
        sets = {}
        for name, unit in zip(self.cells, units):
            place, slot = self.spots[name]
            cell = self.cells[name]
            tile_set = slice_set = -1
            if cell["type"] == "TRELLIS_FF":
                tile_set = sets.setdefault(_shared(
                    cell, ("CLK", "LSR"), ("CLKMUX", "LSRMUX", "SRMODE")), len(sets))
                slice_set = sets.setdefault(_shared(cell, ("CE",), ("CEMUX", "GSR")), len(sets))
            selects = any(isinstance(bit, int) for bit in cell["connections"].get("M", ()))
            lines.append(f"{self.tiles[place]} {slot} {unit} {tile_set} {slice_set} "
                         f"{int(selects)} {_wires_into(cell)}")
        lines.append(str(len(self.driver)))
        lines += [f"{self.number[name]} {self.launch(name, port)}"
                  for name, port in self.driver.values()]
        wires, edges = [], []
        for bit, net in self.nets.items():
            for name, port in self.sinks.get(bit, ()):
                inside = port in _INSIDE and self._is_in_slice(name)
                edges += self.edges_of(len(wires), name, port)
                wires.append((net, self.number[name], int(inside)))
        for rows in (wires, edges):
            lines.append(str(len(rows)))
            lines += [" ".join(map(str, row)) for row in rows]
        return "\n".join(lines) + "\n"

    def put(self, answer):
        """Gives each cell the place that the program found."""
        places = list(self.tiles)
        for name, line in zip(self.cells, answer.splitlines(), strict=True):
            tile, slot = map(int, line.split())
            x, y, site = places[tile]
            attributes = self.cells[name]["attributes"]
            if site is None:
                half = slot % 2
                site = f"SLICE{'ABCD'[slot % 8 // 2]}." + (
                    f"FF{half}" if slot >= 8 else f"K{half}")
                if slot == _MEMORY_SLOT:
                    site = attributes["NEXTPNR_BEL"].split("/")[2]
            attributes["BEL"] = f"X{x}/Y{y}/{site}"
            del attributes["NEXTPNR_BEL"]
            attributes.pop("BEL_STRENGTH", None)


def _depends(cell, port, out):
    """Whether an output of a table depends on an input: the wide multiplexer beside it, whose
    output is ``OFX``, has inputs of its own, and only the first table's comes in as its output."""
    if out != "OFX":
        return port not in ("M", "FXA", "FXB", "F1")
    return port in ("M", "FXA", "FXB", "F1") or bool(cell["connections"].get("F1"))


def _through(cell, port, out):
    """Delay of a table, in ns."""
    if cell["type"] == "MULT18X18D":
        return _MULTIPLY
    if port == "FCI":
        return _CARRY.get(out, _LOOK_UP[out])
    return _BESIDE_TABLE.get(port) or _LOOK_UP[out]


def _setup(cell, port):
    """How long before the clock an input has to be there, in ns."""
    if cell["type"] == "TRELLIS_FF" and port == "LSR":
        return _RESET_SETUP
    if cell["type"] == "MULT18X18D" and port[0] in "AB":
        return _FACTOR_SETUP[_registers(cell)[0]]
    return _BLOCK_SETUP if cell["type"] in _SITES else 0


def _registers(cell):
    """Which registers a multiplier has, in the order of the data."""
    return [place for place, register in (("INPUT", "INPUTA"), ("PIPELINE", "PIPELINE"),
                                          ("OUTPUT", "OUTPUT"))
            if cell["parameters"].get(f"REG_{register}_CLK", "NONE") != "NONE"]


def _wires_into(cell):
    """How many wires come to a cell out of the fabric, clocks left out."""
    return sum(cell["port_directions"].get(port) == "input" and port not in _NOT_OUT_OF_FABRIC
               and any(isinstance(bit, int) for bit in bits)
               for port, bits in cell["connections"].items())


def _shared(cell, ports, parameters):
    """What registers of a tile or a slice have in common."""
    return (*(str(cell["connections"].get(port)) for port in ports),
            *(cell["parameters"].get(parameter) for parameter in parameters))
