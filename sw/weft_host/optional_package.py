"""Packages that only some parts of the host software need."""

import importlib.util

from .errors import WeftError

__all__ = ["MissingPackageError", "is_installed"]


def is_installed(package: str) -> bool:
    """Return whether a package can be imported, without importing it."""
    return importlib.util.find_spec(package) is not None


class MissingPackageError(WeftError, ImportError):
    """A package of an extra is not installed.

    Parameters
    ----------
    package : :class:`str`
        Name of the package.
    purpose : :class:`str`
        Plural noun that the message begins with.
    extra : :class:`str`
        Extra of Weft that installs the package.
    """

    def __init__(self, package: str, purpose: str, extra: str) -> None:
        super().__init__(f"{purpose} need the package {package}, which is not installed: "
                         f"pip install 'weft[{extra}]'")
