"""Place and route of a netlist with one seed; results with the same inputs are kept."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import sys
import time
from collections.abc import Sequence

from build_result import count_resources, digest, facts, keep
from fpga_flow import progress
from nextpnr_report import Timing, overflow, read_timing
from toolchains import TOOLCHAINS
from watched import run_watched
from weft_boards._board import Board
from weft_host.atomic_file import write_atomically

__all__ = ["compile_programs", "place_and_route"]


@dataclasses.dataclass(frozen=True)
class _Run:
    """Exit status and log of the last tool, and the seconds that all of them take."""

    status: int
    log: str
    seconds: float


def compile_programs(pnr: str, folder: pathlib.Path) -> None:
    """Compile what ``pnr`` needs into ``folder``; exit with a message if that is not possible."""
    if pnr == "ecp5_pnr":
        import ecp5_flow  # a build with nextpnr alone needs neither the package nor a compiler
        ecp5_flow.compile_programs(folder)


def place_and_route(chosen: Board, folder: pathlib.Path, device_options: Sequence[str], seed: int,
                    pnr: str) -> tuple[Timing, float]:
    """Place and route ``ready.json``, unless the results with the same inputs are there.

    Parameters
    ----------
    chosen : :class:`weft_boards._board.Board`
        The board.
    folder : :class:`pathlib.Path`
        Folder of the build. The results are ``nextpnr-SEED.log``, ``report-SEED.json``,
        ``placed-SEED.json`` and the configuration, where the family has one.
    device_options : sequence of :class:`str`
        nextpnr's options for device and pins.
    seed : :class:`int`
        Seed of the placement.
    pnr : :class:`str`
        ``ecp5_pnr`` or ``nextpnr``; see :func:`toolchains.pnr_for`.

    Returns
    -------
    (:class:`Timing`, :class:`float`)
        Timing, and the seconds that place and route take.
    """
    tools = TOOLCHAINS[chosen.device.family]
    mhz = chosen.clock_hz / 1e6
    stamp = folder / f"seed-{seed}.json"
    inputs = _inputs(chosen, folder, device_options, seed, pnr)
    results = [f"nextpnr-{seed}.log", f"report-{seed}.json", f"placed-{seed}.json",
               *(option.replace("SEED", str(seed)) for option in tools.placed if "SEED" in option)]
    if stamp.exists():
        kept = json.loads(stamp.read_text())
        if kept["inputs"] == inputs and all((folder / name).exists() for name in results):
            progress(f"{chosen.name}: seed {seed}: place and route is up to date")
            return read_timing(folder / f"report-{seed}.json", mhz), kept["seconds"]
        stamp.unlink()
    if pnr == "ecp5_pnr":
        run = _run_ecp5_pnr(chosen, folder, device_options, seed)
    else:
        run = _run_nextpnr(chosen, folder, device_options, seed)
    _check(chosen, folder, run, pnr)
    if pnr == "ecp5_pnr":
        _check_permutations(chosen, folder, seed)
    timing = read_timing(folder / f"report-{seed}.json", mhz)
    write_atomically(stamp, json.dumps({"inputs": inputs, "seconds": run.seconds}))
    return timing, run.seconds


def _inputs(chosen: Board, folder: pathlib.Path, device_options: Sequence[str], seed: int,
            pnr: str) -> list[str]:
    """Return what the results depend on."""
    tools = TOOLCHAINS[chosen.device.family]
    command = tools.pnr_command(device_options, seed=seed, mhz=chosen.clock_hz / 1e6)
    if pnr == "ecp5_pnr":
        import ecp5_flow
        return [*ecp5_flow.inputs(chosen, folder, device_options, seed), *command]
    return [digest(folder / "ready.json", folder / f"top.{tools.constraints}"),
            tools.versions()["nextpnr"], *command]


def _run_nextpnr(chosen: Board, folder: pathlib.Path, device_options: Sequence[str], seed: int,
                 netlist: str = "ready.json", step: str = "place and route") -> _Run:
    log = f"nextpnr-{seed}.log"
    command = TOOLCHAINS[chosen.device.family].pnr_command(
        device_options, seed=seed, mhz=chosen.clock_hz / 1e6, netlist=netlist)
    status, seconds = run_watched(command, folder, log, f"{chosen.name}: {step}, seed {seed}")
    return _Run(status, log, seconds)


def _run_ecp5_pnr(chosen: Board, folder: pathlib.Path, device_options: Sequence[str],
                  seed: int) -> _Run:
    import ecp5_flow
    status, seconds = ecp5_flow.place_and_refine(chosen, folder, device_options, seed)
    if status:
        return _Run(status, f"place-{seed}.log", seconds)
    begin = time.monotonic()
    routed = ecp5_flow.route_refined(chosen, folder, device_options, seed)
    run = _run_nextpnr(chosen, folder, device_options, seed, routed, "clock routing and timing")
    if not run.status:
        (folder / routed).unlink()
    return _Run(run.status, run.log, seconds + time.monotonic() - begin)


def _check(chosen: Board, folder: pathlib.Path, run: _Run, pnr: str) -> None:
    """Exit with a message if the design does not fit, or a tool failed."""
    text = (folder / run.log).read_text()
    too_much = overflow(text)
    if too_much:
        keep(folder, {**facts(chosen, pnr), "fits": False,
                      "used": count_resources(chosen, folder, text)})
        sys.exit(f"{chosen.name}: {chosen.config.name} does not fit the {chosen.device.name}: "
                 f"{'; '.join(too_much)}; log in {folder / run.log}")
    if run.status:
        errors = [line for line in text.splitlines() if line.startswith("ERROR")]
        sys.exit(f"{chosen.name}: {TOOLCHAINS[chosen.device.family].nextpnr} ended with status "
                 f"{run.status}: {errors[-1] if errors else 'no reason given'}; log in "
                 f"{folder / run.log}")


def _check_permutations(chosen: Board, folder: pathlib.Path, seed: int) -> None:
    """Exit with a message if nextpnr has permuted inputs that must not be permuted."""
    import ecp5_flow
    wrong = ecp5_flow.forbidden_permutations(folder / f"placed-{seed}.json")
    if wrong:
        sys.exit(f"{chosen.name}: {TOOLCHAINS['ecp5'].nextpnr} has permuted inputs of {len(wrong)} "
                 f"LUTs that must not be permuted, such as {wrong[0]}; no bitstream was written")
