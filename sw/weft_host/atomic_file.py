"""Atomic file writing: readers see the old file or the whole new one, never a part."""

import errno
import os
import pathlib
import tempfile

__all__ = ["write_atomically"]

_PREFIX = 50        # characters of a temporary file's name


def write_atomically(path: str | os.PathLike[str], content: bytes | str) -> None:
    """Write a file completely or not at all.

    The content goes to a temporary file in the same folder, which then replaces ``path``. After a
    failure the temporary file is gone and ``path`` is unchanged.

    Parameters
    ----------
    path : path
        File to write. Its folder must exist.
    content : :class:`bytes` or :class:`str`
        The whole new content; text is encoded as UTF-8. Characters that UTF-8 cannot represent,
        which stand for bytes in file names, become escape sequences.

    Raises
    ------
    OSError
        If the folder does not exist or cannot be written to, the disk is full, or ``path`` is a
        folder or a device, which a file would replace.
    """
    path = pathlib.Path(path)
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "Not a regular file", str(path))
    raw = content.encode(errors="backslashreplace") if isinstance(content, str) else content
    try:
        # a name may have 255 bytes, and a letter up to four
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name[:_PREFIX] + ".")
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
