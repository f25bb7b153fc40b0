"""Names that nextpnr gives to the wires at the ports of ECP5 cells."""

from __future__ import annotations

import re
from typing import Any

from .bels import LUTS, SLICES, WRITE_PORT, Bel
from .cell_timing import CLOCK_PINS

__all__ = ["NO_WIRE", "wire_at"]

NO_WIRE = "0"
"""Result of :func:`wire_at` for a port that nextpnr routes by itself."""

_NECESSARY, _OPTIONAL = "1", "2"        # whether the device must have a wire of the name
_SLICE_CELLS = {"TRELLIS_COMB", "TRELLIS_FF", "TRELLIS_RAMW"}
_SITE_SUFFIXES = {"DP16KD": "EBR", "MULT18X18D": "MULT18"}
_IO_REGISTERS, _IO_DATA = {"IOLOGIC", "SIOLOGIC"}, re.compile(r"(TX|TS|RX)DATA\d$|LSR$|CE$")
_PAD_WIRES = {"O": "JPADDI", "I": "PADDO", "T": "PADDT"}


def wire_at(cell: dict[str, Any], bel: Bel, port: str, *, clocked_by_fabric: bool) -> str:
    """Return the wire at a port, in the syntax of the program ``route``.

    Parameters
    ----------
    cell : :class:`dict`
        Cell of the netlist.
    bel : :class:`Bel`
        Its bel.
    port : :class:`str`
        Name of the port.
    clocked_by_fabric : :class:`bool`
        For a clock input: whether its net is outside of the clock network.

    Returns
    -------
    :class:`str`
        ``1 X Y WIRE``, ``2 X Y WIRE`` if the device may lack the wire, or :data:`NO_WIRE`.
    """
    kind = cell["type"]
    here = f"{bel.x} {bel.y}"
    if port in CLOCK_PINS:
        if not clocked_by_fabric or kind != "TRELLIS_FF":
            return NO_WIRE
        return f"{_NECESSARY} {here} CLK{bel.number % LUTS // 2}_SLICE"
    if kind in _SITE_SUFFIXES:
        return f"{_NECESSARY} {here} J{port}_{_SITE_SUFFIXES[kind]}"
    if kind in _SLICE_CELLS:
        return f"{_NECESSARY} {here} {_slice_wire(bel.number, port)}_SLICE"
    letter = bel.name[-1]                       # of the pad, outside of slices
    if kind == "TRELLIS_IO" and port in _PAD_WIRES:
        return f"{_OPTIONAL} {here} {_PAD_WIRES[port]}{letter}_PIO"
    if kind in _IO_REGISTERS and _IO_DATA.match(port):
        return f"{_OPTIONAL} {here} J{port}{letter}_{kind}"
    if kind == "EHXPLLL":
        return f"{_OPTIONAL} {here} {'' if port in ('CLKI', 'CLKFB') else 'J'}{port}_PLL"
    if kind == "DCCA" and port == "CE":
        # the database has all wires of the clock network in one tile
        return f"{_OPTIONAL} 0 0 G_JCE_{bel.name}"
    return NO_WIRE


def _slice_wire(number: int, port: str) -> str:
    if number == WRITE_PORT:                    # its ports are wires of the third slice
        return f"{port[0]}{4 + int(port[1])}" if len(port) == 2 else f"{port}C"
    lut, half = number % LUTS, number % 2
    slice_number = lut // 2
    letter = SLICES[slice_number]
    first_carry = "FCI" if letter == "A" else f"FCI{letter}"
    last_carry = "FCO" if letter == "D" else f"FCO{letter}"
    return {
        "OFX": f"FX{letter}" if half else f"F5{letter}",
        "FXA": f"FXA{letter}", "FXB": f"FXB{letter}", "F1": f"F{lut + 1}",
        "FCI": f"FCI{letter}1" if half else first_carry,
        "FCO": last_carry if half else f"FCI{letter}1",
        "WD": f"WD{half}{letter}",
        **{name: f"{name}{letter}" for name in ("WAD0", "WAD1", "WAD2", "WAD3")},
        **{name: f"{name}{slice_number}" for name in ("CE", "LSR", "WRE")},
    }.get(port, f"{port}{lut}")
