"""Comparison of models on a device with stored results, tensor by tensor.

A folder contains ``model.tflite`` and its cases, or folders with these. A case is an ``.npz`` file
with the inputs ``in0``, ``in1``, ..., the outputs ``out0``, ..., and tensors ``t<i>``, where *i* is
the index of the tensor in the model file.
"""

import os
import pathlib
from collections.abc import Callable

from ..device.base import Device
from ..errors import DeviceError, DeviceTimeout, InputError, LinkError, WeftError
from ..program.file import Program
from .cases import Case, find_models, read_case
from .compare import Mismatch, ModelReport, compare_case

__all__ = ["Case", "Mismatch", "ModelReport", "compare_case", "find_models", "read_case",
           "run_models"]


def run_models(folder: str | os.PathLike[str], compile: Callable[[pathlib.Path], Program],
               make_device: Callable[[int], Device], *, most: int | None = None,
               progress: Callable[[str], object] = lambda text: None) -> list[ModelReport]:
    """Run all cases of all models in a folder and compare the results.

    Parameters
    ----------
    folder : path
        See :func:`find_models`.
    compile : callable
        Function that compiles the model at a path, with all tensors kept.
    make_device : callable
        Function that returns a device with at least the given number of bytes of host memory. It
        is called once; the device runs all models.
    most : :class:`int` or :class:`None`
        Largest number of cases to run for each model. The report counts the others as left out.
    progress : callable
        Function that is called with a sentence after each case.
    """
    reports: list[ModelReport] = []
    jobs: list[tuple[ModelReport, Program, list[pathlib.Path]]] = []
    for name, path, cases in find_models(folder):
        report = ModelReport(model=name)
        reports.append(report)
        taken = cases[:most]
        report.left_out = len(cases) - len(taken)
        try:
            program = compile(path)
            if not taken:
                raise InputError(f"{path.parent} has no .npz file: there is nothing to compare")
            jobs.append((report, program, taken))
        except WeftError as error:
            report.refusal = str(error)
            progress(f"{name}: {error}")
    if not jobs:
        return reports
    device = make_device(max(program.memory_bytes for _, program, _ in jobs))
    broken: str | None = None
    for report, program, cases in jobs:
        if broken:
            report.failure = f"not run: {broken}"
            continue
        try:
            device.check(program)       # a board may have less memory than was requested
            broken = _run_cases(device, program, cases, report, progress)
        except LinkError as error:
            report.failure = broken = str(error)
        except WeftError as error:
            report.refusal = str(error)
            progress(f"{report.model}: {error}")
    return reports


def _run_cases(device: Device, program: Program, cases: list[pathlib.Path], report: ModelReport,
               progress: Callable[[str], object]) -> str | None:
    """Run cases of one model; return the reason if the device cannot be used any more."""
    for number, path in enumerate(cases):
        try:
            compare_case(device, program, read_case(path), report)
        except (DeviceError, DeviceTimeout, LinkError) as error:
            report.failure = report.failure or f"{path.stem}: {error}"
            if isinstance(error, LinkError) and error.status is None:
                report.left_out += len(cases) - number - 1
                progress(f"{report.model}: case {number + 1} of {len(cases)} ({path.stem}): "
                         f"{error}")
                return str(error)
        except WeftError as error:
            report.refusal = report.refusal or f"{path.name}: {error}"
        progress(f"{report.model}: case {number + 1} of {len(cases)} ({path.stem}), "
                 f"{report.exact} exact")
    return None
