"""Results page of all boards, and the table of facts for each board's own page."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping

from board_builds import is_current
from markdown import table
from weft_boards import board, board_names
from weft_boards._board import Board
from weft_boards._clock import mhz_text

__all__ = ["ESTIMATED", "facts", "page", "serial_engine"]

Results: typing.TypeAlias = Mapping[str, typing.Any]
"""Results as ``docs/boards.json`` stores them."""

ESTIMATED = "estimated by nextpnr, not measured on a board"
TITLES = {"logic": "LUTs", "ffs": "flip-flops", "dsps": "multipliers",
          "rams": "block RAMs", "wide_rams": "SPRAMs"}


def _mhz(mhz: float) -> str:
    """Return a clock in MHz as text."""
    return mhz_text(1e6 * mhz)


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
            clock = (f"{_mhz(result['median_mhz'])} ({_mhz(min(mhz))} to {_mhz(max(mhz))}, "
                     f"{len(mhz)} seed{'s' if len(mhz) > 1 else ''})")
        old = "" if is_current(chosen, result) else ", of an earlier configuration"
        yield (name, result["device"], size, *used(result), clock + old)


def usable_clock(chosen: Board, result: Results) -> float:
    """Return the median clock in MHz, at most the target clock if the estimate is unreliable."""
    median: float = result["median_mhz"]
    return median if result["fmax_trusted"] else min(median, chosen.clock_hz / 1e6)


def macs_per_cycle(chosen: Board, kept: Results, network: str = "digits") -> float | None:
    """Return the multiply-accumulates per cycle of a network; None if they were not measured."""
    cycles = kept["cycles"].get(chosen.name)
    if cycles is None or not is_current(chosen, cycles):
        return None
    entry = cycles["networks"].get(network, {})
    return entry["macs"] / entry["cycles"] if entry.get("macs") and entry.get("cycles") else None


def reached_rate(chosen: Board, kept: Results, mhz: float) -> str:
    """Return the GMAC/s of digits and their share of the peak, as text."""
    rate = macs_per_cycle(chosen, kept)
    if rate is None:
        return "-"
    return f"{rate * mhz / 1000:.3f}, {100 * rate / chosen.peak_macs:.1f} %"


def serial_engine(kept: Results) -> str:
    """Return the table of the serial engine's peak, and of what digits reaches of it."""
    rows = []
    for chosen in map(board, board_names()):
        result = kept["builds"].get(chosen.name)
        if not chosen.config.compact:
            continue
        rate = macs_per_cycle(chosen, kept)
        built = result is not None and result["fits"]
        mhz = usable_clock(chosen, result) if built and result else chosen.clock_hz / 1e6
        rows.append((
            chosen.name, _mhz(mhz) + ("" if built else ", not built"), chosen.peak_macs,
            "-" if rate is None else f"{rate:.3f}",
            "-" if rate is None else f"{100 * rate / chosen.peak_macs:.1f} %",
            f"{chosen.peak_macs * mhz / 1000:.3f}",
            "-" if rate is None else f"{rate * mhz / 1000:.3f}"))
    return "\n".join(table(("board", "MHz", "peak MACs per cycle", "digits, MACs per cycle",
                            "share of the peak", "peak GMAC/s", "digits, GMAC/s"), rows))


def speed_rows(kept: Results) -> Iterator[tuple[object, ...]]:
    """Yield target clock, reached clock, peak rate, rate in digits and build time of each board."""
    for name in board_names():
        chosen, result = board(name), kept["builds"].get(name)
        if result is None or not result["fits"]:
            continue
        median = result["median_mhz"]
        yield (name, mhz_text(chosen.clock_hz), _mhz(median),
               "yes" if median >= chosen.clock_hz / 1e6 else "**no**",
               f"{chosen.peak_macs * usable_clock(chosen, result) / 1000:.3f}",
               reached_rate(chosen, kept, usable_clock(chosen, result)),
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
        "are measured in simulation of the RTL. Each row is a complete board design: host link,",
        "host memory, accelerator and PLL. Clocks are rounded down to 0.1 MHz.", "",
        "## Area and clock", "",
        "The clock in MHz is the median of all seeds, with minimum and maximum in parentheses.", "",
        *table(("board", "device", "array", *TITLES.values(), "MHz"), build_rows(kept)),
        "## Speed", "",
        "Peak: multiply-accumulates per cycle (one column for the serial engine) times the median",
        "clock, or times the target clock if the estimated clock is unreliable. Digits: the",
        "multiply-accumulates of the network digits over the time of its run. Build: minutes of",
        "synthesis and of the slowest place and route, on one core of the machine that generated",
        "this page, under other load.", "",
        *table(("board", "target MHz", "reached MHz", "met", "peak GMAC/s",
                "digits, GMAC/s and share of the peak", "build, minutes",
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
    changes = " ".join(f"{key}={value}" for key, value in chosen.changes.items())
    rows = [("board", chosen.title), ("device", chosen.device.name),
            ("array", f"{chosen.config.rows} × {chosen.config.cols}"),
            ("configuration", f"preset `{chosen.preset}`, `{changes}`"),
            ("clock", f"{mhz_text(chosen.clock_hz)} MHz from {mhz_text(chosen.input_hz)} MHz"),
            ("host memory", f"{chosen.memory_bytes // 1024} KiB of {chosen.memory_kind}"),
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
        state = (f"{_mhz(result['median_mhz'])} MHz ({trust}), {minutes:.0f} minutes"
                 f"{'' if is_current(chosen, result) else ', of an earlier configuration'}")
    return "\n".join(table(("property", "value"), [*rows, ("build", state)]))
