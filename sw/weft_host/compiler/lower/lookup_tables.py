"""Tables for VECTOR's MAP and SOFTMAX: what each of a byte's 256 values becomes.

Entry ``i`` of every table stands for the byte ``i - 128``. Results are those of TensorFlow Lite's
reference kernels to the bit: the part of a kernel that sees one byte alone is computed here, the
rest is left to MAP's sum or product and its requantiser, in mode TFL2.
"""

import dataclasses

import numpy as np

from ...numerics.fixed_point import softmax_exponentials
from ...numerics.requantize import to_int8
from .quantize import activation_range, quantize_multiplier
from .unary_functions import BYTES, FUNCTIONS, kernel_multiply

__all__ = ["UNARY", "BinaryTables", "MeanFactors", "add_tables", "mean_multiplier", "mul_tables",
           "softmax_table", "unary_table"]

UNARY = (*FUNCTIONS, "ADD", "SUB", "MUL")
"""What :func:`unary_table` takes; the last three with a constant of one element."""

_ADD_LEFT_SHIFT = 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class BinaryTables:
    """ADD, SUB or MUL as MAP computes it.

    The result is ``A[a] + B[b]``, or ``A[a] * B[b]`` for MUL, times ``multiplier / 2^shift`` by
    mode TFL2, plus ``zero_point``, clamped from ``clamp_min`` to ``clamp_max``.

    Attributes
    ----------
    a, b : int32 arrays (256,)
        One for each operand, in the order of the operator's inputs. SUB's second is negated.
    """

    a: np.ndarray
    b: np.ndarray
    multiplier: int
    shift: int
    zero_point: int
    clamp_min: int
    clamp_max: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class MeanFactors:
    """A mean, from the sum of its elements as they are.

    The result is ``sum + bias`` times ``multiplier / 2^shift`` by mode TFL2, plus ``zero_point``,
    clamped to int8. The multiplier exceeds 2^29, not always 2^30.
    """

    multiplier: int
    shift: int
    bias: int
    zero_point: int


def add_tables(scale_a, zero_a, scale_b, zero_b, scale_out, zero_out, *, activation="NONE",
               subtract=False):
    """ADD, or SUB, as :class:`BinaryTables`.

    Raises
    ------
    ValueError
        If the output's scale is so small that the kernel's left shift overflows: MAP does not
        wrap as the kernel then does. Or if the activation is not one that can be fused.
    """
    scale_a, scale_b, scale_out = _doubles(scale_a, scale_b, scale_out)
    twice_max = 2 * max(scale_a, scale_b)
    a, b = (kernel_multiply((BYTES - zero) << _ADD_LEFT_SHIFT,
                            *quantize_multiplier(scale / twice_max))
            for scale, zero in ((scale_a, zero_a), (scale_b, zero_b)))
    factors = quantize_multiplier(twice_max / ((1 << _ADD_LEFT_SHIFT) * scale_out))
    return _binary("SUB" if subtract else "ADD", a, -b if subtract else b,
                   int(np.abs(a).max() + np.abs(b).max()), factors, scale_out, zero_out,
                   activation)


def mul_tables(scale_a, zero_a, scale_b, zero_b, scale_out, zero_out, *, activation="NONE"):
    """MUL as :class:`BinaryTables`: the tables hold each operand minus its zero point.

    Raises
    ------
    ValueError
        As :func:`add_tables` does.
    """
    # the kernel multiplies and divides scales as float32
    factors = quantize_multiplier(np.float32(scale_a) * np.float32(scale_b) / np.float32(scale_out))
    a, b = BYTES - zero_a, BYTES - zero_b
    return _binary("MUL", a, b, int(np.abs(a).max() * np.abs(b).max()), factors, scale_out,
                   zero_out, activation)


def unary_table(op, scale_in, zero_in, scale_out, zero_out, options=None):
    """The int8 result of an operator for each byte.

    Parameters
    ----------
    op : :class:`str`
        One of :data:`UNARY`.
    options : :class:`dict` or None
        LEAKY_RELU: ``alpha``. ADD, SUB and MUL: ``constant`` (int8, of one element),
        ``constant_scale``, ``constant_zero``; ``constant_first`` if the constant is the first
        operand, and ``activation``, which are False and "NONE" unless given.

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
    first = options.get("constant_first", False)
    if first:
        operands.reverse()
    extra = {} if op == "MUL" else {"subtract": op == "SUB"}
    tables = (mul_tables if op == "MUL" else add_tables)(
        *operands[0], *operands[1], scale_out, zero_out,
        activation=options.get("activation", "NONE"), **extra)
    table, other = (tables.b, tables.a) if first else (tables.a, tables.b)
    constant = int(other[int(options["constant"]) + 128])
    values = table.astype(np.int64)
    values = values * constant if op == "MUL" else values + constant
    return to_int8(kernel_multiply(values, tables.multiplier, tables.shift), tables.zero_point,
                   tables.clamp_min, tables.clamp_max)


def softmax_table(scale, beta):
    """int32 (256,): exp((v - 127) * scale * beta) in Q0.31 for byte v, as SOFTMAX uses it.

    Entries that the kernel leaves out of its sum are 0; the last one is 2^31 - 1.
    """
    return np.array(softmax_exponentials(*_doubles(scale, beta))[::-1], np.int32)


def mean_multiplier(scale_in, zero_in, scale_out, zero_out, count):
    """MEAN over ``count`` elements, along any axes, as :class:`MeanFactors`; exact.

    Raises
    ------
    ValueError
        If the count is not from 1 to 2^23 - 1, where sums fit into int32, or the kernel's left
        shift overflows.
    """
    if not 1 <= count < 1 << 23:
        raise ValueError(f"a mean of {count} elements is outside 1 to {(1 << 23) - 1}")
    scale_in, scale_out = _doubles(scale_in, scale_out)
    multiplier, shift = quantize_multiplier(scale_in / scale_out)
    # the division goes into the multiplier, rounded down; the kernel keeps the shift below 63
    extra = min(count.bit_length() - 1, 62 - shift)
    multiplier, shift = (multiplier << extra) // count, shift + extra
    _require_room("MEAN", 255 * count, shift)
    return MeanFactors(multiplier=multiplier, shift=shift, bias=-int(zero_in) * count,
                       zero_point=int(zero_out))


def _doubles(*scales):
    """Scales as a file holds them, float32, in double precision."""
    return tuple(float(np.float32(scale)) for scale in scales)


def _require_room(op, greatest, shift):
    if shift < 31 and greatest << (31 - shift) >= 1 << 31:
        raise ValueError(f"{op}: values up to {greatest}, shifted left by {31 - shift}, overflow "
                         "32 bits; its output's scale is too small")


def _binary(op, a, b, greatest, factors, scale_out, zero_out, activation):
    multiplier, shift = factors
    _require_room(op, greatest, shift)
    low, high = activation_range(activation, scale_out, int(zero_out))
    return BinaryTables(a=a.astype(np.int32), b=b.astype(np.int32), multiplier=multiplier,
                        shift=shift, zero_point=int(zero_out), clamp_min=low, clamp_max=high)
