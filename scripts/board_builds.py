"""Kept results of the boards: which builds represent a board, and which are rejected."""

from __future__ import annotations

import json
import math
import re
import statistics
import sys
from collections.abc import Mapping
from typing import Any

from fpga_flow import ROOT, progress
from toolchains import pnr_for
from weft_boards import board, board_names
from weft_boards._board import Board

__all__ = ["KEPT", "MIN_SEEDS", "check_complete", "collect", "is_current", "read_kept",
           "reason_to_reject"]

KEPT = ROOT / "docs" / "boards.json"
MIN_SEEDS = 3


def read_kept() -> dict[str, Any]:
    """Return the kept results: ``{"builds": {board: result}, "cycles": {board: {...}}}``."""
    if not KEPT.exists():
        return {"builds": {}, "cycles": {}}
    try:
        kept: dict[str, Any] = json.loads(KEPT.read_text())
        for result in kept["builds"].values():
            check_complete(result)
        for entry in kept["cycles"].values():
            _check_cycles(entry)
    except (ValueError, LookupError, TypeError, AttributeError, OSError) as error:
        sys.exit(f"{KEPT} is damaged: {error}; nothing is written. To restore it: git checkout "
                 "docs/boards.json")
    return kept


def collect(kept: dict[str, Any]) -> None:
    """Replace kept builds by those in ``build``, where they match the boards' files."""
    for name in board_names():
        path = ROOT / "build" / name / "result.json"
        if not path.exists():
            continue
        try:
            result = json.loads(path.read_text())
            check_complete(result)
        except (ValueError, LookupError, TypeError, AttributeError, OSError):
            sys.exit(f"{path} is not a complete result of make bitstream; nothing is written. Run "
                     f"make bitstream BOARD={name} again, or remove the file")
        reason = reason_to_reject(board(name), result)
        for tool in ("yosys", "nextpnr"):       # without how and where they were built
            found = re.search(r"Yosys [\d.+]+|nextpnr-[\d.]+", result[tool])
            result[tool] = found[0] if found else result[tool]
        if reason:
            progress(f"{name}: the build in {path.parent} is left out: {reason}")
            continue
        kept["builds"][name] = result


def reason_to_reject(chosen: Board, result: Mapping[str, Any]) -> str | None:
    """Return why a build does not represent its board; None if it does.

    Results of older versions have no rate and no program for place and route: they had the ones of
    the board, and the default.
    """
    expected = {"board": chosen.name, "device": chosen.device.name, "baud": chosen.baud,
                "clock_mhz": chosen.clock_hz / 1e6, "config": chosen.config.name,
                "pnr": pnr_for(chosen.device.family)}
    for name, value in expected.items():
        if result.get(name, value) != value:
            return f"its {name} is {result[name]}, the board's {value}"
    seeds = len(result["mhz"]) if result["fits"] else MIN_SEEDS
    if seeds < MIN_SEEDS:
        return (f"a median needs at least {MIN_SEEDS} seeds, and the build has {seeds}: make "
                f"bitstream BOARD={chosen.name} SEEDS=\"1 2 3\"")
    return None


def is_current(chosen: Board, result: Mapping[str, Any]) -> bool:
    """Return whether a build, or cycles, are of the configuration in the board's file."""
    expected = {"board": chosen.name, "device": chosen.device.name, "config": chosen.config.name}
    return all(result.get(name, value) == value for name, value in expected.items())


def check_complete(result: Mapping[str, Any]) -> None:
    """Check that a result has all entries, and that they are of the right type.

    Raises
    ------
    ValueError, LookupError, TypeError, AttributeError
        If it is not a result of :mod:`bitstream`.
    """
    for name in ("board", "device", "config", "yosys", "nextpnr"):
        _check(isinstance(result[name], str), name)
    for name in ("fits", "fmax_trusted"):
        _check(isinstance(result[name], bool), name)
    _check(isinstance(result.get("pnr", ""), str), "pnr")
    _check(_is_number(result["clock_mhz"]) and _is_number(result.get("baud", 1)), "clocks")
    _check(bool(result["used"]) and all(
        len(pair) == 2 and all(isinstance(count, int) for count in pair)
        for pair in result["used"].values()), "used")
    if not result["fits"]:
        return
    for name in ("mhz", "place_seconds"):
        _check(bool(result[name]) and all(map(_is_number, result[name].values())), name)
    _check(_is_number(result["synthesis_seconds"]), "synthesis_seconds")
    _check(result["median_mhz"] == statistics.median(result["mhz"].values()), "median_mhz")
    _check(len(result["critical_path"]) == 2 and all(
        isinstance(end, str) for end in result["critical_path"]), "critical_path")


def _check_cycles(entry: Mapping[str, Any]) -> None:
    _check(isinstance(entry["config"], str), "config")
    for network in entry["networks"].values():
        _check(all(network[name] is None or _is_number(network[name])
                   for name in ("bytes", "cycles")), "networks")
        _check(_is_number(network.get("macs", 0)), "networks")      # older results have none


def _check(right: bool, name: str) -> None:
    if not right:
        raise ValueError(f"{name} has an invalid value")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and (
        math.isfinite(value) and value >= 0)
