"""Place and route of an ECP5 netlist by nextpnr with the refiner and router of ecp5_pnr.

nextpnr places, ``refine`` improves the placement, ``route`` routes, and nextpnr completes the
routing, reports the timing and writes the configuration.
"""

import json
import pathlib
import time
from collections.abc import Sequence

from build_result import digest
from ecp5_pnr.native import compile_programs
from ecp5_pnr.permutations import forbidden_permutations
from ecp5_pnr.refiner import refine
from ecp5_pnr.router import die_of, route
from ecp5_pnr.sources import refiner_sources, router_sources
from fpga_flow import progress
from toolchains import TOOLCHAINS
from watched import run_watched
from weft_boards._board import Board
from weft_host.atomic_file import write_atomically

__all__ = ["compile_programs", "forbidden_permutations", "inputs", "place_and_refine",
           "route_refined"]


def inputs(chosen: Board, folder: pathlib.Path, device_options: Sequence[str],
           seed: int) -> list[str]:
    """Return what the results of both steps depend on, besides nextpnr's last run."""
    return [*_placement_inputs(chosen, folder, device_options, seed), digest(*router_sources())]


def _placement_inputs(chosen: Board, folder: pathlib.Path, device_options: Sequence[str],
                      seed: int) -> list[str]:
    tools = TOOLCHAINS["ecp5"]
    return [digest(folder / "ready.json", folder / f"top.{tools.constraints}",
                   *refiner_sources()),
            tools.versions()["nextpnr"],
            *tools.place_command(device_options, seed=seed, mhz=chosen.clock_hz / 1e6)]


def place_and_refine(chosen: Board, folder: pathlib.Path, device_options: Sequence[str],
                     seed: int) -> tuple[int, float]:
    """Write the placed netlist ``refined-SEED.json``, unless it is there with the same inputs.

    Returns
    -------
    (:class:`int`, :class:`float`)
        nextpnr's exit status, and the seconds that the step takes. Its log is ``place-SEED.log``.
    """
    mhz = chosen.clock_hz / 1e6
    refined, stamp = f"refined-{seed}.json", folder / f"placement-{seed}.json"
    wanted = _placement_inputs(chosen, folder, device_options, seed)
    if stamp.exists():
        kept = json.loads(stamp.read_text())
        if kept["inputs"] == wanted and (folder / refined).exists():
            progress(f"{chosen.name}: seed {seed}: the placement is up to date")
            return 0, kept["seconds"]
        stamp.unlink()
    begin = time.monotonic()
    placed = f"unrefined-{seed}.json"
    status, _ = run_watched(
        TOOLCHAINS["ecp5"].place_command(device_options, seed=seed, mhz=mhz), folder,
        f"place-{seed}.log", f"{chosen.name}: placement, seed {seed}")
    if status:
        return status, time.monotonic() - begin
    first, *_, last = refine(folder, placed, refined, mhz=mhz, seed=seed,
                             grade=_grade(device_options),
                             title=f"{chosen.name}: placement refinement, seed {seed}")
    progress(f"{chosen.name}: before, {first}")
    progress(f"{chosen.name}: after, {last}")
    (folder / placed).unlink()
    seconds = time.monotonic() - begin
    write_atomically(stamp, json.dumps({"inputs": wanted, "seconds": seconds}))
    return 0, seconds


def route_refined(chosen: Board, folder: pathlib.Path, device_options: Sequence[str],
                  seed: int) -> str:
    """Route ``refined-SEED.json``; return the name of the netlist for nextpnr's last run."""
    routed = f"routed-{seed}.json"
    lines = route(folder, f"refined-{seed}.json", routed, die=die_of(device_options),
                  mhz=chosen.clock_hz / 1e6, grade=_grade(device_options), seed=seed,
                  title=f"{chosen.name}: routing, seed {seed}")
    progress(f"{chosen.name}: {lines[-1]}")
    return routed


def _grade(device_options: Sequence[str]) -> int:
    return int(device_options[device_options.index("--speed") + 1])
