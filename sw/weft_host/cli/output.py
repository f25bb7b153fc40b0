"""Output of the verbs: files, JSON and messages about progress."""

import contextlib
import json
from collections.abc import Iterator

import click

from ..atomic_file import write_atomically
from ..errors import InputError
from ..progress import ProgressLine

__all__ = ["print_json", "progress", "working", "write_output"]

_line: ProgressLine | None = None       # that of the innermost "with working()"


def write_output(path: str, content: bytes | str) -> None:
    """Write a file completely or not at all.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    try:
        write_atomically(path, content)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from None


def print_json(value: object) -> None:
    """Print a value as JSON on standard output."""
    click.echo(json.dumps(value, indent=2))


def progress(text: str) -> None:
    """Report progress on standard error, which keeps standard output clean.

    Inside of :func:`working`, the message is shown if the work takes long; else it is printed.
    """
    if _line is None:
        click.echo(f"weft: {text}", err=True)
    else:
        _line(text)


@contextlib.contextmanager
def working() -> Iterator[None]:
    """Show messages of :func:`progress` only while work takes more than two seconds.

    See :class:`weft_host.progress.ProgressLine`. Nothing else may be printed inside.
    """
    global _line
    if _line is not None:
        yield
        return
    try:
        with ProgressLine() as _line:
            yield
    finally:
        _line = None
