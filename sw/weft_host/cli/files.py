"""Types of options and arguments that name files to read and to write."""

import errno
import os
import pathlib
import stat
from typing import NamedTuple

import click

__all__ = ["InputFile", "InputPath", "OutputFile"]

_KEY = f"{__name__}.files"


def _is_same(path: str, other: str) -> bool:
    """Return whether two paths name one file, also through links and other spellings."""
    try:
        return os.path.samefile(path, other)
    except OSError:     # one of them does not exist yet
        return os.path.realpath(path) == os.path.realpath(other)


def _is_special(path: str) -> bool:
    """Return whether a path names a device, a pipe or a socket."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


class _Use(NamedTuple):
    param: click.Parameter
    path: str
    written: bool


class _File(click.Path):
    """A regular file. A command does not write to a file that another parameter names, too."""

    written: bool

    def convert(self, value: str | os.PathLike[str], param: click.Parameter | None,
                ctx: click.Context | None) -> str:
        """Return the path as text, or fail."""
        path = os.fsdecode(value)
        if _is_special(path):
            self.fail(f"{path!r} is not a regular file", param, ctx)
        path = os.fsdecode(super().convert(path, param, ctx))
        if ctx is not None and param is not None:
            used: list[_Use] = ctx.meta.setdefault(_KEY, [])
            new = _Use(param, path, self.written)
            for old in used:
                if (new.written or old.written) and _is_same(path, old.path):
                    # options are converted before arguments
                    output, other = (new, old) if new.written else (old, new)
                    self.fail(f"{output.path!r} is also the file of "
                              f"{other.param.get_error_hint(ctx)}, which would be lost; choose "
                              "another file to write", output.param, ctx)
            used.append(new)
        return path


class InputFile(_File):
    """Type of a parameter that names a file to read."""

    written = False

    def __init__(self) -> None:
        super().__init__(exists=True, dir_okay=False)


class InputPath(_File):
    """Type of a parameter that names a file or a folder to read."""

    written = False

    def __init__(self) -> None:
        super().__init__(exists=True)


class OutputFile(_File):
    """Type of an option that names a file to write; its folder is checked before any work."""

    written = True

    def __init__(self) -> None:
        super().__init__(dir_okay=False, writable=True)

    def convert(self, value: str | os.PathLike[str], param: click.Parameter | None,
                ctx: click.Context | None) -> str:
        """Return the path as text, or fail if the file cannot be written."""
        path = super().convert(value, param, ctx)
        if not path:
            self.fail("the name of the file is empty", param, ctx)
        if path.endswith(os.sep):
            self.fail(f"{path!r} names a folder; add the name of a file", param, ctx)
        try:
            os.lstat(path)
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                self.fail(f"the name {path[:40]}... of {len(os.fsencode(path))} bytes is too long",
                          param, ctx)
        folder = pathlib.Path(path).parent
        if not folder.is_dir():
            self.fail(f"the folder {folder} does not exist; create it first", param, ctx)
        if not os.access(folder, os.W_OK):
            self.fail(f"the folder {folder} cannot be written to", param, ctx)
        return path
