"""Standard output and standard error of the command."""

import contextlib
import io
import os
import sys

__all__ = ["discard_output", "prepare_streams"]


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
