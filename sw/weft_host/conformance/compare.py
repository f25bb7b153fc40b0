"""One case on a device, compared tensor by tensor."""

import dataclasses

import numpy as np

from ..device.tensors import write_tensor

__all__ = ["Mismatch", "ModelReport", "compare_case"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mismatch:
    """The first element that is not what the file says; ``index`` is None for a wrong shape."""

    model: str
    case: str
    tensor: str
    name: str
    index: tuple | None
    expected: object
    actual: object
    wrong_elements: int

    def __str__(self):
        where = f"{self.model}, case {self.case}, tensor {self.tensor} ({self.name})"
        if self.index is None:
            return f"{where}: expected shape {self.expected}, got {self.actual}"
        return (f"{where}: {self.wrong_elements} elements differ, first at {list(self.index)}: "
                f"expected {self.expected}, got {self.actual}")


@dataclasses.dataclass(kw_only=True)
class ModelReport:
    """What became of a model.

    Attributes
    ----------
    cases, left_out, exact : :class:`int`
        Cases that ran, that were not asked for, and those without a difference.
    tensors, elements : :class:`int`
        Compared, over all cases.
    not_compared : :class:`dict`
        For each array of the files that nothing was compared with: why.
    not_stored : list of :class:`str`
        Tensors of the program that the first case says nothing about.
    mismatch : :class:`Mismatch` or :class:`None`
        The first one.
    failure : :class:`str`
        Why a run ended early; empty if none did.
    refusal : :class:`str`
        Why the model or a case cannot run; empty if it can.
    """

    model: str
    cases: int = 0
    left_out: int = 0
    exact: int = 0
    tensors: int = 0
    elements: int = 0
    not_compared: dict = dataclasses.field(default_factory=dict)
    not_stored: list = dataclasses.field(default_factory=list)
    mismatch: Mismatch | None = None
    failure: str = ""
    refusal: str = ""

    @property
    def status(self):
        """0 all equal, 1 a difference or a device that failed, 2 something could not run."""
        return 2 if self.refusal else 1 if self.mismatch or self.failure else 0


def _targets(program, case):
    """``{array of the file: tensor}`` in the order of the program, and why others have none."""
    by_id = {tensor.tensor_id: tensor for tensor in (*program.tensors, *program.outputs)
             if tensor.tensor_id is not None}
    inputs = {tensor.tensor_id for tensor in program.inputs}
    order = {tensor.name: place for place, tensor in enumerate(by_id.values())}
    found, without = {}, {name: "neither an input nor a result" for name in case.others}
    for name in case.expected:
        kind = name.rstrip("0123456789")
        number = int(name[len(kind):])
        if kind == "out" and number < len(program.outputs):
            found[name] = program.outputs[number]
        elif kind == "out":
            without[name] = f"the model has {len(program.outputs)} outputs"
        elif number in by_id:
            found[name] = by_id[number]
        elif number in inputs:
            without[name] = "an input of the model: given, not computed"
        else:
            without[name] = "not made by the program: constant, unused, or fused into another"
    return dict(sorted(found.items(), key=lambda item: order[item[1].name])), without


def compare_case(device, program, case, report):
    """Run one case and add what came of it to the report of its model.

    Memory of every tensor that is compared is filled with wrong bytes before the run: what the
    device did not write cannot pass.

    Returns
    -------
    :class:`weft_host.device.Result`
    """
    targets, without = _targets(program, case)
    report.not_compared.update(without)
    if not report.cases:
        told = {tensor.name for tensor in targets.values()}
        report.not_stored += [tensor.name for tensor in (*program.tensors, *program.outputs)
                              if tensor.name not in told]
    report.cases += 1
    for name, tensor in targets.items():
        expected = case.expected[name]
        if expected.dtype == np.dtype(tensor.dtype) and expected.shape == tensor.shape:
            wrong = expected.copy(order="C").view(np.uint8) ^ np.uint8(0xFF)
            write_tensor(device, tensor, wrong.view(expected.dtype))
    result = device.run(program, case.inputs, all_tensors=True)
    exact = True
    for name, tensor in targets.items():
        expected, actual = case.expected[name], result.tensors[tensor.name]
        report.tensors += 1
        report.elements += expected.size
        mismatch = _difference(report.model, case.name, name, tensor.name, expected, actual)
        if mismatch:
            exact = False
            report.mismatch = report.mismatch or mismatch
    report.exact += exact
    return result


def _difference(model, case, tensor, name, expected, actual):
    about = dict(model=model, case=case, tensor=tensor, name=name)
    if expected.shape != actual.shape or expected.dtype != actual.dtype:
        shapes = [f"{list(array.shape)} of {array.dtype}" for array in (expected, actual)]
        return Mismatch(**about, index=None, expected=shapes[0], actual=shapes[1],
                        wrong_elements=expected.size)
    wrong = np.argwhere(_bits(expected) != _bits(actual))
    if not len(wrong):
        return None
    index = tuple(int(i) for i in wrong[0])
    return Mismatch(**about, index=index, expected=expected[index].item(),
                    actual=actual[index].item(), wrong_elements=len(wrong))


def _bits(array):
    """Integers with the bytes of the elements: equal floats may differ, and NaN equals itself."""
    return np.array(array, order="C").view(f"u{array.itemsize}")
