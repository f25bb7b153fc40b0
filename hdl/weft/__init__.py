"""Weft: an AI-inference accelerator in Amaranth.

The import of this package imports neither Amaranth nor any gateware. :mod:`weft.spec` contains the
plain data that the host software shares with the hardware. The attributes
:class:`~weft.accelerator.Accelerator` and :func:`~weft.instance.make_accelerator` import the
gateware at their first use.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_LAZY_ATTRIBUTES = {"Accelerator": "accelerator", "make_accelerator": "instance"}


def __getattr__(name: str) -> Any:
    if name not in _LAZY_ATTRIBUTES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LAZY_ATTRIBUTES[name]}"), name)
