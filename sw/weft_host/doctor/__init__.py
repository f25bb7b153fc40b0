"""What this machine has and lacks: boards at their ports, permissions, tools and versions."""

import importlib.metadata
import pathlib

from .finding import MISSING, OK, PROBLEM, Finding
from .ports import examine_ports
from .tools import TOOLS, examine_compiler, examine_tool

__all__ = ["Finding", "MISSING", "OK", "PROBLEM", "TOOLS", "examine"]


def _package_version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _packages():
    for name, purpose, needed, install in (
            ("amaranth", "the gateware", True, "pip install 'amaranth[builtin-yosys]'"),
            ("pyserial", "boards: weft run --on PORT", False, "pip install 'weft[serial]'")):
        version = _package_version(name)
        if version:
            yield Finding("package", name, OK, f"{version} ({purpose})")
        else:
            yield Finding("package", name, PROBLEM if needed else MISSING, purpose, install)


def examine(root="/"):
    """All findings, a list of :class:`Finding`: Python packages, tools, USB devices and ports.

    Parameters
    ----------
    root : path
        Where Linux's ``sys/bus/usb`` and ``dev/bus/usb`` are.
    """
    return [*_packages(), examine_compiler(), *map(examine_tool, TOOLS),
            *examine_ports(pathlib.Path(root))]
