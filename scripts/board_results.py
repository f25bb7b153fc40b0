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
import shutil
import sys
import tempfile

import numpy as np

from board_builds import KEPT, collect, is_current, read_kept
from board_page import facts, page
from fpga_flow import ROOT, progress
from weft_boards import board, board_names

PAGE = ROOT / "docs" / "board_results.md"
DIGITS = ROOT / "examples" / "digits"
MODELS = pathlib.Path(os.environ.get("WEFT_MODELS", ROOT.parent / "shared" / "models"))


def simulated(chosen):
    """The configuration that is simulated: what cycles depend on, and nothing else."""
    return dataclasses.replace(chosen.simulation_config, addr_width=32)


def measure(chosen):
    """``{network: {"cycles": ..., "bytes": ...}}`` on the RTL, with the board's host memory."""
    from weft_host import RtlDevice, compile
    from weft_host.errors import WeftError
    from weft_host.perf.model_benchmarks import measure_models

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
            try:
                program = compile(source / "model.tflite", config)
            except WeftError as error:
                progress(f"{chosen.name}: {error}")
                found[source.name] = {"bytes": None, "cycles": None,
                                      "problem": "not with this configuration"}
                continue
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
    texts = {KEPT: json.dumps(kept, indent=1, sort_keys=True) + "\n", PAGE: page(kept)}
    for name in board_names():
        texts[ROOT / "docs" / "boards" / f"{name}.inc"] = facts(name, kept)
    for path, text in texts.items():    # once all of them could be made
        path.write_text(text)
    print(json.dumps(kept, indent=1) if args.json else f"wrote {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
