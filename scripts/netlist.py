#!/usr/bin/env python3
"""Run the first held-out image of digits on the netlist after synthesis: ``make netlist``.

Every operator's output must equal that of the reference kernels, byte by byte. Then one LUT of the
netlist is inverted, and the comparison of the first operator's output must detect it.
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
from weft.spec import isa
from weft.spec.presets import PRESETS
from weft_boards import board, board_names
from weft_boards._board import Board
from weft_host import Device, Program, compile
from weft_host.unknown_name import unknown_name

__all__ = ["check", "choose", "compare", "difference", "first_operator"]

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


def first_operator(program: Program) -> Program:
    """Return the part of a program that computes and stores the output of its first operator."""
    tensor = program.tensors[0]
    assert tensor.offset is not None
    stored = range(tensor.offset, tensor.offset + tensor.span)
    count = 0
    for index in range(program.instruction_count):
        instruction, fields = isa.decode(program.instruction(index))
        if instruction and instruction.name == "STORE" and fields["host_addr"] in stored:
            count = index + 1
    return dataclasses.replace(
        program, instructions=b"".join(map(program.instruction, range(count))), outputs=(tensor,),
        tensors=(), host_steps=())


def compare(device: Device, *, first: bool = False) -> tuple[str | None, int]:
    """Run the first image of digits; return a description of wrong results, or None, and cycles.

    With ``first``, only the first operator runs.
    """
    with np.load(DIGITS / "digits.npz") as stored:
        image, output = stored["images"][:1], stored["outputs"][0]
        expected = dict(zip(stored["tensors"].tolist(), stored["tensor_crc32"][0].tolist()))
    program = compile(DIGITS / "digits.tflite", device.config, keep_tensors=True)
    if first:
        program = first_operator(program)
    result = device.run(program, [image], all_tensors=True, limit=LIMIT)
    found = {tensor.tensor_id: zlib.crc32(result.tensors[tensor.name].tobytes())
             for tensor in program.all_tensors if tensor.name in result.tensors}
    compared = [tensor.tensor_id for tensor in program.outputs] if first else [*expected]
    wrong = [number for number in compared if found.get(number) != expected[number]]
    text, cycles = f"tensors {wrong} differ from the reference", result.cycles or 0
    if first:
        return text if wrong else None, cycles
    logits, = result.outputs.values()
    if wrong or not np.array_equal(logits.reshape(-1), output):
        return (f"{text}; the output is {logits.reshape(-1).tolist()} instead of "
                f"{output.tolist()}"), cycles
    return None, cycles


def difference(chosen: Board, netlist: Netlist, folder: Path, *,
               first: bool = False) -> tuple[str | None, int]:
    """Return the result of :func:`compare` for a netlist."""
    memory_bytes = 1 << min(20, chosen.config.addr_width)
    with NetlistDevice(chosen, netlist, folder, memory_bytes=memory_bytes) as device:
        return compare(device, first=first)


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
    # the LUT affects every operator; the first one takes a quarter of the cycles
    wrong, _ = difference(chosen, netlist, folder, first=True)
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
