"""Delays of ECP5 cells, in nanoseconds at speed grade 6, from nextpnr's timing database."""

from __future__ import annotations

from typing import Any

__all__ = ["CLOCK_PINS", "SITE_TYPES", "SPEEDUP", "TILE_DELAY", "clock_to_output",
           "combinational_delay", "depends", "is_combinational", "setup_time"]

Cell = dict[str, Any]

CLOCK_PINS = {"CLK", "CLK0", "CLK1", "CLK2", "CLK3", "CLKA", "CLKB", "WCK"}
SITE_TYPES = {"MULT18X18D": 1, "DP16KD": 2}
"""Cells that have sites of their own type, and the number of the type."""

TILE_DELAY = 0.080
"""Delay, in ns, that nextpnr's estimate adds for each tile of distance."""

SPEEDUP = {6: 1.0, 7: 1.129, 8: 1.295}
"""Factor by which a speed grade is faster than grade 6.

Source: one routed LFE5U-85F, timed as each grade: 100.6, 113.6 and 130.3 MHz.
"""

_CLOCK_TO_Q = 0.525
_RESET_SETUP, _WRITE_SETUP = 0.424, 0.392       # other inputs of FFs need none
_LUT = {"F": 0.236, "FCO": 0.447, "OFX": 0.401}
_WIDE_MULTIPLEXER = {"M": 0.256, "F1": 0.165, "FXA": 0.239, "FXB": 0.242}
_CARRY = {"FCO": 0.071, "F": 0.443}
# of a multiplier, by its last and its first registers, and without any
_PRODUCT = {"OUTPUT": 0.735, "PIPELINE": 1.334, "INPUT": 3.864}
_FACTOR_SETUP = {"INPUT": 0.084, "PIPELINE": 2.625, "OUTPUT": 3.486}
_MULTIPLY = 3.927
# of a block RAM's ports, without and with the output register
_READ = {("A", "NOREG"): 5.609, ("B", "NOREG"): 5.830,
         ("A", "OUTREG"): 0.956, ("B", "OUTREG"): 0.973}
_BLOCK_SETUP = 0.251                    # of an address; used for all other inputs of blocks, too
_LUT_INPUTS = {"A", "B", "C", "D", "M", "FCI", "FXA", "FXB", "F1"}
_MULTIPLEXER_INPUTS = ("M", "FXA", "FXB", "F1")


def is_combinational(cell: Cell) -> bool:
    """Return whether the outputs of a cell follow its inputs: a LUT, or a plain multiplier."""
    return cell["type"] == "TRELLIS_COMB" or (
        cell["type"] == "MULT18X18D" and not _registers(cell))


def clock_to_output(cell: Cell, port: str) -> float:
    """Return the delay from the clock to an output; -1 if the output is combinational."""
    if is_combinational(cell):
        return -1
    if cell["type"] == "MULT18X18D":
        return _PRODUCT[_registers(cell)[-1]]
    if cell["type"] == "DP16KD":
        side = "B" if port.startswith("DOB") else "A"
        return _READ[side, cell["parameters"].get(f"REGMODE_{side}", "NOREG")]
    return _CLOCK_TO_Q if cell["type"] == "TRELLIS_FF" else 0


def setup_time(cell: Cell, port: str) -> float | None:
    """Return the setup time of an input; None if no register samples the input."""
    if is_combinational(cell):
        return _WRITE_SETUP if port == "WRE" else None
    if cell["type"] == "TRELLIS_FF" and port == "LSR":
        return _RESET_SETUP
    if cell["type"] == "MULT18X18D" and port[0] in "AB":
        return _FACTOR_SETUP[_registers(cell)[0]]
    return _BLOCK_SETUP if cell["type"] in SITE_TYPES else 0


def depends(cell: Cell, port: str, out: str) -> bool:
    """Return whether an output of a combinational cell depends on an input.

    ``OFX`` is the output of the wide multiplexer beside a LUT, which has inputs of its own. The LUT
    is one of them only where the multiplexer selects between two LUTs, the other one at ``F1``.
    """
    if cell["type"] != "TRELLIS_COMB":
        return True
    if port not in _LUT_INPUTS:
        return False
    if out != "OFX":
        return port not in _MULTIPLEXER_INPUTS
    return port in _MULTIPLEXER_INPUTS or bool(cell["connections"].get("F1"))


def combinational_delay(cell: Cell, port: str, out: str) -> float:
    """Return the delay from an input to an output of a combinational cell."""
    if cell["type"] == "MULT18X18D":
        return _MULTIPLY
    if port == "FCI":
        return _CARRY.get(out, _LUT[out])
    return _WIDE_MULTIPLEXER.get(port) or _LUT[out]


def _registers(cell: Cell) -> list[str]:
    """Return the registers of a multiplier that are used, in the order of the data."""
    return [stage for stage, register in (("INPUT", "INPUTA"), ("PIPELINE", "PIPELINE"),
                                          ("OUTPUT", "OUTPUT"))
            if cell["parameters"].get(f"REG_{register}_CLK", "NONE") != "NONE"]
