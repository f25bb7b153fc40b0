"""Atomic file writing: readers see the old file or the whole new one, never a part."""

import os
import pathlib
import tempfile

__all__ = ["write_atomically"]


def write_atomically(path: str | os.PathLike[str], content: bytes | str) -> None:
    """Write a file completely or not at all.

    The content goes to a temporary file in the same folder, which then replaces ``path``. After a
    failure the temporary file is gone and ``path`` is unchanged.

    Parameters
    ----------
    path : path
        File to write. Its folder must exist.
    content : :class:`bytes` or :class:`str`
        The whole new content; text is encoded as UTF-8.

    Raises
    ------
    OSError
        If the folder does not exist or cannot be written to, or the disk is full.
    """
    path = pathlib.Path(path)
    raw = content.encode() if isinstance(content, str) else content
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name + ".")
    except OSError as error:
        error.filename = str(path)      # not that of the temporary file
        raise
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
        os.chmod(temporary, 0o644)      # mkstemp makes files that only their owner can read
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
