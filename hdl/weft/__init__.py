"""Weft: an AI-inference accelerator in Amaranth.

Importing this package loads neither Amaranth nor any gateware; :mod:`weft.spec.config`,
:mod:`weft.spec.presets`, :mod:`weft.spec.isa` and :mod:`weft.spec.register_map` are plain data that
the host software shares with the hardware. :class:`weft.accelerator.Accelerator` and
:func:`weft.instance.make_accelerator` are here, too, and loaded when they are asked for.
"""

import importlib

__version__ = "0.1.0"

_LOADED_LATER = {"Accelerator": "accelerator", "make_accelerator": "instance"}


def __getattr__(name):
    if name not in _LOADED_LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LOADED_LATER[name]}"), name)
