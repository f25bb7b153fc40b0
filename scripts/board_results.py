#!/usr/bin/env python3
"""Collect results of all boards from place and route and from simulation: ``weft results``.

Results of ``make bitstream`` and cycles of the networks are printed. With ``--write``, they are
also stored in ``docs/boards.json`` until newer ones replace them, and ``docs/board_results.md`` is
generated from that file.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import shutil
import sys
import tempfile
import typing

import numpy as np

from board_builds import KEPT, collect, is_current, read_kept
from board_page import facts, page, serial_engine
from fpga_flow import ROOT, progress
from weft.spec.config import Config
from weft_boards import board_names
from weft_boards._board import Board
from weft_host.atomic_file import write_atomically
from weft_host.configuration import find_board
from weft_host.errors import ConfigurationError

PAGE = ROOT / "docs" / "board_results.md"
SERIAL_ENGINE = ROOT / "docs" / "blocks" / "compact.inc"
DIGITS = ROOT / "examples" / "digits"
MODELS = pathlib.Path(os.environ.get("WEFT_MODELS", ROOT.parent / "shared" / "models"))


def simulated(chosen: Board) -> Config:
    """Return the configuration to simulate, without the parameters that do not affect cycles."""
    return dataclasses.replace(chosen.simulation_config, addr_width=32)


def measure(chosen: Board) -> dict[str, dict[str, typing.Any]]:
    """Measure cycles and memory of each network on the RTL, with the board's host memory."""
    from weft_host import RtlDevice, compile
    from weft_host.errors import WeftError
    from weft_host.perf.model_benchmarks import measure_models

    config = simulated(chosen)
    found: dict[str, dict[str, typing.Any]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        (folder / "digits").mkdir()
        shutil.copy(DIGITS / "digits.tflite", folder / "digits" / "model.tflite")
        data = np.load(DIGITS / "digits.npz")
        np.savez(folder / "digits" / "image.npz", in0=data["in0"], out0=data["outputs"][:1])
        sources = [folder / "digits"]
        if MODELS.is_dir():
            sources += [path.parent for path in sorted(MODELS.glob("*/model.tflite"))]
        else:
            progress(f"{MODELS} ($WEFT_MODELS) does not exist: only digits is measured")
        for source in sources:
            try:
                program = compile(source / "model.tflite", config)
            except WeftError as error:
                progress(f"{chosen.name}: {error}")
                found[source.name] = {"bytes": None, "cycles": None,
                                      "problem": "not supported by this configuration"}
                continue
            entry = {"bytes": program.memory_bytes, "cycles": None,
                     "macs": program.meta["macs"]}
            if program.memory_bytes <= chosen.memory_bytes:
                (measured, status), = measure_models(
                    source, config, lambda size: RtlDevice(
                        config, memory_bytes=chosen.memory_bytes, latency=chosen.read_latency,
                        bandwidth=chosen.bandwidth),
                    most=1)
                if status:
                    sys.exit(f"{source.name} on {chosen.name}: {measured.problem}; no results are "
                             "written")
                entry["cycles"] = measured.cycles
            found[source.name] = entry
            progress(f"{chosen.name}: {source.name}: {entry}")
    return found


def keep_cycles(kept: dict[str, typing.Any], chosen: Board,
                networks: dict[str, dict[str, typing.Any]]) -> None:
    """Store measured networks; networks that were not measured keep their previous results."""
    before = kept["cycles"].get(chosen.name)
    if before is not None and is_current(chosen, before):
        networks = {**before["networks"], **networks}
    kept["cycles"][chosen.name] = {"config": chosen.config.name, "networks": networks}


def write(kept: dict[str, typing.Any], text: str) -> None:
    """Store the results, and write their page and the table of each board's own page."""
    texts = {KEPT: json.dumps(kept, indent=1, sort_keys=True) + "\n", PAGE: text,
             SERIAL_ENGINE: serial_engine(kept)}
    for name in board_names():
        texts[ROOT / "docs" / "boards" / f"{name}.inc"] = facts(name, kept)
    for path, content in texts.items():     # all texts exist before the first file is written
        write_atomically(path, content)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measure", action="store_true",
                        help="run the networks on the RTL again, minutes per board")
    parser.add_argument("--board", action="append", metavar="BOARD",
                        help="with --measure: only this board; may be repeated")
    parser.add_argument("--write", action="store_true",
                        help="also store the results, and write docs/board_results.md")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    args = parser.parse_args()
    try:
        boards = [find_board(name) for name in args.board or board_names()]
    except ConfigurationError as error:
        sys.exit(f"results: {error}")
    kept = read_kept()
    collect(kept)
    if args.measure:
        done: dict[tuple[object, ...], dict[str, dict[str, typing.Any]]] = {}
        for chosen in boards:
            # boards that differ in their pins only share a run
            key = (simulated(chosen), chosen.memory_bytes, chosen.read_latency,
                   chosen.bandwidth)
            if key not in done:
                done[key] = measure(chosen)
            keep_cycles(kept, chosen, done[key])
    text = page(kept)
    if args.write:
        write(kept, text)
        progress(f"wrote {PAGE.relative_to(ROOT)}")
    print(json.dumps(kept, indent=1) if args.json else text)


if __name__ == "__main__":
    main()
