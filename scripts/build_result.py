"""What is kept and shown of a board's build."""

import hashlib
import json

from nextpnr_report import utilisation
from toolchains import TOOLCHAINS

__all__ = ["counts", "digest", "facts", "keep", "show", "write_whole"]


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


def digest(*paths):
    """Tells whether files are the same as before."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def counts(chosen, folder, log):
    """``{what: [used, available]}`` for logic, flip-flops, multipliers and memories."""
    tools = TOOLCHAINS[chosen.device.family]
    used = utilisation(log)
    found = {}
    for what in ("logic", "ffs", "dsps", "rams", "wide_rams"):
        ways = [used[name] for name in getattr(tools, what).split() if name in used]
        if ways:
            # the smallest cells are the unit: of larger ones there are fewer
            most = max(available for _, available in ways)
            found[what] = [sum(count * most // available for count, available in ways), most]
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
