"""Result of a board's build: what is kept in ``result.json``, and what is printed."""

from __future__ import annotations

import hashlib
import json
import pathlib
from collections.abc import Mapping
from typing import Any

from nextpnr_report import Step, utilisation
from toolchains import TOOLCHAINS
from weft_boards._board import Board
from weft_boards._clock import mhz_text
from weft_host.atomic_file import write_atomically

__all__ = ["count_resources", "digest", "facts", "keep", "show"]


def facts(chosen: Board, pnr: str) -> dict[str, Any]:
    """Return what was built, and with which tools; ``pnr`` is ``ecp5_pnr`` or ``nextpnr``."""
    return {"board": chosen.name, "device": chosen.device.name, "config": chosen.config.name,
            "clock_mhz": chosen.clock_hz / 1e6, "baud": chosen.baud, "pnr": pnr,
            "fmax_trusted": chosen.fmax_trusted,
            **TOOLCHAINS[chosen.device.family].versions()}


def keep(folder: pathlib.Path, result: Mapping[str, Any]) -> None:
    """Write the result to ``folder``, where ``weft results`` reads it."""
    write_atomically(folder / "result.json", json.dumps(result, indent=1) + "\n")


def digest(*paths: pathlib.Path) -> str:
    """Return a hash of the contents of files."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def count_resources(chosen: Board, folder: pathlib.Path, log: str) -> dict[str, list[int]]:
    """Return ``{resource: [used, available]}``.

    The resources are those that :class:`toolchains.Toolchain` names. ``log`` is the text of
    nextpnr's log.
    """
    tools = TOOLCHAINS[chosen.device.family]
    used = utilisation(log)
    found = {}
    for resource in ("logic", "ffs", "dsps", "rams", "wide_rams"):
        cells = [used[name] for name in getattr(tools, resource).split() if name in used]
        if cells:
            # the smallest cells, of which there are most, are the unit
            most = max(available for _, available in cells)
            found[resource] = [sum(count * most // available for count, available in cells), most]
    if "ffs" not in found:
        # an FF shares the cell of its LUT
        types = json.loads((folder / "stat.json").read_text())["design"]["num_cells_by_type"]
        found["ffs"] = [sum(count for name, count in types.items() if "DFF" in name),
                        found["logic"][1]]
    return found


def show(result: Mapping[str, Any], path: list[Step]) -> None:
    """Print utilisation, clock and the critical path."""
    for resource, (used, available) in result["used"].items():
        print(f"  {resource:9} {used:7,} of {available:7,}  {100 * used / available:5.1f} %")
    print(f"  clock     {mhz_text(1e6 * result['mhz_best'])} MHz by nextpnr, "
          f"{mhz_text(1e6 * result['clock_mhz'])} MHz required")
    print(f"  critical path, {sum(delay for _, delay, _, _ in path):.1f} ns:")
    for kind, delay, source, sink in path:
        print(f"    {delay:6.2f} ns  {kind:12} {source} -> {sink}")
