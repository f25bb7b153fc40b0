"""Models with stored results, run on a device and compared: every case, every tensor.

A folder holds ``model.tflite`` beside its cases, or folders that do. A case is an ``.npz`` file:
``in0`` (``in1``, ...) the inputs, ``out0`` the outputs, ``t<i>`` the tensor with index *i* in the
model file.
"""

from ..errors import DeviceError, DeviceTimeout, InputError, LinkError, WeftError
from .cases import Case, find_models, read_case
from .compare import Mismatch, ModelReport, compare_case

__all__ = ["Case", "Mismatch", "ModelReport", "compare_case", "find_models", "read_case",
           "run_models"]


def run_models(folder, compile, make_device, *, most=None, progress=lambda text: None):
    """A :class:`ModelReport` for every model of a folder.

    Parameters
    ----------
    folder : path
        See :func:`find_models`.
    compile : callable
        From the path of a model to its program, with all tensors kept.
    make_device : callable
        From a number of bytes of host memory to the device that runs all of them.
    most : :class:`int` or :class:`None`
        Cases a model at most; the others are counted as left out.
    progress : callable
        Gets a sentence for each case.
    """
    reports, work = [], []
    for name, path, cases in find_models(folder):
        report = ModelReport(model=name)
        reports.append(report)
        taken = cases[:most]
        report.left_out = len(cases) - len(taken)
        try:
            program = compile(path)
            if not taken:
                raise InputError(f"{path.parent} has no .npz file: nothing to compare with")
            work.append((report, program, taken))
        except WeftError as error:
            report.refusal = str(error)
            progress(f"{name}: {error}")
    if not work:
        return reports
    device = make_device(max(program.memory_bytes for _, program, _ in work))
    broken = None
    for report, program, cases in work:
        if broken:
            report.failure = f"not run: {broken}"
            continue
        try:
            device.check(program)       # a board has the memory that it has
            broken = _run_cases(device, program, cases, report, progress)
        except LinkError as error:
            report.failure = broken = str(error)
        except WeftError as error:
            report.refusal = str(error)
            progress(f"{report.model}: {error}")
    return reports


def _run_cases(device, program, cases, report, progress):
    """Why nothing else can be run on the device; None if it can."""
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
