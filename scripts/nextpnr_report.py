"""What nextpnr says about a design: how full the device is, how fast, and what is slowest."""

import dataclasses
import json
import math
import re

__all__ = ["Timing", "overflow", "read_timing", "utilisation"]

_USED = re.compile(r"^Info:\s+(\w+):\s+(\d+)/\s*(\d+)\s+(\d+)%", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Timing:
    """One run's timing.

    Attributes
    ----------
    mhz : :class:`float`
        The clock that place and route reached, rounded down: what is short of a clock by a little
        does not read as if it had reached it.
    path : list of ``(kind, delay in ns, from, to)``
        The slowest path of that clock, cell by cell.
    """

    mhz: float
    path: list


def utilisation(log):
    """``{cell type: (used, available)}`` from a log, in its order; what is not used left out."""
    return {name: (int(used), int(available)) for name, used, available, _ in _USED.findall(log)
            if int(used)}


def overflow(log):
    """What there is more of than the device has: ``["LUT4 9000 of 5280", ...]``."""
    return [f"{name} {used:,} of {available:,}" for name, (used, available)
            in utilisation(log).items() if used > available]


def read_timing(path, clock_mhz):
    """The timing in nextpnr's report: that of the clock that is asked to be ``clock_mhz``.

    Raises
    ------
    ValueError
        If the report has no such clock: its figures would be of another one.
    """
    report = json.loads(path.read_text())
    clocks = {name: entry for name, entry in report["fmax"].items()
              if abs(entry["constraint"] - clock_mhz) < 0.01 * clock_mhz}
    if not clocks:
        asked = {name: entry["constraint"] for name, entry in report["fmax"].items()}
        raise ValueError(f"{path} has no clock of {clock_mhz:g} MHz; there are {asked}")
    name = min(clocks, key=lambda name: clocks[name]["achieved"])
    steps = []
    for entry in report["critical_paths"]:
        if name in entry["from"].split() and name in entry["to"].split():   # "posedge clk"
            steps = [(step["type"], step["delay"], _pin(step["from"]), _pin(step["to"]))
                     for step in entry["path"]]
            break
    return Timing(math.floor(10 * clocks[name]["achieved"]) / 10, steps)


def _pin(end):
    return f"{end['cell']}.{end['port']}"
