"""Builds of the boards: which of them count, and what is kept of them."""

import json
import math
import re
import statistics
import sys

from fpga_flow import ROOT, progress
from weft_boards import board, board_names

__all__ = ["KEPT", "MIN_SEEDS", "check_whole", "collect", "is_current", "read_kept", "why_not"]

KEPT = ROOT / "docs" / "boards.json"
MIN_SEEDS = 3


def read_kept():
    """What is kept: ``{"builds": {board: result}, "cycles": {board: {...}}}``."""
    if not KEPT.exists():
        return {"builds": {}, "cycles": {}}
    try:
        kept = json.loads(KEPT.read_text())
        for result in kept["builds"].values():
            check_whole(result)
        for entry in kept["cycles"].values():
            _check_cycles(entry)
    except (ValueError, LookupError, TypeError, AttributeError, OSError) as error:
        sys.exit(f"{KEPT} is damaged: {error}; nothing is written. Take the one in git: git "
                 "checkout docs/boards.json")
    return kept


def collect(kept):
    """Takes over the newest builds that are of the boards as their files have them."""
    for name in board_names():
        path = ROOT / "build" / name / "result.json"
        if not path.exists():
            continue
        try:
            result = json.loads(path.read_text())
            check_whole(result)
        except (ValueError, LookupError, TypeError, AttributeError, OSError):
            sys.exit(f"{path} is no whole result of make bitstream; nothing is written. Run make "
                     f"bitstream BOARD={name} again, or remove the file")
        wrong = why_not(board(name), result)
        for tool in ("yosys", "nextpnr"):       # without how and where they were built
            found = re.search(r"Yosys [\d.+]+|nextpnr-[\d.]+", result[tool])
            result[tool] = found[0] if found else result[tool]
        if wrong:
            progress(f"{name}: the build in {path.parent} is left out: {wrong}")
            continue
        kept["builds"][name] = result


def why_not(chosen, result):
    """Why a build does not stand for its board; None if it does.

    Builds from before ``BAUD=`` do not tell their rate, which was the board's.
    """
    asked = {"board": chosen.name, "device": chosen.device.name, "baud": chosen.baud,
             "clock_mhz": chosen.clock_hz / 1e6, "config": chosen.config.name}
    for what, value in asked.items():
        if result.get(what, value) != value:
            return f"its {what} is {result[what]}, the board's {value}"
    seeds = len(result["mhz"]) if result["fits"] else MIN_SEEDS
    if seeds < MIN_SEEDS:
        return (f"the median is one of at least {MIN_SEEDS} seeds, and it has {seeds}: make "
                f"bitstream BOARD={chosen.name} SEEDS=\"1 2 3\"")
    return None


def is_current(chosen, result):
    """Whether a build, or cycles, were of what the board's file asks for now."""
    asked = {"board": chosen.name, "device": chosen.device.name, "config": chosen.config.name}
    return all(result.get(what, value) == value for what, value in asked.items())


def check_whole(result):
    """Refuses a result in which something lacks, or is of another kind than it should be.

    Raises
    ------
    ValueError, LookupError, TypeError, AttributeError
        If it is not what :mod:`bitstream` leaves.
    """
    for name in ("board", "device", "config", "yosys", "nextpnr"):
        _check(isinstance(result[name], str), name)
    for name in ("fits", "fmax_trusted"):
        _check(isinstance(result[name], bool), name)
    _check(_is_number(result["clock_mhz"]) and _is_number(result.get("baud", 1)), "clocks")
    _check(result["used"] and all(
        len(pair) == 2 and all(isinstance(count, int) for count in pair)
        for pair in result["used"].values()), "used")
    if not result["fits"]:
        return
    for name in ("mhz", "place_seconds"):
        _check(result[name] and all(map(_is_number, result[name].values())), name)
    _check(_is_number(result["synthesis_seconds"]), "synthesis_seconds")
    _check(result["median_mhz"] == statistics.median(result["mhz"].values()), "median_mhz")
    _check(len(result["critical_path"]) == 2 and all(
        isinstance(end, str) for end in result["critical_path"]), "critical_path")


def _check_cycles(entry):
    _check(isinstance(entry["config"], str), "config")
    for network in entry["networks"].values():
        _check(all(network[what] is None or _is_number(network[what])
                   for what in ("bytes", "cycles")), "networks")


def _check(right, what):
    if not right:
        raise ValueError(f"{what} is not what it should be")


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and (
        math.isfinite(value) and value >= 0)
