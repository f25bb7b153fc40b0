"""The operators that the host computes for a program, to TensorFlow Lite's reference bytes.

Softmax follows gemmlowp's fixed-point arithmetic (``fixedpoint/fixedpoint.h``) as TensorFlow Lite's
``reference_ops::Softmax`` uses it. An int8 input has 256 possible distances from the row's maximum,
so its exponentials are a table.
"""

import numpy as np

from .errors import ProgramError
from .numerics.fixed_point import SUM_BITS, divide, high_product, reciprocal, softmax_exponentials
from .numerics.requantize import to_int8, wrap32

__all__ = ["KINDS", "dequantize", "quantize", "run_steps", "softmax"]


def quantize(values, scale, zero_point):
    """float32 to int8: a float32 quotient, rounded half away from zero.

    What an int32 cannot hold, infinities and NaN become -2^31 before the zero point is added, and
    that wraps: so x86 converts them, and the reference kernel leaves it to the machine.
    """
    with np.errstate(over="ignore"):
        quotient = (np.asarray(values, np.float32) / np.float32(scale)).astype(np.float64)
    # a half added to a float32 is exact in double precision
    rounded = np.trunc(quotient + np.copysign(0.5, quotient))
    inside = (rounded >= -2.0 ** 31) & (rounded < 2.0 ** 31)
    whole = np.where(inside, rounded, -2.0 ** 31).astype(np.int64) + int(zero_point)
    return to_int8(wrap32(whole), 0, -128, 127)


def dequantize(values, scale, zero_point):
    """int8 to float32."""
    offset = np.asarray(values, np.int32) - int(zero_point)
    return np.float32(scale) * offset.astype(np.float32)


def softmax(values, scale, beta=1.0):
    """Softmax over the last axis of an int8 array; the result has scale 1/256, zero point -128."""
    table = softmax_exponentials(float(scale), float(beta))
    terms = np.array([divide(entry, SUM_BITS) for entry in table])
    rows = np.asarray(values, np.int64).reshape(-1, values.shape[-1])
    out = np.empty(rows.shape, np.int8)
    for row, target in zip(rows, out):
        distance = row.max() - row
        factor, over = reciprocal(int(terms[distance].sum()))
        results = {}
        for d in set(distance.tolist()):
            value = divide(high_product(factor, table[d]), over + 31 - 8) - 128
            results[d] = max(-128, min(127, value))
        target[:] = [results[d] for d in distance.tolist()]
    return out.reshape(values.shape)


def _softmax(step, program, arrays):
    source, target = program.tensor(step.inputs[0]), program.tensor(step.outputs[0])
    if source.dtype != "int8" or target.dtype != "int8":
        raise ProgramError(f"SOFTMAX on the host is for int8, not {source.dtype} to "
                           f"{target.dtype}")
    result = softmax(arrays[source.name], source.scale, step.parameters.get("beta", 1.0))
    return [result.reshape(target.shape)]


def _reshape(step, program, arrays):
    return [arrays[step.inputs[0]].reshape(program.tensor(step.outputs[0]).shape)]


def _edge(function, from_dtype, to_dtype):
    """QUANTIZE or DEQUANTIZE; a step without scale and zero point has those of its int8 tensor."""
    def edge(step, program, arrays):
        source, target = program.tensor(step.inputs[0]), program.tensor(step.outputs[0])
        if (source.dtype, target.dtype) != (from_dtype, to_dtype):
            raise ProgramError(f"{step.kind} on the host is for {from_dtype} to {to_dtype}, not "
                               f"{source.dtype} to {target.dtype}")
        about = target if to_dtype == "int8" else source
        result = function(arrays[source.name], step.parameters.get("scale", about.scale),
                          step.parameters.get("zero_point", about.zero_point))
        return [result.reshape(target.shape)]
    return edge


KINDS = {"DEQUANTIZE": _edge(dequantize, "int8", "float32"),
         "QUANTIZE": _edge(quantize, "float32", "int8"),
         "RESHAPE": _reshape, "SOFTMAX": _softmax}
"""Operators by kind: each maps (step, program, arrays by name) to the output arrays."""


def run_steps(program, when, arrays):
    """Compute the program's host steps of one phase, in order; ``arrays`` gets their outputs."""
    for step in program.host_steps:
        if step.when != when:
            continue
        if step.kind not in KINDS:
            raise ProgramError(f"no host step {step.kind!r}; there are {', '.join(KINDS)}")
        for name, array in zip(step.outputs, KINDS[step.kind](step, program, arrays)):
            arrays[name] = array
