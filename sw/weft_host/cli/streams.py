"""Standard output and standard error of the command."""

import contextlib
import errno
import io
import os
import sys

__all__ = ["describe", "discard_output", "prepare_streams"]

_WRITING = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


def prepare_streams() -> None:
    """Make the standard streams accept every text, such as file names that are not UTF-8.

    A stream that is closed is replaced by one that discards its text.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w"))
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def describe(error: Exception) -> str:
    """Return the message of an error; one that writing to a stream raised names no file."""
    if isinstance(error, OSError) and error.errno in _WRITING and error.filename is None:
        return f"standard output cannot be written: {error.strerror}"
    return str(error)


def discard_output() -> None:
    """Discard text in the buffer of standard output if it cannot be written.

    Otherwise, the interpreter would try again at its exit, and report the error once more.
    """
    try:
        sys.stdout.flush()
    except OSError:
        with contextlib.suppress(OSError):      # tests replace the stream by one without a file
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.close(nowhere)
