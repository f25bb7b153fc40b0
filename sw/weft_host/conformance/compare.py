"""Run of one case on a device, and comparison tensor by tensor."""

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from ..device.base import Device, Result
from ..device.tensors import write_tensor
from ..program.file import Program
from ..program.tensor import Tensor
from .cases import Case

__all__ = ["Mismatch", "ModelReport", "compare_case"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mismatch:
    """First element of a tensor that differs from the expected one.

    Attributes
    ----------
    model, case : :class:`str`
        Names of the model and of the case.
    tensor, name : :class:`str`
        Names of the tensor in the file of the case, and in the program.
    index : :class:`tuple` of :class:`int` or :class:`None`
        Index of the element; None if the shapes differ.
    expected, actual : :class:`int` or :class:`float`, or :class:`str`
        Values of the element, or descriptions of the shapes.
    wrong_elements : :class:`int`
        Number of elements that differ.
    """

    model: str
    case: str
    tensor: str
    name: str
    index: tuple[int, ...] | None
    expected: object
    actual: object
    wrong_elements: int

    def __str__(self) -> str:
        where = f"{self.model}, case {self.case}, tensor {self.tensor} ({self.name})"
        if self.index is None:
            return f"{where}: expected shape {self.expected}, got {self.actual}"
        return (f"{where}: {self.wrong_elements} elements differ, first at {list(self.index)}: "
                f"expected {self.expected}, got {self.actual}")


@dataclasses.dataclass(kw_only=True)
class ModelReport:
    """Results of the cases of a model.

    Attributes
    ----------
    model : :class:`str`
        Name of the model.
    cases, left_out, exact : :class:`int`
        Numbers of cases that ran, that were left out, and that ran without a difference.
    tensors, elements : :class:`int`
        Numbers of compared tensors and elements in all cases.
    not_compared : :class:`dict`
        Arrays of the files that were not compared, with the reasons.
    not_stored : list of :class:`str`
        Tensors of the program that are not in the file of the first case.
    mismatch : :class:`Mismatch` or :class:`None`
        The first difference.
    failure : :class:`str`
        Reason why a run ended early; empty if none did.
    refusal : :class:`str`
        Reason why the model or a case cannot run; empty if all can.
    """

    model: str
    cases: int = 0
    left_out: int = 0
    exact: int = 0
    tensors: int = 0
    elements: int = 0
    not_compared: dict[str, str] = dataclasses.field(default_factory=dict)
    not_stored: list[str] = dataclasses.field(default_factory=list)
    mismatch: Mismatch | None = None
    failure: str = ""
    refusal: str = ""

    @property
    def status(self) -> int:
        """Exit status: 0 if all are equal, 1 after a difference or failure, 2 if a case cannot run.
        """
        return 2 if self.refusal else 1 if self.mismatch or self.failure else 0


def _targets(program: Program, case: Case) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the tensors to compare with arrays of the file, and the reasons for other arrays.

    The tensors are in the order of the program.
    """
    by_id = {tensor.tensor_id: tensor for tensor in (*program.tensors, *program.outputs)
             if tensor.tensor_id is not None}
    inputs = {tensor.tensor_id for tensor in program.inputs}
    order = {tensor.name: number for number, tensor in enumerate(by_id.values())}
    found: dict[str, Tensor] = {}
    without = {name: "neither an input nor a result" for name in case.others}
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
            without[name] = "an input of the model, which is not computed"
        else:
            without[name] = (
                "not computed by the program: constant, unused or fused with another tensor")
    return dict(sorted(found.items(), key=lambda item: order[item[1].name])), without


def compare_case(device: Device, program: Program, case: Case, report: ModelReport) -> Result:
    """Run one case and add the comparison to the report of its model.

    Before the run, every tensor that is compared is filled with wrong bytes, so that a tensor that
    the device does not write cannot pass.
    """
    targets, without = _targets(program, case)
    report.not_compared.update(without)
    if not report.cases:
        stored = {tensor.name for tensor in targets.values()}
        report.not_stored += [tensor.name for tensor in (*program.tensors, *program.outputs)
                              if tensor.name not in stored]
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


def _difference(model: str, case: str, tensor: str, name: str, expected: npt.NDArray[Any],
                actual: npt.NDArray[Any]) -> Mismatch | None:
    """Return the first difference between two arrays, if there is one."""
    if expected.shape != actual.shape or expected.dtype != actual.dtype:
        shapes = [f"{list(array.shape)} of {array.dtype}" for array in (expected, actual)]
        return Mismatch(model=model, case=case, tensor=tensor, name=name, index=None,
                        expected=shapes[0], actual=shapes[1], wrong_elements=expected.size)
    wrong = np.argwhere(_bits(expected) != _bits(actual))
    if not len(wrong):
        return None
    index = tuple(int(i) for i in wrong[0])
    return Mismatch(model=model, case=case, tensor=tensor, name=name, index=index,
                    expected=expected[index].item(), actual=actual[index].item(),
                    wrong_elements=len(wrong))


def _bits(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the elements as integers with the same bytes, so that NaN equals itself."""
    return np.array(array, order="C").view(f"u{array.itemsize}")
