"""Results page of all boards, and the table of facts for each board's own page."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping

from board_builds import is_current
from markdown import table
from weft_boards import board, board_names
from weft_boards._board import Board

__all__ = ["ESTIMATED", "facts", "page"]

Results: typing.TypeAlias = Mapping[str, typing.Any]
"""Results as ``docs/boards.json`` stores them."""

ESTIMATED = "estimated by nextpnr, not measured on a board"
TITLES = {"logic": "LUTs", "ffs": "flip-flops", "dsps": "multipliers",
          "rams": "block RAMs", "wide_rams": "SPRAMs"}


def used(result: Results) -> list[str]:
    """Return the used and the available number of each resource."""
    return [f"{result['used'][what][0]:,} of {result['used'][what][1]:,}"
            if what in result["used"] else "-" for what in TITLES]


def build_rows(kept: Results) -> Iterator[tuple[object, ...]]:
    """Yield area and clock of each board."""
    for name in board_names():
        chosen = board(name)
        result = kept["builds"].get(name)
        size = f"{chosen.config.rows} × {chosen.config.cols}"
        if result is None:
            yield (name, chosen.device.name, size, *5 * ("-",), "not built")
            continue
        clock = "does not fit"
        if result["fits"]:
            mhz = result["mhz"].values()
            clock = (f"{result['median_mhz']:.1f} ({min(mhz):.1f} to {max(mhz):.1f}, "
                     f"{len(mhz)} seed{'s' if len(mhz) > 1 else ''})")
        old = "" if is_current(chosen, result) else ", of an earlier configuration"
        yield (name, result["device"], size, *used(result), clock + old)


def usable_clock(chosen: Board, result: Results) -> float:
    """Return the median clock in MHz, at most the target clock if the estimate is unreliable."""
    median: float = result["median_mhz"]
    return median if result["fmax_trusted"] else min(median, chosen.clock_hz / 1e6)


def speed_rows(kept: Results) -> Iterator[tuple[object, ...]]:
    """Yield target clock, reached clock, peak rate and build time of each board."""
    for name in board_names():
        chosen, result = board(name), kept["builds"].get(name)
        if result is None or not result["fits"]:
            continue
        median = result["median_mhz"]
        yield (name, f"{chosen.clock_hz / 1e6:g}", f"{median:.1f}",
               "yes" if median >= chosen.clock_hz / 1e6 else "**no**",
               f"{chosen.peak_macs * usable_clock(chosen, result) / 1000:.2f}",
               f"{result['synthesis_seconds'] / 60:.0f} + "
               f"{max(result['place_seconds'].values()) / 60:.0f}",
               "yes" if result["fmax_trusted"] else "no: nextpnr has no timing of multipliers")


def network_rows(kept: Results) -> Iterator[tuple[object, ...]]:
    """Yield memory, cycles and time of each network on each board."""
    for name in board_names():
        networks = kept["cycles"].get(name)
        if networks is None:
            yield "-", name, "-", "not measured", "-"
            continue
        old = "" if is_current(board(name), networks) else ", of an earlier configuration"
        result = kept["builds"].get(name)
        clock = usable_clock(board(name), result) if result and result["fits"] else None
        for network, entry in sorted(networks["networks"].items()):
            cycles = entry["cycles"]
            if entry["bytes"] is None:
                yield network, name, "-", f"{entry['problem']}{old}", "-"
                continue
            yield (network, name, f"{entry['bytes'] / 1024:.0f} KiB",
                   f"{cycles:,}{old}" if cycles else "more than the board's host memory",
                   f"{cycles / clock / 1000:.3f}" if cycles and clock else "-")


def page(kept: Results) -> str:
    """Return the text of the results page."""
    tools = sorted({result[tool] for result in kept["builds"].values()
                    for tool in ("yosys", "nextpnr")})
    lines = [
        "# Results on the boards", "",
        f"`weft results --write` writes this page. Clocks and areas are **{ESTIMATED}**; cycles",
        "are measured in simulation of the RTL. Each row is a complete board design: host link, host",
        "memory, accelerator and PLL.", "",
        "## Area and clock", "",
        "The clock in MHz is the median of all seeds, with minimum and maximum in parentheses.", "",
        *table(("board", "device", "array", *TITLES.values(), "MHz"), build_rows(kept)),
        "## Speed", "",
        "Peak: multiply-accumulates per cycle (one column for the serial engine) times the median",
        "clock, or times the target clock if the estimated clock is unreliable. Build: minutes of",
        "synthesis and of the slowest place and route, on one core of the machine that generated",
        "this page, under other load.", "",
        *table(("board", "target MHz", "reached MHz", "met", "peak GMAC/s", "build, minutes",
                "clock reliable"), speed_rows(kept)),
        "## Networks", "",
        "Time: measured cycles over the median clock, or over the target clock if the estimated",
        f"clock is unreliable: **{ESTIMATED}**. The cycles are those of the",
        "same configuration with simulation models of the multipliers, whose latency is up to",
        "three cycles shorter, and with the timing of the board's memory. Every result was",
        "compared with that of the reference kernels.", "",
        *table(("network", "board", "host memory needed", "cycles", "ms"), network_rows(kept)),
        "## Tools", "", *(f"- {tool}" for tool in tools),
    ]
    slow = [(name, result["critical_path"]) for name, result in sorted(kept["builds"].items())
            if result["fits"]]
    if slow:
        lines += ["", "## Slowest paths", ""]
        lines += [f"- {name}: from `{path[0]}` to `{path[1]}`" for name, path in slow]
    return "\n".join(lines).rstrip() + "\n"


def facts(name: str, kept: Results) -> str:
    """Return the table of facts of a board, for its page."""
    chosen, result = board(name), kept["builds"].get(name)
    memory = {"spram": "SPRAM", "sdram": "SDRAM"}.get(chosen.storage, "block RAM")
    changes = " ".join(f"{key}={value}" for key, value in chosen.changes.items())
    rows = [("board", chosen.title), ("device", chosen.device.name),
            ("array", f"{chosen.config.rows} × {chosen.config.cols}"),
            ("configuration", f"preset `{chosen.preset}`, `{changes}`"),
            ("clock", f"{chosen.clock_hz / 1e6:g} MHz from {chosen.input_hz / 1e6:g} MHz"),
            ("host memory", f"{chosen.memory_bytes // 1024} KiB of {memory}"),
            ("host link", f"{chosen.baud:,} baud, 8N1; {chosen.cable}"),
            ("loaded with", f"`{' '.join(chosen.flash)}`")]
    state = "not built yet"
    if result and not result["fits"]:
        state = "does not fit: " + ", ".join(
            f"{TITLES[what]} {count:,} of {total:,}" for what, (count, total)
            in result["used"].items() if count > total)
    elif result:
        minutes = (result["synthesis_seconds"] + max(result["place_seconds"].values())) / 60
        trust = ESTIMATED if result["fmax_trusted"] else f"{ESTIMATED}, unreliable"
        state = (f"{result['median_mhz']:.1f} MHz ({trust}), {minutes:.0f} minutes"
                 f"{'' if is_current(chosen, result) else ', of an earlier configuration'}")
    return "\n".join(table(("property", "value"), [*rows, ("build", state)]))
