#!/usr/bin/env python3
"""What each board reaches, by place and route and by simulation: ``weft results``.

Results of ``make bitstream`` and cycles of the networks are kept in ``docs/boards.json`` until
there are newer ones; ``docs/board_results.md`` is written from them. Nothing in it is typed.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile

import numpy as np
from fpga_flow import ROOT, progress

sys.path.insert(0, str(ROOT))

from boards import board, board_names  # noqa: E402

KEPT = ROOT / "docs" / "boards.json"
PAGE = ROOT / "docs" / "board_results.md"
DIGITS = ROOT / "examples" / "digits"
MODELS = pathlib.Path(os.environ.get("WEFT_MODELS", ROOT.parent / "shared" / "models"))
MIN_SEEDS = 3
ESTIMATED = "estimated by nextpnr, not measured on a board"
TITLES = {"logic": "look-up tables", "ffs": "flip-flops", "dsps": "multipliers",
          "rams": "block RAMs", "wide_rams": "SPRAMs"}


def read_kept():
    """What is kept: ``{"builds": {board: result}, "cycles": {board: {...}}}``."""
    return json.loads(KEPT.read_text()) if KEPT.exists() else {"builds": {}, "cycles": {}}


def collect(kept):
    """Takes over the newest builds that are of the boards as their files have them."""
    for name in board_names():
        path = ROOT / "build" / name / "result.json"
        if not path.exists():
            continue
        try:
            result = json.loads(path.read_text())
            wrong = why_not(board(name), result)
            for tool in ("yosys", "nextpnr"):       # without how and where they were built
                found = re.search(r"Yosys [\d.+]+|nextpnr-[\d.]+", result[tool])
                result[tool] = found[0] if found else result[tool]
        except (ValueError, LookupError, TypeError, AttributeError):
            sys.exit(f"{path} is no whole result of make bitstream; nothing is written. Run make "
                     f"bitstream BOARD={name} again, or remove the file")
        if wrong:
            progress(f"{name}: the build in {path.parent} is left out: {wrong}")
            continue
        kept["builds"][name] = result


def why_not(chosen, result):
    """Why a build does not stand for its board; None if it does."""
    asked = {"clock_mhz": chosen.clock_hz / 1e6, "baud": chosen.baud, "config": chosen.config.name}
    for what, value in asked.items():
        if result.get(what, value) != value:
            return f"its {what} is {result[what]}, the board's {value}"
    seeds = len(result["mhz"]) if result["fits"] else MIN_SEEDS
    if seeds < MIN_SEEDS:
        return (f"the median is one of at least {MIN_SEEDS} seeds, and it has {seeds}: make "
                f"bitstream BOARD={chosen.name} SEEDS=\"1 2 3\"")
    return None


def simulated(chosen):
    """The configuration that is simulated: what cycles depend on, and nothing else."""
    return dataclasses.replace(chosen.simulation_config, addr_width=32)


def measure(chosen):
    """``{network: {"cycles": ..., "bytes": ...}}`` on the RTL, with the board's host memory."""
    from weft_host import RtlDevice, compile
    from weft_host.model_bench import measure_models

    config = simulated(chosen)
    found = {}
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        (folder / "digits").mkdir()
        shutil.copy(DIGITS / "digits.tflite", folder / "digits" / "model.tflite")
        data = np.load(DIGITS / "digits.npz")
        np.savez(folder / "digits" / "image.npz", in0=data["in0"], out0=data["outputs"][:1])
        sources = [folder / "digits"]
        if MODELS.is_dir():
            sources += [path.parent for path in sorted(MODELS.glob("*/model.tflite"))]
        else:
            progress(f"the networks are not in {MODELS} ($WEFT_MODELS): only digits is measured")
        for source in sources:
            program = compile(source / "model.tflite", config)
            entry = {"bytes": program.memory_bytes, "cycles": None}
            if program.memory_bytes <= chosen.memory_bytes:
                (measured, status), = measure_models(
                    source, config, lambda size: RtlDevice(
                        config, memory_bytes=chosen.memory_bytes, latency=chosen.read_latency,
                        bandwidth=chosen.bandwidth),
                    most=1)
                if status:
                    sys.exit(f"{source.name} on {chosen.name}: {measured.problem}: nothing is "
                             "written")
                entry["cycles"] = measured.cycles
            found[source.name] = entry
            progress(f"{chosen.name}: {source.name}: {entry}")
    return found


def keep_cycles(kept, chosen, networks):
    """Takes over what was measured; a network that was not there keeps what was measured before."""
    before = kept["cycles"].get(chosen.name)
    if before is not None and is_current(chosen, before):
        networks = {**before["networks"], **networks}
    kept["cycles"][chosen.name] = {"config": chosen.config.name, "networks": networks}


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows] + [""]


def is_current(chosen, result):
    """Whether a build, or cycles, were of the configuration that the board's file asks for now."""
    return result["config"] == chosen.config.name


def used(result):
    return [f"{result['used'][what][0]:,} of {result['used'][what][1]:,}"
            if what in result["used"] else "-" for what in TITLES]


def build_rows(kept):
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


def speed_rows(kept):
    for name in board_names():
        chosen, result = board(name), kept["builds"].get(name)
        if result is None or not result["fits"]:
            continue
        median = result["median_mhz"]
        yield (name, f"{chosen.clock_hz / 1e6:g}", f"{median:.1f}",
               "yes" if median >= chosen.clock_hz / 1e6 else "**no**",
               f"{chosen.peak_macs * median / 1000:.2f}",
               f"{result['synthesis_seconds'] / 60:.0f} + "
               f"{max(result['place_seconds'].values()) / 60:.0f}",
               "yes" if result["fmax_trusted"] else "no: nextpnr knows no timing of multipliers")


def network_rows(kept):
    for name in board_names():
        networks = kept["cycles"].get(name)
        if networks is None:
            yield "-", name, "-", "not measured", "-"
            continue
        old = "" if is_current(board(name), networks) else ", of an earlier configuration"
        result = kept["builds"].get(name)
        clock = result["median_mhz"] if result and result["fits"] else None
        if clock and not result["fmax_trusted"]:
            clock = min(clock, board(name).clock_hz / 1e6)
        for network, entry in sorted(networks["networks"].items()):
            cycles = entry["cycles"]
            yield (network, name, f"{entry['bytes'] / 1024:.0f} KiB",
                   f"{cycles:,}{old}" if cycles else "more than the board's host memory",
                   f"{cycles / clock / 1000:.3f}" if cycles and clock else "-")


def page(kept):
    """The page as text."""
    tools = sorted({result[tool] for result in kept["builds"].values()
                    for tool in ("yosys", "nextpnr")})
    lines = [
        "# Results on the boards", "",
        f"`weft results` writes this page. Clocks and areas are **{ESTIMATED}**; cycles are those",
        "of the RTL in simulation. Each row is a whole board: host link, host memory, accelerator",
        "and PLL.", "",
        "## Area and clock", "",
        "The clock in MHz is the median of the seeds, with the slowest and the fastest.", "",
        *table(("board", "device", "array", *TITLES.values(), "MHz"), build_rows(kept)),
        "## Speed", "",
        "Peak: cells times the median clock. Build: minutes of synthesis and of the slowest place",
        "and route, on one core of the machine that made this page, which did other work as well.",
        "",
        *table(("board", "MHz asked for", "MHz reached", "met", "peak GMAC/s", "build, minutes",
                "clock to be trusted"), speed_rows(kept)),
        "## Networks", "",
        "Measured cycles over the median clock, or the one asked for where that is not to be",
        f"trusted: **{ESTIMATED}**. The cycles are those of the same",
        "configuration with multipliers that a simulator has, which take up to three cycles less",
        "from operand to product, with a memory as fast as the board's. Every result was compared",
        "with the reference kernels'.", "",
        *table(("network", "board", "host memory needed", "cycles", "ms"), network_rows(kept)),
        "## Tools", "", *(f"- {tool}" for tool in tools),
    ]
    slow = [(name, result["critical_path"]) for name, result in sorted(kept["builds"].items())
            if result["fits"]]
    if slow:
        lines += ["", "## Slowest paths", ""]
        lines += [f"- {name}: from `{path[0]}` to `{path[1]}`" for name, path in slow]
    return "\n".join(lines).rstrip() + "\n"


def facts(name, kept):
    """What is known of a board, as a table for its page."""
    chosen, result = board(name), kept["builds"].get(name)
    memory = {"spram": "SPRAM", "sdram": "SDRAM"}.get(chosen.storage, "block RAM")
    changes = " ".join(f"{key}={value}" for key, value in chosen.changes.items())
    rows = [("board", chosen.title), ("device", chosen.device.name),
            ("array", f"{chosen.config.rows} × {chosen.config.cols}"),
            ("configuration", f"preset `{chosen.preset}`, `{changes}`"),
            ("clock", f"{chosen.clock_hz / 1e6:g} MHz from {chosen.input_hz / 1e6:g} MHz"),
            ("host memory", f"{chosen.memory_bytes // 1024} KiB of {memory}"),
            ("host link", f"{chosen.baud:,} baud, 8N1; {chosen.cable}"),
            ("loaded by", f"`{' '.join(chosen.flash)}`")]
    state = "not built yet"
    if result and not result["fits"]:
        state = "does not fit: " + ", ".join(
            f"{TITLES[what]} {count:,} of {there:,}" for what, (count, there)
            in result["used"].items() if count > there)
    elif result:
        minutes = (result["synthesis_seconds"] + max(result["place_seconds"].values())) / 60
        state = (f"{result['median_mhz']:.1f} MHz ({ESTIMATED}), {minutes:.0f} minutes"
                 f"{'' if is_current(chosen, result) else ', of an earlier configuration'}")
    return "\n".join(table(("what", ""), [*rows, ("build", state)]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measure", action="store_true",
                        help="run the networks on the RTL again, minutes a board")
    parser.add_argument("--board", action="append", choices=board_names(), metavar="BOARD",
                        help="with --measure: only this board; may be given several times")
    parser.add_argument("--json", action="store_true", help="print what is kept, as JSON")
    args = parser.parse_args()
    kept = read_kept()
    collect(kept)
    if args.measure:
        done = {}
        for name in args.board or board_names():
            chosen = board(name)
            # boards that differ in pins alone need no second run
            key = (simulated(chosen), chosen.memory_bytes, chosen.read_latency,
                   chosen.bandwidth)
            if key not in done:
                done[key] = measure(chosen)
            keep_cycles(kept, chosen, done[key])
    KEPT.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    PAGE.write_text(page(kept))
    for name in board_names():
        (ROOT / "docs" / "boards" / f"{name}.inc").write_text(facts(name, kept))
    print(json.dumps(kept, indent=1) if args.json else f"wrote {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
