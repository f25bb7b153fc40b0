"""Place and route of a netlist, one seed at a time; what is done is not done again."""

import json
import sys
import time

from build_result import counts, digest, facts, keep, write_whole
from fpga_flow import ROOT, progress
from nextpnr_report import overflow, read_timing
from permutations import forbidden_permutations
from refine import refine
from route import database_of, route
from toolchains import TOOLCHAINS
from watched import run_watched

__all__ = ["place"]


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
        return [digest(folder / "ready.json", folder / f"top.{_constraints(chosen)}"),
                _nextpnr(chosen), *command]
    return [*_placing_inputs(chosen, folder, device_options, seed),
            digest(*(ROOT / "scripts" / name for name in ("route.py", "route.cc"))), *command]


def _placing_inputs(chosen, folder, device_options, seed):
    """The same for the places of an ECP5's cells."""
    scripts = [ROOT / "scripts" / name for name in ("refine.py", "refine.cc", "slack.h")]
    return [digest(folder / "ready.json", folder / f"top.{_constraints(chosen)}", *scripts),
            _nextpnr(chosen), *TOOLCHAINS[chosen.device.family].place_command(
                device_options, seed=seed, mhz=chosen.clock_hz / 1e6)]


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
