"""Test of the Makefile: unknown names are refused before anything is installed."""

import os
import pathlib
import subprocess

import pytest

from weft.spec.presets import PRESETS
from weft_boards import board_names

ROOT = pathlib.Path(__file__).resolve().parents[3]
BOARDS = " ".join(board_names())
NAMES = " ".join(sorted(PRESETS))


def dry_run(*arguments):
    """Return status, commands and message of ``make --dry-run``."""
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("MAKEFLAGS", "MAKELEVEL", "BOARD", "PRESET", "BLOCK", "SIM")}
    done = subprocess.run(["make", "--dry-run", *arguments], cwd=ROOT, env=environment,
                          capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr.partition(" *** ")[2].rstrip()


@pytest.mark.parametrize("arguments, message", [
    (["bitstream", "BOARD=icebraker"], f'no BOARD "icebraker"; there are {BOARDS}.  Stop.'),
    (["bitstream"], f"BOARD=... is missing; there are {BOARDS}.  Stop."),
    (["bitstream", "BOARD=icebreaker", "PNR=x"], 'no PNR "x"; there are ecp5_pnr nextpnr.  Stop.'),
    (["flash", "BOARD=x", "DRY=1"], f'no BOARD "x"; there are {BOARDS}.  Stop.'),
    (["flash"], f"BOARD=... is missing; there are {BOARDS}.  Stop."),
    (["netlist", "BOARD=tiny"], f'no BOARD "tiny"; there are {BOARDS}.  Stop.'),
    (["netlist", "PRESET=foo"], f'no PRESET "foo"; there are {NAMES}.  Stop.'),
    (["litex", "PRESET=foo"], f'no PRESET "foo"; there are {NAMES}.  Stop.'),
    (["litex", "MODEL=a b"], 'no MODEL "a b": this file does not exist.  Stop.'),
    (["tb", "SIM=questa"], 'no SIM "questa"; there are icarus verilator.  Stop.'),
    (["tb", "BLOCK=foo"],
     'no BLOCK "foo"; there are array dma scratchpad sequencer vector weft.  Stop.'),
    (["gates", "UPDATE=yes"], 'UPDATE is 0 or 1, not "yes".  Stop.'),
])
def test_unknown_names_are_refused(arguments, message):
    assert dry_run(*arguments) == (2, "", message)


@pytest.mark.parametrize("arguments, command", [
    *((["flash", f"BOARD={name}"], f'python scripts/flash.py --board "{name}" \n')
      for name in board_names()),
    *((["netlist", f"PRESET={name}"], f"python scripts/netlist.py  {name}\n") for name in PRESETS),
    (["litex", "MODEL=examples/digits/digits.tflite"],
     'PRESET="small" MODEL="examples/digits/digits.tflite" bash scripts/litex_soc.sh\n'),
    (["tb", "BLOCK=dma", "SIM=verilator", "PRESET=foo"],
     "python scripts/tb.py --block dma --sim verilator \n"),
])
def test_known_names_are_passed_on(arguments, command):
    status, commands, message = dry_run(*arguments)
    assert (status, message) == (0, "")
    assert commands == "bash scripts/setup.sh --quiet\n" + command


@pytest.mark.parametrize("options, message", [
    ({"PRESET": "smal"}, "litex: no preset 'smal'; did you mean 'small'? There are "
                         f"{', '.join(PRESETS)}\n"),
    ({"MODEL": "a b"}, "litex: no model 'a b': this file does not exist\n"),
])
def test_the_script_of_make_litex_installs_nothing_for_an_unknown_name(options, message):
    done = subprocess.run(["bash", "scripts/litex_soc.sh"], cwd=ROOT, capture_output=True,
                          text=True, env={**os.environ, "PRESET": "", "MODEL": "", **options})
    assert (done.returncode, done.stdout, done.stderr) == (1, "", message)
