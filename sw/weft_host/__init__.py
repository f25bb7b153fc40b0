"""Weft's host side: compiler, program file, devices.

Importing this package loads numpy and plain data of the hardware description, never Amaranth;
:class:`weft_host.device.RtlDevice` loads the gateware when it builds.
"""

import importlib

from .errors import (
    BuildError,
    DeviceError,
    DeviceTimeout,
    InputError,
    LinkError,
    ProgramError,
    RegisterError,
    WeftError,
)
from .program.file import Program
from .program.tensor import HostStep, Tensor, Window

# loaded on first use, so that a script that only reads a program starts at once
_LAZY = {"Device": "device", "EmulatorDevice": "device", "Result": "device", "RtlDevice": "device",
         "SerialDevice": "device",
         "CapacityError": "compiler", "ModelError": "compiler", "UnsupportedError": "compiler",
         "check": "compiler", "compile": "compiler", "compile_gemm": "compiler",
         "matmul": "compiler"}

__all__ = ["BuildError", "DeviceError", "DeviceTimeout", "HostStep", "InputError", "LinkError",
           "Program", "ProgramError", "RegisterError", "Tensor", "WeftError", "Window", *_LAZY]


def __getattr__(name):
    if name in _LAZY:
        return getattr(importlib.import_module("." + _LAZY[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
