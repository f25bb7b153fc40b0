"""Tables on the terminal and in pipes, which show every digit and every name."""

import shutil
import sys
from collections.abc import Collection, Iterable, Sequence

import click
from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

__all__ = ["print_table", "render", "terminal_width"]

_MIN_TEXT = 24          # narrowest column of text that is wrapped
_LONGEST = 1 << 20      # more columns than any table has


def terminal_width() -> int | None:
    """Return the number of columns of the terminal, or None if the output is not a terminal."""
    if not sys.stdout.isatty():
        return None
    return shutil.get_terminal_size().columns


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "",
                wraps: Collection[str] = (), numbers: Collection[str] = ()) -> None:
    """Print a table that shows every cell completely.

    A table that is wider than the terminal becomes narrower only in the columns ``wraps``. In a
    pipe or a file, no cell is wrapped.

    Parameters
    ----------
    columns : sequence of :class:`str`
        Heads of the columns.
    rows : iterable of sequences
        Cells of each row, which are converted to text.
    title : :class:`str`
        Line above the table.
    wraps : collection of :class:`str`
        Columns of sentences, whose cells may be wrapped between words.
    numbers : collection of :class:`str`
        Columns that are aligned on the right.
    """
    if title:
        click.echo(_plain(title))
    for line in render(columns, rows, terminal_width(), wraps=wraps, numbers=numbers):
        click.echo(line)


def render(columns: Sequence[str], rows: Iterable[Sequence[object]], width: int | None, *,
           wraps: Collection[str] = (), numbers: Collection[str] = ()) -> list[str]:
    """Return the lines of a table for a terminal of ``width`` columns; None for any width."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0),
                  collapse_padding=True)
    for head in columns:
        wrapped = width is not None and head in wraps
        table.add_column(Text(head), no_wrap=not wrapped, overflow="fold",
                         min_width=_MIN_TEXT if wrapped else None,
                         justify="right" if head in numbers else "left")
    for row in rows:
        table.add_row(*(Text(_plain(cell)) for cell in row))
    # a row that is not wrapped is as long as its cells; wrapped columns keep their longest word
    size = Measurement.get(_console(_LONGEST), _console(_LONGEST).options, table)
    console = _console(size.maximum if width is None else max(size.minimum, width))
    with console.capture() as capture:
        console.print(table)
    return [line.rstrip() for line in capture.get().splitlines()]


def _console(width: int) -> Console:
    # without a height, rich uses 80 columns if TERM is dumb
    return Console(file=sys.stdout, width=width, height=25, color_system=None, highlight=False,
                   legacy_windows=False)


def _plain(cell: object) -> str:
    """Return a cell as one line of text, in which control characters are escaped."""
    return "".join(character if character.isprintable() else
                   character.encode("unicode_escape").decode() for character in str(cell))
