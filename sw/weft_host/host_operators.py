"""Operators that the host computes, bit-exact to TensorFlow Lite's reference kernels.

Softmax uses gemmlowp's fixed-point arithmetic (``fixedpoint/fixedpoint.h``) like TensorFlow Lite's
``reference_ops::Softmax``. An int8 input has 256 possible distances from the maximum of its row,
so the exponentials are a table.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import ProgramError
from .numerics.fixed_point import SUM_BITS, divide, high_product, reciprocal, softmax_exponentials
from .numerics.requantize import to_int8, wrap32
from .program.file import Program
from .program.tensor import HostStep

__all__ = ["KINDS", "dequantize", "quantize", "run_steps", "softmax"]

Arrays = dict[str, npt.NDArray[Any]]
Operator = Callable[[HostStep, Program, Arrays], list[npt.NDArray[Any]]]


def quantize(values: npt.ArrayLike, scale: float, zero_point: int) -> npt.NDArray[np.int8]:
    """Convert float32 to int8: a float32 quotient, rounded half away from zero.

    Quotients outside the range of an int32, infinities and NaN become -2^31 before the zero point
    is added, and the sum wraps. This is the conversion of x86; the reference kernel leaves it to
    the machine.
    """
    with np.errstate(over="ignore"):
        quotient = (np.asarray(values, np.float32) / np.float32(scale)).astype(np.float64)
    # adding a half to a float32 is exact in double precision
    rounded = np.trunc(quotient + np.copysign(0.5, quotient))
    inside = (rounded >= -2.0 ** 31) & (rounded < 2.0 ** 31)
    whole = np.where(inside, rounded, -2.0 ** 31).astype(np.int64) + int(zero_point)
    return to_int8(wrap32(whole), 0, -128, 127)


def dequantize(values: npt.ArrayLike, scale: float, zero_point: int) -> npt.NDArray[np.float32]:
    """Convert int8 to float32."""
    offset = np.asarray(values, np.int32) - int(zero_point)
    return np.float32(scale) * offset.astype(np.float32)


def softmax(values: npt.NDArray[np.int8], scale: float, beta: float = 1.0) -> npt.NDArray[np.int8]:
    """Return the softmax over the last axis, with scale 1/256 and zero point -128."""
    table = softmax_exponentials(float(scale), float(beta))
    terms = np.array([divide(entry, SUM_BITS) for entry in table], np.int64)
    rows = np.asarray(values, np.int64).reshape(-1, values.shape[-1])
    out = np.empty(rows.shape, np.int8)
    for row, target in zip(rows, out):
        distance = row.max() - row
        factor, over = reciprocal(int(terms[distance].sum()))
        results: dict[int, int] = {}
        for d in set(distance.tolist()):
            value = divide(high_product(factor, table[d]), over + 31 - 8) - 128
            results[d] = max(-128, min(127, value))
        target[:] = [results[d] for d in distance.tolist()]
    return out.reshape(values.shape)


def _softmax(step: HostStep, program: Program, arrays: Arrays) -> list[npt.NDArray[Any]]:
    source, target = program.tensor(step.inputs[0]), program.tensor(step.outputs[0])
    if source.dtype != "int8" or target.dtype != "int8":
        raise ProgramError(f"SOFTMAX on the host supports int8, not {source.dtype} to "
                           f"{target.dtype}")
    result = softmax(arrays[source.name], source.scale, step.parameters.get("beta", 1.0))
    return [result.reshape(target.shape)]


def _reshape(step: HostStep, program: Program, arrays: Arrays) -> list[npt.NDArray[Any]]:
    return [arrays[step.inputs[0]].reshape(program.tensor(step.outputs[0]).shape)]


def _conversion(function: Callable[[npt.ArrayLike, float, int], npt.NDArray[Any]],
                from_dtype: str, to_dtype: str) -> Operator:
    """Return the operator QUANTIZE or DEQUANTIZE.

    A step without scale and zero point uses those of its int8 tensor.
    """
    def convert(step: HostStep, program: Program, arrays: Arrays) -> list[npt.NDArray[Any]]:
        source, target = program.tensor(step.inputs[0]), program.tensor(step.outputs[0])
        if (source.dtype, target.dtype) != (from_dtype, to_dtype):
            raise ProgramError(f"{step.kind} on the host supports {from_dtype} to {to_dtype}, not "
                               f"{source.dtype} to {target.dtype}")
        quantized = target if to_dtype == "int8" else source
        result = function(arrays[source.name], step.parameters.get("scale", quantized.scale),
                          int(step.parameters.get("zero_point", quantized.zero_point)))
        return [result.reshape(target.shape)]
    return convert


KINDS: dict[str, Operator] = {
    "DEQUANTIZE": _conversion(dequantize, "int8", "float32"),
    "QUANTIZE": _conversion(quantize, "float32", "int8"),
    "RESHAPE": _reshape,
    "SOFTMAX": _softmax,
}
"""Operators by kind. Each maps a step, its program and the arrays by name to the output arrays."""


def run_steps(program: Program, when: str, arrays: Arrays) -> None:
    """Compute the host steps of one phase in order.

    Parameters
    ----------
    program : :class:`weft_host.program.file.Program`
    when : :class:`str`
        ``"before"`` or ``"after"`` the device runs.
    arrays : :class:`dict` of arrays
        Arrays by name. The outputs of the steps are added.

    Raises
    ------
    ProgramError
        If a step has an unknown kind or unsupported types.
    """
    for step in program.host_steps:
        if step.when != when:
            continue
        if step.kind not in KINDS:
            raise ProgramError(f"no host step {step.kind!r}; there are {', '.join(KINDS)}")
        for name, array in zip(step.outputs, KINDS[step.kind](step, program, arrays)):
            arrays[name] = array
