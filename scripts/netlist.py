#!/usr/bin/env python3
"""Run the first held-out image of digits on the netlist after synthesis: ``make netlist``.

Every operator's output must equal that of the reference kernels, byte by byte. Then one LUT of the
netlist is inverted, and the comparison must detect it.
"""

from __future__ import annotations

import argparse
import dataclasses
import signal
import sys
import zlib
from pathlib import Path

import numpy as np

from fpga_flow import ROOT, progress
from netlist_sim import Netlist, NetlistDevice, cells, invert, lut_to_invert, make_netlist
from weft.spec.presets import PRESETS
from weft_boards import board, board_names
from weft_boards._board import Board
from weft_host import compile
from weft_host.unknown_name import unknown_name

__all__ = ["check", "choose", "difference"]

DIGITS = ROOT / "examples" / "digits"
LIMIT = 2_000_000       # cycles


def choose(name: str) -> Board:
    """Return the board called ``name``, or a preset on a large ECP5 with its multipliers.

    Raises
    ------
    ValueError
        If there is neither a board nor a preset of that name.
    """
    if name in board_names():
        return board(name)
    if name not in PRESETS:
        raise ValueError(unknown_name(f"no board or preset {name!r}", name,
                                      [*board_names(), *PRESETS]))
    return dataclasses.replace(board("ulx3s_85f"), name=name, preset=name,
                               changes={"multiplier": "ecp5"})


def difference(chosen: Board, netlist: Netlist, folder: Path) -> tuple[str | None, int]:
    """Run the first image of digits; return a description of wrong results, or None, and cycles."""
    with np.load(DIGITS / "digits.npz") as stored:
        image, output = stored["images"][:1], stored["outputs"][0]
        expected = dict(zip(stored["tensors"].tolist(), stored["tensor_crc32"][0].tolist()))
    program = compile(DIGITS / "digits.tflite", chosen.config, keep_tensors=True)
    memory_bytes = 1 << min(20, chosen.config.addr_width)
    with NetlistDevice(chosen, netlist, folder, memory_bytes=memory_bytes) as device:
        result = device.run(program, [image], all_tensors=True, limit=LIMIT)
    found = {tensor.tensor_id: zlib.crc32(result.tensors[tensor.name].tobytes())
             for tensor in program.all_tensors if tensor.name in result.tensors}
    wrong = [number for number, crc in expected.items() if found.get(number) != crc]
    logits, = result.outputs.values()
    if wrong or not np.array_equal(logits.reshape(-1), output):
        return (f"tensors {wrong} differ from the reference; the output is "
                f"{logits.reshape(-1).tolist()} instead of {output.tolist()}"), result.cycles or 0
    return None, result.cycles or 0


def check(chosen: Board, folder: Path) -> None:
    """Exit unless the netlist is correct and an inverted LUT is detected."""
    netlist = make_netlist(chosen, folder)
    print(f"{chosen.name}: {chosen.config.name} on {chosen.device.name}: "
          + ", ".join(f"{count} {kind}" for kind, count in cells(netlist).items()), flush=True)
    wrong, cycles = difference(chosen, netlist, folder)
    if wrong:
        sys.exit(f"{chosen.name}: the netlist is wrong: {wrong}")
    print(f"{chosen.name}: every tensor of the first image of digits equals the reference, "
          f"{cycles:,} cycles", flush=True)
    name = lut_to_invert(netlist, chosen.device.family)
    invert(netlist, chosen.device.family, name)
    wrong, _ = difference(chosen, netlist, folder)
    if not wrong:
        sys.exit(f"{chosen.name}: LUT {name} of the netlist was inverted, but no result changed")
    print(f"{chosen.name}: with LUT {name} inverted, as expected: {wrong}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="BOARD or PRESET",
                        default=["icebreaker"], help="icebreaker by default")
    args = parser.parse_args()
    # on SIGTERM, exit through the handlers that end the tools
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        designs = [choose(name) for name in args.names]
    except ValueError as error:
        sys.exit(f"netlist: {error}")
    for number, chosen in enumerate(designs, 1):
        progress(f"netlist {number} of {len(designs)}: {chosen.name}")
        check(chosen, ROOT / "build" / "netlist" / chosen.name)


if __name__ == "__main__":
    main()
