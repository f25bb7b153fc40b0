"""Host software of Weft: compiler, program file, devices.

Importing this package loads numpy and the plain data in :mod:`weft.spec`, but not Amaranth.
:class:`weft_host.device.RtlDevice` imports the gateware when it builds a simulator.
"""

import importlib
import typing

from weft import __version__

from .configuration import resolve_config
from .errors import (
    BuildError,
    ClosedError,
    ConfigurationError,
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

__all__ = ["BuildError", "CapacityError", "ClosedError", "ConfigurationError", "Device",
           "DeviceError", "DeviceTimeout", "EmulatorDevice", "HostStep", "InputError", "LinkError",
           "ModelError", "Program", "ProgramError", "RegisterError", "Result", "RtlDevice",
           "SerialDevice", "Tensor", "UnsupportedError", "WeftError", "Window", "__version__",
           "check", "compile", "compile_gemm", "matmul", "resolve_config"]

if typing.TYPE_CHECKING:
    from .compiler import (
        CapacityError,
        ModelError,
        UnsupportedError,
        check,
        compile,
        compile_gemm,
        matmul,
    )
    from .device import Device, EmulatorDevice, Result, RtlDevice, SerialDevice
else:
    # imported on first use, so that a script that only reads a program starts at once
    _LAZY = {
        **dict.fromkeys(("CapacityError", "ModelError", "UnsupportedError", "check", "compile",
                         "compile_gemm", "matmul"), "compiler"),
        **dict.fromkeys(("Device", "EmulatorDevice", "Result", "RtlDevice", "SerialDevice"),
                        "device"),
    }

    def __getattr__(name):
        if name not in _LAZY:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module("." + _LAZY[name], __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
