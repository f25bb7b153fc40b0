"""Networks on the RTL: whether they are right, and how many cycles they take."""

import dataclasses

from ..conformance import ModelReport, compare_case, find_models, read_case
from ..errors import DeviceError, DeviceTimeout, InputError, WeftError
from .scale_sim import output_stationary, products, weight_stationary

__all__ = ["ModelMeasurement", "measure_models"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelMeasurement:
    """A network, measured.

    Attributes
    ----------
    model : :class:`str`
    exact, cases : :class:`int`
        Cases whose outputs are those stored, of how many.
    cycles : :class:`int` or :class:`None`
        From start to done, the longest of the cases; ``None`` if none ran.
    macs : :class:`int`
        Multiplications of the convolutions and fully connected layers.
    utilisation : :class:`float` or :class:`None`
        ``macs`` over cycles and cells.
    weight_stationary, output_stationary : :class:`int`
        Cycles of the textbook array, for its layers alone; see :mod:`weft_host.perf.scale_sim`.
    ratio : :class:`float` or :class:`None`
        The better of the two over ``cycles``: above 1, Weft is faster.
    problem : :class:`str`
        What went wrong; empty if nothing did.
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


def measure_models(folder, config, make_device, *, most=None, progress=lambda text: None):
    """A :class:`ModelMeasurement` and an exit status for every model of a folder.

    Parameters
    ----------
    folder : path
        See :func:`weft_host.conformance.find_models`.
    config : :class:`weft.spec.config.Config`
        What to compile for.
    make_device : callable
        From a number of bytes of host memory to the device that runs all of them.
    most : :class:`int` or :class:`None`
        Cases a model at most.
    progress : callable
        Gets a sentence for each model.
    """
    from .. import compiler
    from ..compiler.frontend.tflite import read_model

    work = []
    for name, path, cases in find_models(folder):
        graph = read_model(path)
        program, report = None, ModelReport(model=name)
        try:
            if not cases:
                raise InputError(f"{path.parent} has no .npz file: nothing to compare with")
            program = compiler.compile(path, config)
        except WeftError as error:
            report.refusal = str(error)
        work.append((report, graph, program, cases[:most]))
    memory = [program.memory_bytes for _, _, program, _ in work if program]
    device = make_device(max(memory)) if memory else None
    found = []
    for report, graph, program, cases in work:
        progress(f"measuring {report.model}")
        cycles = _run(device, program, cases, report) if program else None
        found.append((_measurement(report, products(graph), cycles, config), report.status))
    return found


def _run(device, program, cases, report):
    """The most cycles of the cases."""
    cycles = None
    for path in cases:
        try:
            result = compare_case(device, program, read_case(path), report)
            cycles = max(cycles or 0, result.cycles)
        except (DeviceError, DeviceTimeout) as error:
            report.failure = report.failure or f"{path.stem}: {error}"
        except WeftError as error:
            report.refusal = report.refusal or f"{path.name}: {error}"
    return cycles


def _measurement(report, layers, cycles, config):
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
