#!/usr/bin/env python3
"""Digits' first held-out image on the netlist after synthesis: ``make netlist``.

Every operator's output has to be the reference kernels', byte by byte. Then one look-up table of
the netlist is inverted, and that has to be noticed.
"""

import argparse
import dataclasses
import signal
import sys
import zlib

import numpy as np

from fpga_flow import ROOT, progress
from netlist_sim import NetlistDevice, cells, invert, make_netlist, table_of
from weft.spec.presets import PRESETS
from weft_boards import board, board_names
from weft_host import compile

__all__ = ["check", "choose", "difference"]

DIGITS = ROOT / "examples" / "digits"
LIMIT = 2_000_000       # cycles


def choose(name):
    """The board called ``name``, or a preset on a large ECP5 with that device's multipliers.

    Raises
    ------
    ValueError
        If there is neither.
    """
    if name in board_names():
        return board(name)
    if name not in PRESETS:
        raise ValueError(f"no board or preset {name!r}; there are "
                         f"{', '.join([*board_names(), *PRESETS])}")
    return dataclasses.replace(board("ulx3s_85f"), name=name, preset=name,
                               changes={"multiplier": "ecp5"})


def difference(chosen, netlist, folder):
    """``(what is wrong with the answer to digits' first image, or None; cycles)``."""
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
        return (f"tensors {wrong} are not the reference's; the output is "
                f"{logits.reshape(-1).tolist()} instead of {output.tolist()}"), result.cycles
    return None, result.cycles


def check(chosen, folder):
    """Fails unless the netlist is right and a table of it that is wrong is noticed."""
    netlist = make_netlist(chosen, folder)
    print(f"{chosen.name}: {chosen.config.name} on {chosen.device.name}: "
          + ", ".join(f"{count} {kind}" for kind, count in cells(netlist).items()), flush=True)
    wrong, cycles = difference(chosen, netlist, folder)
    if wrong:
        sys.exit(f"{chosen.name}: the netlist is wrong: {wrong}")
    print(f"{chosen.name}: every tensor of digits' first image is the reference's, "
          f"{cycles:,} cycles", flush=True)
    name = table_of(netlist, chosen.device.family)
    invert(netlist, chosen.device.family, name)
    wrong, _ = difference(chosen, netlist, folder)
    if not wrong:
        sys.exit(f"{chosen.name}: the netlist's table {name} is inverted, and nothing noticed it")
    print(f"{chosen.name}: with table {name} inverted, as it must be: {wrong}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="BOARD or PRESET",
                        default=["icebreaker"], help="icebreaker, if not given")
    args = parser.parse_args()
    # so that the tool that runs is ended, too
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
