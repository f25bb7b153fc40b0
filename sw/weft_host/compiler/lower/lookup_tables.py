"""Tables of 256 entries for VECTOR's instructions MAP and SOFTMAX.

Entry ``i`` of every table belongs to the byte ``i - 128``. All results equal those of TensorFlow
Lite's reference kernels to the bit: a table holds the part of a kernel that depends on one byte
only, and MAP performs the rest with its sum or product and its requantiser in mode TFL2.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ...numerics.fixed_point import softmax_exponentials
from ...numerics.requantize import to_int8
from .quantize import activation_range, as_doubles, check_left_shift, quantize_multiplier
from .unary_functions import BYTES, FUNCTIONS, kernel_multiply

__all__ = ["UNARY", "BinaryTables", "add_tables", "mul_tables", "softmax_table", "unary_table"]

UNARY = (*FUNCTIONS, "ADD", "SUB", "MUL")
"""Operators that :func:`unary_table` accepts. The last three have a constant of one element."""

_ADD_LEFT_SHIFT = 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class BinaryTables:
    """Tables and requantiser parameters with which MAP computes ADD, SUB or MUL.

    The result is ``a[x] + b[y]``, or ``a[x] * b[y]`` for MUL, times ``multiplier / 2^shift`` in
    mode TFL2, plus ``zero_point``, clamped from ``clamp_min`` to ``clamp_max``.

    Attributes
    ----------
    a, b : int32 arrays (256,)
        Tables of the operator's first and second input. The second table of SUB is negated.
    multiplier, shift, zero_point, clamp_min, clamp_max : :class:`int`
        Parameters of the requantiser.
    """

    a: npt.NDArray[np.int32]
    b: npt.NDArray[np.int32]
    multiplier: int
    shift: int
    zero_point: int
    clamp_min: int
    clamp_max: int


def add_tables(scale_a: float, zero_a: int, scale_b: float, zero_b: int, scale_out: float,
               zero_out: int, *, activation: str = "NONE",
               subtract: bool = False) -> BinaryTables:
    """Return the tables and parameters of ADD, or of SUB if ``subtract`` is set.

    Raises
    ------
    ValueError
        If the scale of the output is so small that the left shift of the reference kernel would
        overflow (MAP does not wrap as the kernel does), or if the activation cannot be fused.
    """
    scale_a, scale_b, scale_out = as_doubles(scale_a, scale_b, scale_out)
    twice_max = 2 * max(scale_a, scale_b)
    a, b = (kernel_multiply((BYTES - zero) << _ADD_LEFT_SHIFT,
                            *quantize_multiplier(scale / twice_max))
            for scale, zero in ((scale_a, zero_a), (scale_b, zero_b)))
    factors = quantize_multiplier(twice_max / ((1 << _ADD_LEFT_SHIFT) * scale_out))
    return _binary_tables("SUB" if subtract else "ADD", a, -b if subtract else b,
                          int(np.abs(a).max() + np.abs(b).max()), factors, scale_out, zero_out,
                          activation)


def mul_tables(scale_a: float, zero_a: int, scale_b: float, zero_b: int, scale_out: float,
               zero_out: int, *, activation: str = "NONE") -> BinaryTables:
    """Return the tables and parameters of MUL. An entry is the byte less its zero point.

    Raises
    ------
    ValueError
        Under the same conditions as :func:`add_tables`.
    """
    # the reference kernel multiplies and divides scales in float32
    factors = quantize_multiplier(np.float32(scale_a) * np.float32(scale_b) / np.float32(scale_out))
    a, b = BYTES - zero_a, BYTES - zero_b
    return _binary_tables("MUL", a, b, int(np.abs(a).max() * np.abs(b).max()), factors, scale_out,
                          zero_out, activation)


def unary_table(op: str, scale_in: float, zero_in: int, scale_out: float, zero_out: int,
                options: Mapping[str, Any] | None = None) -> npt.NDArray[np.int8]:
    """Return the int8 result of an operator for each byte.

    Parameters
    ----------
    op : :class:`str`
        One of :data:`UNARY`.
    scale_in, scale_out : :class:`float`
        Scales of the input and of the output.
    zero_in, zero_out : :class:`int`
        Zero points of the input and of the output.
    options : dict or :class:`None`
        For LEAKY_RELU: ``alpha``. For ADD, SUB and MUL: ``constant`` (int8, one element),
        ``constant_scale``, ``constant_zero``, ``constant_first`` (default False) if the constant
        is the first operand, and ``activation`` (default "NONE").

    Raises
    ------
    ValueError
        If the operator is not a function of one byte, or has no multiplier for its scales.
    """
    options = options or {}
    if op in FUNCTIONS:
        return FUNCTIONS[op](np.float32(scale_in), int(zero_in), np.float32(scale_out),
                             int(zero_out), options)
    if op not in UNARY:
        raise ValueError(f"{op} is not a function of one byte; those are {', '.join(UNARY)}")
    operands = [(scale_in, zero_in), (options["constant_scale"], options["constant_zero"])]
    constant_first = options.get("constant_first", False)
    if constant_first:
        operands.reverse()
    (scale_a, zero_a), (scale_b, zero_b) = operands
    activation = options.get("activation", "NONE")
    if op == "MUL":
        tables = mul_tables(scale_a, zero_a, scale_b, zero_b, scale_out, zero_out,
                            activation=activation)
    else:
        tables = add_tables(scale_a, zero_a, scale_b, zero_b, scale_out, zero_out,
                            activation=activation, subtract=op == "SUB")
    table, other = (tables.b, tables.a) if constant_first else (tables.a, tables.b)
    constant = int(other[int(options["constant"]) + 128])
    values = table.astype(np.int64)
    values = values * constant if op == "MUL" else values + constant
    return to_int8(kernel_multiply(values, tables.multiplier, tables.shift), tables.zero_point,
                   tables.clamp_min, tables.clamp_max)


def softmax_table(scale: float, beta: float) -> npt.NDArray[np.int32]:
    """Return exp((v - 127) * scale * beta) in Q0.31 for each byte v, as SOFTMAX reads it.

    Entries that the reference kernel leaves out of its sum are 0. The last entry is 2^31 - 1.
    """
    return np.array(softmax_exponentials(*as_doubles(scale, beta))[::-1], np.int32)


def _binary_tables(op: str, a: npt.NDArray[np.int64], b: npt.NDArray[np.int64], greatest: int,
                   factors: tuple[int, int], scale_out: float, zero_out: int,
                   activation: str) -> BinaryTables:
    multiplier, shift = factors
    check_left_shift(op, greatest, shift)
    low, high = activation_range(activation, scale_out, int(zero_out))
    return BinaryTables(a=a.astype(np.int32), b=b.astype(np.int32), multiplier=multiplier,
                        shift=shift, zero_point=int(zero_out), clamp_min=low, clamp_max=high)
