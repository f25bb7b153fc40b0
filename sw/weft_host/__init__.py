"""Host software of Weft: compiler, program file, devices.

Importing this package loads nothing else. Each of its names is imported on first use; Amaranth and
the gateware are imported when :class:`weft_host.device.RtlDevice` builds a simulator.
"""

import importlib

# Ctrl-C is reported only after the import of this module, so typing is not loaded for its constant
TYPE_CHECKING = False

__all__ = ["BuildError", "CapacityError", "ClosedError", "ConfigurationError", "Device",
           "DeviceError", "DeviceTimeout", "EmulatorDevice", "HostStep", "InputError",
           "LanguageModel", "LinkError", "ModelError", "Program", "ProgramError", "RegisterError",
           "Result", "RtlDevice", "SerialDevice", "Tensor", "UnsupportedError", "WeftError",
           "Window", "__version__", "check", "compile", "compile_gemm", "matmul", "resolve_config"]

if TYPE_CHECKING:
    from weft import __version__

    from .compiler import (
        CapacityError,
        ModelError,
        UnsupportedError,
        check,
        compile,
        compile_gemm,
        matmul,
    )
    from .configuration import resolve_config
    from .device import Device, EmulatorDevice, Result, RtlDevice, SerialDevice
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
    from .language import LanguageModel
    from .program.file import Program
    from .program.tensor import HostStep, Tensor, Window
else:
    # so that the command can report Ctrl-C during its imports, and an error class needs no numpy
    _LAZY = {
        **dict.fromkeys(("CapacityError", "ModelError", "UnsupportedError", "check", "compile",
                         "compile_gemm", "matmul"), "compiler"),
        "resolve_config": "configuration",
        **dict.fromkeys(("Device", "EmulatorDevice", "Result", "RtlDevice", "SerialDevice"),
                        "device"),
        **dict.fromkeys(("BuildError", "ClosedError", "ConfigurationError", "DeviceError",
                         "DeviceTimeout", "InputError", "LinkError", "ProgramError",
                         "RegisterError", "WeftError"), "errors"),
        "LanguageModel": "language",
        "Program": "program.file",
        **dict.fromkeys(("HostStep", "Tensor", "Window"), "program.tensor"),
    }

    def __getattr__(name):
        if name == "__version__":
            return importlib.import_module("weft").__version__
        if name not in _LAZY:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module("." + _LAZY[name], __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
