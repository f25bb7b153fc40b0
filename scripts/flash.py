#!/usr/bin/env python3
"""Loads a board's bitstream with the program that the board needs: ``make flash BOARD=...``."""

import argparse
import shlex
import shutil
import subprocess
import sys

from fpga_flow import ROOT
from weft_boards import board, board_names

# where each program comes from, if it is missing; a board may need another one
INSTALL = {
    "openFPGALoader": "Debian: sudo apt-get install openfpgaloader; macOS: brew install "
                      "openfpgaloader; else https://trabucayre.github.io/openFPGALoader",
    "dfu-util": "Debian: sudo apt-get install dfu-util; macOS: brew install dfu-util",
    "iceprog": "Debian: sudo apt-get install fpga-icestorm; macOS: brew install icestorm",
}
SUFFIXES = {"ecp5": "bit", "ice40": "bin", "gowin": "fs"}


def bitstream_of(chosen):
    """Where ``make bitstream`` leaves the bitstream of a board."""
    return ROOT / "build" / chosen.name / f"{chosen.name}.{SUFFIXES[chosen.device.family]}"


def command_of(chosen):
    """The command that loads it."""
    return [word.replace("{bitstream}", str(bitstream_of(chosen))) for word in chosen.flash]


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--board", required=True, help=", ".join(board_names()))
    parser.add_argument("--dry-run", action="store_true", help="only say what would be run")
    args = parser.parse_args(arguments)
    try:
        chosen = board(args.board)
    except ValueError as error:
        sys.exit(f"flash: {error}")
    command = command_of(chosen)
    there = shutil.which(command[0]) is not None
    if args.dry_run:
        print(shlex.join(command))
        if not there:
            print(f"{command[0]} is not installed. {INSTALL.get(command[0], '')}".rstrip())
        if not bitstream_of(chosen).exists():
            print(f"There is no bitstream yet: make bitstream BOARD={chosen.name}")
        return
    if not bitstream_of(chosen).exists():
        sys.exit(f"flash: {bitstream_of(chosen)} is missing: run make bitstream "
                 f"BOARD={chosen.name} first")
    if not there:
        sys.exit(f"flash: {chosen.title} needs {command[0]}, which is not installed. "
                 f"{INSTALL.get(command[0], '')}".rstrip())
    print(shlex.join(command))
    status = subprocess.run(command).returncode
    if status:
        sys.exit(f"flash: {command[0]} ended with status {status}; is the board plugged in, and "
                 f"may you use it? weft doctor says what is missing")


if __name__ == "__main__":
    main()
