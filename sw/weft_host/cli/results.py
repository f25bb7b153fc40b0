"""``weft results``."""

import pathlib
import subprocess
import sys

import click

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
@json_option
def results(measure: bool, boards: tuple[str, ...], as_json: bool) -> None:
    """Show area, clock and network speed of each board, and write docs/board_results.md.

    The figures are from the newest builds of make bitstream, and are stored in docs/boards.json.
    Clocks are estimates of nextpnr, not measurements on a board.
    """
    if boards and not measure:
        raise InputError("--board requires --measure")
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
