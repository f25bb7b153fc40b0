"""nextpnr's reports: utilisation of the device, clock and critical path."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import re
from typing import Any

from weft_boards._clock import mhz_text

__all__ = ["Step", "Timing", "overflow", "read_timing", "utilisation"]

_USED = re.compile(r"^Info:\s+(\w+):\s+(\d+)/\s*(\d+)\s+(\d+)%", re.MULTILINE)

Step = tuple[str, float, str, str]
"""Step of a path: kind, delay in ns, and the pins where it begins and ends."""


@dataclasses.dataclass(frozen=True)
class Timing:
    """Timing of one run of place and route.

    Attributes
    ----------
    mhz : :class:`float`
        Clock that is reached, rounded down to 0.1 MHz: a clock that is missed narrowly does not
        read as if it were met.
    path : list of :data:`Step`
        Critical path of that clock.
    """

    mhz: float
    path: list[Step]


def utilisation(log: str) -> dict[str, tuple[int, int]]:
    """Return ``{cell type: (used, available)}`` from a log, for the types that are used."""
    return {name: (int(used), int(available)) for name, used, available, _ in _USED.findall(log)
            if int(used)}


def overflow(log: str) -> list[str]:
    """Return the cell types of which the device has too few: ``["LUT4 9000 of 5280", ...]``."""
    return [f"{name} {used:,} of {available:,}" for name, (used, available)
            in utilisation(log).items() if used > available]


def read_timing(path: pathlib.Path, clock_mhz: float) -> Timing:
    """Read the timing of the clock with the constraint ``clock_mhz`` from nextpnr's report.

    Raises
    ------
    ValueError
        If the report has no such clock: its figures would be those of another one.
    """
    report = json.loads(path.read_text())
    clocks = {name: entry for name, entry in report["fmax"].items()
              if abs(entry["constraint"] - clock_mhz) < 0.01 * clock_mhz}
    if not clocks:
        constraints = {name: entry["constraint"] for name, entry in report["fmax"].items()}
        raise ValueError(f"{path} has no clock of {clock_mhz:g} MHz, only {constraints}")
    name = min(clocks, key=lambda name: clocks[name]["achieved"])
    steps: list[Step] = []
    for entry in report["critical_paths"]:
        if name in entry["from"].split() and name in entry["to"].split():   # "posedge clk"
            steps = [(step["type"], step["delay"], _pin(step["from"]), _pin(step["to"]))
                     for step in entry["path"]]
            break
    return Timing(float(mhz_text(1e6 * clocks[name]["achieved"])), steps)


def _pin(end: dict[str, Any]) -> str:
    return f"{end['cell']}.{end['port']}"
