"""Benchmarks of networks on the RTL: correctness and cycles."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable, Sequence

from weft.spec.config import Config

from .. import compiler
from ..compiler.frontend.tflite import read_model
from ..conformance import ModelReport, compare_case, find_models, read_case
from ..device import Device
from ..errors import DeviceError, DeviceTimeout, InputError, WeftError
from ..program.file import Program
from .microbenchmarks import measured_cycles
from .scale_sim import Product, output_stationary, products, weight_stationary

__all__ = ["ModelMeasurement", "measure_models"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelMeasurement:
    """Measurement of a network.

    Attributes
    ----------
    model : :class:`str`
    exact, cases : :class:`int`
        Number of cases whose outputs equal the stored ones, and number of all cases.
    cycles : :class:`int` or :class:`None`
        Cycles from start to done, the maximum of all cases; None if no case ran.
    macs : :class:`int`
        Multiplications of the convolutions and fully connected layers.
    utilisation : :class:`float` or :class:`None`
        ``macs`` over cycles and cells.
    weight_stationary, output_stationary : :class:`int`
        Cycles of SCALE-Sim's array, for its layers alone; see :mod:`weft_host.perf.scale_sim`.
    ratio : :class:`float` or :class:`None`
        The smaller of these two over ``cycles``: above 1, Weft is faster.
    problem : :class:`str`
        Description of a failure; empty without one.
    """

    model: str
    exact: int
    cases: int
    cycles: int | None
    macs: int
    utilisation: float | None
    weight_stationary: int
    output_stationary: int
    ratio: float | None
    problem: str = ""


def measure_models(
        folder: str | pathlib.Path, config: Config, make_device: Callable[[int], Device], *,
        most: int | None = None, progress: Callable[[str], object] = lambda text: None,
) -> list[tuple[ModelMeasurement, int]]:
    """Measure every model of a folder and return an exit status with each measurement.

    Parameters
    ----------
    folder : path
        See :func:`weft_host.conformance.find_models`.
    config : :class:`weft.spec.config.Config`
        Configuration to compile for.
    make_device : callable
        Returns the device that runs all models, for a number of bytes of host memory.
    most : :class:`int` or :class:`None`
        Limit of the cases per model.
    progress : callable
        Receives a sentence before each model is compiled, and before it is run.
    """
    work = []
    for name, path, cases in find_models(folder):
        graph = read_model(path)
        program, report = None, ModelReport(model=name)
        try:
            if not cases:
                raise InputError(f"{path.parent} has no .npz file: nothing to compare with")
            progress(f"compiling {name}")
            program = compiler.compile(path, config)
        except WeftError as error:
            report.refusal = str(error)
        work.append((report, graph, program, cases[:most]))
    memory = [program.memory_bytes for _, _, program, _ in work if program]
    device = make_device(max(memory)) if memory else None
    found = []
    for report, graph, program, cases in work:
        progress(f"measuring {report.model}")
        cycles = _run(device, program, cases, report) if device and program else None
        found.append((_measurement(report, products(graph), cycles, config), report.status))
    return found


def _run(device: Device, program: Program, cases: Sequence[pathlib.Path],
         report: ModelReport) -> int | None:
    """Run the cases and return the maximum of their cycles."""
    cycles = None
    for path in cases:
        try:
            result = compare_case(device, program, read_case(path), report)
            cycles = max(cycles or 0, measured_cycles(result))
        except (DeviceError, DeviceTimeout) as error:
            report.failure = report.failure or f"{path.stem}: {error}"
        except WeftError as error:
            report.refusal = report.refusal or f"{path.name}: {error}"
    return cycles


def _measurement(report: ModelReport, layers: Sequence[Product], cycles: int | None,
                 config: Config) -> ModelMeasurement:
    rows, cols = config.rows, config.cols
    macs = sum(layer.macs for layer in layers)
    stationary = [sum(form(layer, rows, cols) for layer in layers)
                  for form in (weight_stationary, output_stationary)]
    problem = report.refusal or report.failure or str(report.mismatch or "")
    return ModelMeasurement(
        model=report.model, exact=report.exact, cases=report.cases, cycles=cycles, macs=macs,
        utilisation=macs / (cycles * rows * cols) if cycles else None,
        weight_stationary=stationary[0], output_stationary=stationary[1],
        ratio=min(stationary) / cycles if cycles and layers else None, problem=problem)
