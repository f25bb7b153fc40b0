"""``weft results``."""

import pathlib
import subprocess
import sys

import click

from ..configuration import find_board
from ..errors import InputError
from .options import json_option

__all__ = ["results"]

_SCRIPT = pathlib.Path("scripts") / "board_results.py"


def _checkout() -> pathlib.Path:
    """Return the folder of the source tree, which contains the builds."""
    root = pathlib.Path(__file__).resolve().parents[3]
    if not (root / _SCRIPT).is_file():
        raise InputError(f"weft results needs a source tree of Weft with {_SCRIPT}; "
                         f"{root} is an installed copy")
    return root


@click.command()
@click.option("--measure", is_flag=True,
              help="Run the networks on the RTL first. Takes minutes for each board.")
@click.option("--board", "boards", multiple=True, metavar="BOARD",
              help="With --measure: measure only this board. May be given several times.")
@click.option("--write", is_flag=True,
              help="Also store the figures in docs/boards.json, and write docs/board_results.md "
                   "and the tables of the boards' pages.")
@json_option
def results(measure: bool, boards: tuple[str, ...], write: bool, as_json: bool) -> None:
    """Show area, clock and network speed of each board.

    The figures are from the newest builds of make bitstream, and from docs/boards.json for boards
    without a build. Clocks are estimates of nextpnr, not measurements on a board. Nothing is
    written without --write.
    """
    if boards and not measure:
        raise click.UsageError("--board requires --measure")
    for name in boards:
        find_board(name)
    root = _checkout()
    command = [sys.executable, str(root / _SCRIPT)]
    command += ["--measure"] if measure else []
    command += ["--write"] if write else []
    command += ["--json"] if as_json else []
    for name in boards:
        command += ["--board", name]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    click.echo(done.stdout, nl=False)
    if done.returncode:
        raise click.exceptions.Exit(done.returncode)
