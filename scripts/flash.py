#!/usr/bin/env python3
"""Load a board's bitstream with the board's programmer: ``make flash BOARD=...``."""

from __future__ import annotations

import argparse
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from fpga_flow import ROOT
from weft_boards import board_names
from weft_boards._board import Board
from weft_host.configuration import find_board
from weft_host.errors import ConfigurationError

# installation of each known programmer; a board may use another one
INSTALL = {
    "openFPGALoader": "Debian: sudo apt-get install openfpgaloader; macOS: brew install "
                      "openfpgaloader; else https://trabucayre.github.io/openFPGALoader",
    "dfu-util": "Debian: sudo apt-get install dfu-util; macOS: brew install dfu-util",
    "iceprog": "Debian: sudo apt-get install fpga-icestorm; macOS: brew install icestorm",
}
SUFFIXES = {"ecp5": "bit", "ice40": "bin", "gowin": "fs"}


def bitstream_of(chosen: Board) -> Path:
    """Return the path to which ``make bitstream`` writes the bitstream of a board."""
    return ROOT / "build" / chosen.name / f"{chosen.name}.{SUFFIXES[chosen.device.family]}"


def command_of(chosen: Board) -> list[str]:
    """Return the command that loads the bitstream of a board."""
    return [word.replace("{bitstream}", str(bitstream_of(chosen))) for word in chosen.flash]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--board", required=True, help=", ".join(board_names()))
    parser.add_argument("--dry-run", action="store_true", help="print the command only")
    args = parser.parse_args(arguments)
    try:
        chosen = find_board(args.board)
    except ConfigurationError as error:
        sys.exit(f"flash: {error}")
    command = command_of(chosen)
    installed = shutil.which(command[0]) is not None
    if args.dry_run:
        print(shlex.join(command))
        if not installed:
            print(f"{command[0]} is not installed. {INSTALL.get(command[0], '')}".rstrip())
        if not bitstream_of(chosen).exists():
            print(f"There is no bitstream: run make bitstream BOARD={chosen.name} first")
        return
    if not bitstream_of(chosen).exists():
        sys.exit(f"flash: {bitstream_of(chosen)} is missing: run make bitstream "
                 f"BOARD={chosen.name} first")
    if not installed:
        sys.exit(f"flash: {chosen.title} needs {command[0]}, which is not installed. "
                 f"{INSTALL.get(command[0], '')}".rstrip())
    print(shlex.join(command))
    status = subprocess.run(command).returncode
    if status:
        sys.exit(f"flash: {command[0]} ended with status {status}; check that the board is "
                 "connected and that you have access to its port, for example with weft doctor")


if __name__ == "__main__":
    main()
