"""Files that are mapped into memory, after a check of their kind and size."""

import os
import pathlib
import stat

import numpy as np
import numpy.typing as npt

from ...verdict import ModelError

__all__ = ["map_file", "read_text"]


def map_file(path: str | os.PathLike[str], smallest: int) -> npt.NDArray[np.uint8]:
    """Map a regular file of at least ``smallest`` bytes.

    Returns
    -------
    uint8 array, shape ``(bytes,)``, read-only

    Raises
    ------
    ModelError
        If the file cannot be read or is too small.
    """
    source = os.fspath(path)
    size = _size(source)
    if size < smallest:
        raise ModelError(f"{source} is truncated: it has {size} bytes, and the smallest such file "
                         f"has {smallest}; obtain the file again")
    try:
        return np.memmap(source, np.uint8, "r")
    except OSError as error:
        raise ModelError(f"{source} cannot be read: {error.strerror}") from error


def read_text(path: str | os.PathLike[str], largest: int) -> str:
    """Return the text of a regular file of at most ``largest`` bytes in UTF-8.

    Raises
    ------
    ModelError
        If the file cannot be read, is too large, or is not UTF-8.
    """
    source = os.fspath(path)
    size = _size(source)
    if size > largest:
        raise ModelError(f"{source} has {size} bytes; at most {largest} are accepted")
    try:
        return pathlib.Path(source).read_bytes().decode()
    except OSError as error:
        raise ModelError(f"{source} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ModelError(f"{source} is damaged: byte {error.start} is not UTF-8; obtain the file "
                         "again") from None


def _size(source: str) -> int:
    """Return the size of a regular file in bytes."""
    try:
        found = os.stat(source)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ModelError(f"{source} cannot be read: {reason}") from error
    if not stat.S_ISREG(found.st_mode):
        raise ModelError(f"{source} cannot be read: it is not a regular file")
    return found.st_size
