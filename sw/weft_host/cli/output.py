"""Output of the verbs: files, JSON and messages about progress."""

import json
import os
import pathlib
import sys

import click

from ..atomic_file import write_atomically
from ..errors import InputError

__all__ = ["OutputFile", "print_json", "progress", "write_output"]


class OutputFile(click.Path):
    """Type of an option that names a file to write; its folder is checked before any work."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, writable=True)

    def convert(self, value: str | os.PathLike[str], param: click.Parameter | None,
                ctx: click.Context | None) -> str:
        """Return the path as text, or fail if its folder cannot be written to."""
        path = os.fsdecode(super().convert(value, param, ctx))
        folder = pathlib.Path(path).parent
        if not folder.is_dir():
            self.fail(f"the folder {folder} does not exist; create it first", param, ctx)
        if not os.access(folder, os.W_OK):
            self.fail(f"the folder {folder} cannot be written to", param, ctx)
        return path


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
    json.dump(value, sys.stdout, indent=2)
    click.echo()


def progress(text: str) -> None:
    """Print a message about progress on standard error, which keeps standard output clean."""
    click.echo(f"weft: {text}", err=True)
