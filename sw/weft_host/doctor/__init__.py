"""Examination of a machine: packages, tools and versions, boards, ports and permissions."""

import importlib.metadata
import os
import pathlib
from collections.abc import Iterator

from .finding import MISSING, OK, PROBLEM, Finding
from .ports import examine_ports
from .tools import TOOLS, examine_compiler, examine_tool

__all__ = ["Finding", "MISSING", "OK", "PROBLEM", "TOOLS", "examine"]


def _package_version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _packages() -> Iterator[Finding]:
    for name, purpose, needed, install in (
            ("amaranth", "the gateware", True, "pip install 'amaranth[builtin-yosys]'"),
            ("pyserial", "boards: weft run --on PORT", False, "pip install 'weft[serial]'")):
        version = _package_version(name)
        if version:
            yield Finding("package", name, OK, f"{version} ({purpose})")
        else:
            yield Finding("package", name, PROBLEM if needed else MISSING, purpose, install)


def examine(root: str | os.PathLike[str] = "/") -> list[Finding]:
    """Examine Python packages, tools, USB devices and serial ports.

    Parameters
    ----------
    root : path
        Folder that contains ``sys/bus/usb`` and ``dev/bus/usb`` of Linux.
    """
    return [*_packages(), examine_compiler(), *map(examine_tool, TOOLS),
            *examine_ports(pathlib.Path(root))]
