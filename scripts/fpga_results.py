"""Results of ``scripts/fpga_array.py`` and ``scripts/fpga_accelerator.py`` for the results page.

The scripts write ``build/fpga/*/result.json``. Place and route takes long, so the newest results
are stored in ``docs/fpga.json``.
"""

from __future__ import annotations

import json
import re
import typing
from collections.abc import Iterator, Mapping

from fpga_flow import ROOT
from markdown import table
from weft_boards._clock import mhz_text

__all__ = ["fpga_results", "fpga_section"]

STORED = ROOT / "docs" / "fpga.json"

Result: typing.TypeAlias = dict[str, typing.Any]
"""Result of a design."""


def fpga_results() -> dict[str, Result]:
    """Return the newest result of each design by name, and store them."""
    results: dict[str, Result] = json.loads(STORED.read_text()) if STORED.exists() else {}
    for path in sorted((ROOT / "build" / "fpga").glob("*/result.json")):
        results[path.parent.name] = json.loads(path.read_text())
    for found in results.values():
        for tool in ("yosys", "nextpnr"):       # without their build information
            version = re.search(r"Yosys [\d.+]+|nextpnr-[\d.+]+\w*", found[tool])
            found[tool] = version[0] if version else found[tool]
    results = dict(sorted(results.items()))
    STORED.write_text(json.dumps(results, indent=1) + "\n")
    return results


def fpga_command(found: Result) -> str:
    """Return the command that produces a result."""
    if "rows" in found:
        name, options = "array", f"--rows {found['rows']} --cols {found['cols']}"
        multiplier, dsp_cells = found["multiplier"], found["dsp_cells"]
        if not found.get("depthwise", True):
            options += " --no-depthwise"
    else:
        base, *parts = found["preset"].split("+")
        changes = dict(part.split("=") for part in parts)
        name, options = "accelerator", f"--preset {base}"
        multiplier, dsp_cells = changes["multiplier"], changes.get("dsp_cells", "None")
    options += f" --multiplier {multiplier}"
    if dsp_cells not in (None, "None"):
        options += f" --dsp-cells {dsp_cells}"
    if "target_mhz" in found:
        options += f" --frequency {found['target_mhz']:g}"
    return f"`python scripts/fpga_{name}.py {options} --seeds {' '.join(found['mhz'])}`"


def fpga_section(results: Mapping[str, Result]) -> Iterator[str]:
    """Yield the lines of the section on area and clock."""
    rows = [(name, mhz_text(1e6 * found["median_mhz"]),
             " to ".join(mhz_text(1e6 * end(found["mhz"].values())) for end in (min, max)),
             len(found["mhz"]), f"{found['luts']:,}", f"{found['ffs']:,}", found["dsps"],
             found.get("block_rams", 0)) for name, found in results.items()]
    yield from ["## Area and clock", "",
                "Synthesis by Yosys, place and route by nextpnr: **estimated by nextpnr, not",
                "measured on a board.** The clock is the median of the seeds. LUTs include those",
                "of carry chains and small memories. In a `plain` array, the depthwise input is",
                "tied off.", ""]
    yield from table(("design", "MHz", "range", "seeds", "LUT", "FF", "DSP", "block RAM"), rows)
    yield from table(("design", "device", "command"), [
        (name, found["device"], fpga_command(found)) for name, found in results.items()])
    for name, found in results.items():
        steps = found.get("critical_path")
        if steps:
            yield from [f"Critical path of `{name}`: {len(steps)} steps, from `{steps[0]}` to "
                        f"`{steps[-1]}`.", ""]
