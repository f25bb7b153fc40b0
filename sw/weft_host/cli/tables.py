"""Tables on the terminal and in pipes, which show every digit and every name."""

import shutil
import sys
from collections.abc import Collection, Iterable, Sequence

import click
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

__all__ = ["print_table", "render", "terminal_width"]

_MIN_TEXT = 24          # narrowest column of text that is wrapped
_GAP = 2                # columns between two cells
_LONGEST = 1 << 20      # more columns than any table has


def terminal_width() -> int | None:
    """Return the number of columns of the terminal, or None if the output is not a terminal."""
    if not sys.stdout.isatty():
        return None
    return shutil.get_terminal_size().columns


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "",
                wraps: Collection[str] = (), numbers: Collection[str] = ()) -> None:
    """Print a table that shows every cell completely.

    A table that is wider than the terminal becomes narrower only in its heads and in the columns
    ``wraps``. In a pipe or a file, nothing is wrapped.

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
    cells = [[_plain(cell) for cell in row] for row in rows]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0),
                  collapse_padding=True)
    for head, column_width in zip(columns, _widths(columns, cells, width, wraps)):
        table.add_column(Text(head), width=column_width, overflow="fold",
                         justify="right" if head in numbers else "left")
    for row in cells:
        table.add_row(*map(Text, row))
    whole = Measurement.get(_console(_LONGEST), _console(_LONGEST).options, table).maximum
    console = _console(whole)
    with console.capture() as capture:
        console.print(table)
    return [line.rstrip() for line in capture.get().splitlines()]


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int | None,
            wraps: Collection[str]) -> list[int]:
    """Return the width of each column, so that the table fits ``width`` if it can.

    Heads, and the cells of the columns ``wraps``, are wrapped between words if there is not enough
    room; other cells never. The columns that can become narrowest do so first.
    """
    full, least = [], []
    for head, cells in zip(columns, zip(*rows) if rows else [()] * len(columns)):
        longest = max(map(cell_len, cells), default=0)
        words = [cell_len(word) for text in (head, *(cells if head in wraps else ()))
                 for word in text.split()]
        full.append(max(cell_len(head), longest))
        least.append(min(full[-1], max(_MIN_TEXT if head in wraps else longest, *words, 0)))
    if width is None:
        return full
    excess = sum(full) + _GAP * (len(columns) - 1) - width
    for index in sorted(range(len(columns)), key=lambda index: least[index] - full[index]):
        less = max(0, min(excess, full[index] - least[index]))
        full[index] -= less
        excess -= less
    return full


def _console(width: int) -> Console:
    # without a height, rich uses 80 columns if TERM is dumb
    return Console(file=sys.stdout, width=width, height=25, color_system=None, highlight=False,
                   legacy_windows=False)


def _plain(cell: object) -> str:
    """Return a cell as one line of text, in which control characters are escaped."""
    return "".join(character if character.isprintable() else
                   character.encode("unicode_escape").decode() for character in str(cell))
