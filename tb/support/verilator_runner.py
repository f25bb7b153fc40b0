"""Runner of cocotb for Verilator whose simulators compile in a fraction of the time."""

import os
import pathlib
import shutil
import tempfile

from cocotb_tools.runner import Verilator

__all__ = ["VerilatorRunner"]


class VerilatorRunner(Verilator):
    """Verilator for tests that access nothing but the ports of the top level.

    cocotb makes all signals of the design accessible, which are most of the C++, and compiles
    Verilator's own library for every simulator. A simulator without waveforms has accessible ports
    only, and its library is that of the first simulator.

    Parameters
    ----------
    module : :class:`str`
        Name of the top level.
    ports : iterable of :class:`str`
        Names of its ports.
    library : :class:`pathlib.Path`
        Folder for the object files of Verilator's library, shared by all simulators.
    """

    def __init__(self, module, ports, library):
        super().__init__()
        self.module, self.ports, self.library = module, tuple(ports), library

    def _build_command(self):
        verilate, make = super()._build_command()
        if self.waves:
            return [verilate, make]
        accessible = pathlib.Path(self.build_dir) / "ports.vlt"
        accessible.write_text("".join([
            "`verilator_config\n",
            *(f'public_flat_rw -module "{self.module}" -var "{port}"\n' for port in self.ports)]))
        verilate[verilate.index("--public-flat-rw")] = str(accessible)
        # these models simulate thousands of cycles: -Os would compile longer than it saves
        make.append("OPT_FAST=-O1")
        if self.library.exists():
            objects = " ".join(map(str, sorted(self.library.glob("*.o"))))
            make += ["VM_GLOBAL_FAST=", f"USER_LDLIBS={objects}"]
        return [verilate, make]

    def share_library(self):
        """Keep the object files of Verilator's library after the first build."""
        if self.waves or self.library.exists():
            return
        folder = tempfile.mkdtemp(dir=self.library.parent)
        for path in pathlib.Path(self.build_dir).glob("verilated*.o"):
            shutil.copy2(path, folder)
        try:
            os.rename(folder, self.library)
        except OSError:                     # another process was faster
            shutil.rmtree(folder)
