"""Output of the verbs: files, JSON and messages about progress."""

import json

import click

from ..atomic_file import write_atomically
from ..errors import InputError

__all__ = ["print_json", "progress", "write_output"]


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
    """Print a message about progress on standard error, which keeps standard output clean."""
    click.echo(f"weft: {text}", err=True)
