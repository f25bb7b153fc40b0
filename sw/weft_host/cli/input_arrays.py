"""Input arrays of a program from an .npz file."""

import contextlib
import os
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from ..device.tensors import check_inputs
from ..errors import InputError
from ..program.file import Program
from .files import InputFile

__all__ = ["ArraysFile", "read_inputs"]

_ZIP = b"PK"        # first bytes of every .npz file
# raised by numpy for a damaged header, which it evaluates as a Python literal
_HEADER_ERRORS = (ValueError, TypeError, SyntaxError, tokenize.TokenError, OverflowError,
                  RecursionError, MemoryError)


class ArraysFile(InputFile):
    """Type of an option that names an .npz file, whose form is checked before any work."""

    def convert(self, value: str | os.PathLike[str], param: click.Parameter | None,
                ctx: click.Context | None) -> str:
        """Return the path as text, or fail if the file is not an .npz file."""
        path = super().convert(value, param, ctx)
        with _archive(path):
            return path


def read_inputs(path: str | os.PathLike[str], program: Program) -> list[npt.NDArray[Any]]:
    """Read the arrays ``in0``, ``in1``, ... of an .npz file, in the program's order.

    Raises
    ------
    InputError
        If the file is not an .npz file, is damaged, or lacks an array, or if an array has another
        shape or dtype than the program's input.
    """
    name = os.fspath(path)
    with _archive(path) as archive:
        arrays = [_read_array(archive, f"in{index}", name)
                  for index in range(len(program.inputs))]
    try:
        check_inputs(program, arrays)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
    return arrays


@contextlib.contextmanager
def _archive(path: str | os.PathLike[str]) -> Iterator[zipfile.ZipFile]:
    """Open an .npz file; errors in opening and reading it become an :class:`InputError`."""
    name = os.fspath(path)
    try:
        with open(path, "rb") as file:
            first = file.read(len(_ZIP))
            if first != _ZIP:
                what = "it is empty" if not first else "numpy.savez writes such files"
                raise InputError(f"{name} is not an .npz file; {what}")
            file.seek(0)
            with zipfile.ZipFile(file) as archive:
                yield archive
    except (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        reason = getattr(error, "strerror", None) or f"it is damaged or truncated ({error})"
        raise InputError(f"{name} cannot be read as an .npz file: {reason}") from None


def _read_array(archive: zipfile.ZipFile, key: str, name: str) -> npt.NDArray[Any]:
    """Read one array of an .npz file; it must be one of numbers."""
    names = archive.namelist()
    if f"{key}.npy" not in names:
        found = ", ".join(entry.removesuffix(".npy") for entry in names) or "none"
        raise InputError(f"{name} has no array {key}; it has {found}")
    with archive.open(f"{key}.npy") as entry:
        try:
            return np.lib.format.read_array(entry, allow_pickle=False)
        except _HEADER_ERRORS as error:
            # numpy advises to load such a file with pickle, which executes code of the file
            reason = ("it contains Python objects, not numbers" if "Object arrays" in str(error)
                      else error)
            raise InputError(f"{name}: the array {key} cannot be read: {reason}") from None
