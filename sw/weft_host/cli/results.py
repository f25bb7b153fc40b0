"""``weft results``."""

import pathlib
import subprocess
import sys

import click

from ..errors import InputError
from .options import json_option

__all__ = ["results"]

_SCRIPT = pathlib.Path("scripts") / "board_results.py"


def _checkout():
    """The folder of the sources: results are of builds there."""
    root = pathlib.Path(__file__).resolve().parents[3]
    if not (root / _SCRIPT).is_file():
        raise InputError(f"weft results needs a checkout of Weft's sources, with "
                         f"{_SCRIPT}; this is an installed copy in {root}")
    return root


@click.command()
@click.option("--measure", is_flag=True,
              help="Run the networks on the RTL first, minutes for each board.")
@click.option("--board", "boards", multiple=True, metavar="BOARD",
              help="With --measure: only this board; may be given several times.")
@json_option
def results(measure, boards, as_json):
    """Area, clock and speed of networks on each board; writes docs/board_results.md.

    Takes the newest builds of make bitstream, and keeps them in docs/boards.json.
    Clocks are estimated by nextpnr, not measured on a board.
    """
    if boards and not measure:
        raise InputError("--board chooses what to measure: it goes with --measure")
    root = _checkout()
    command = [sys.executable, str(root / _SCRIPT)]
    command += ["--measure"] if measure else []
    command += ["--json"] if as_json else []
    for name in boards:
        command += ["--board", name]
    status = subprocess.run(command).returncode
    if status:
        raise click.exceptions.Exit(status)
    if not as_json:
        click.echo((root / "docs" / "board_results.md").read_text())
