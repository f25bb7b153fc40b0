"""Lowering of operators that VECTOR computes byte by byte, and of SOFTMAX."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from weft.spec.isa import MapOp, Mode

from ..frontend.graph import Graph, GraphTensor, Operator
from ..verdict import Refused
from .elementwise import Elementwise, RowSoftmax
from .lookup_tables import BinaryTables, add_tables, mul_tables, softmax_table, unary_table
from .move import Move, StridedCopy, broadcast_strides, row_major_strides
from .operands import input_and_output, operation_name, quantization, require_int8
from .quantize import IDENTITY

__all__ = ["UNARY", "binary", "image_shape", "softmax", "unary"]

UNARY = ("LOGISTIC", "TANH", "HARD_SWISH", "LEAKY_RELU", "RELU", "RELU6", "RELU_N1_TO_1",
         "QUANTIZE")
"""Operators with one operand that :func:`unary` lowers."""


def image_shape(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return (height, width, channels) of a tensor.

    A tensor that is not a single image becomes one row of positions.
    """
    if len(shape) == 4 and shape[0] == 1:
        return shape[1], shape[2], shape[3]
    size = 1
    for count in shape[:-1]:
        size *= count
    return 1, size, shape[-1] if shape else 1


def unary(graph: Graph, op: Operator) -> Elementwise:
    """Lower an operator that is a function of one byte to a look-up table."""
    source, target = input_and_output(graph, op)
    require_int8(source, target)
    if source.size != target.size:
        raise Refused(f"its output has {target.size} elements, but its input {source.size}")
    (scale_in, zero_in), (scale_out, zero_out) = quantization(source), quantization(target)
    try:
        values = unary_table(op.name, scale_in, zero_in, scale_out, zero_out, op.options)
    except ValueError as error:
        raise Refused(str(error)) from None
    return _table_lookup(op, values, source, target)


def binary(graph: Graph, op: Operator,
           new_tensor: Callable[[int], int]) -> list[Elementwise | Move]:
    """Lower ADD, SUB or MUL.

    An operand that must be broadcast is first repeated by a :class:`Move`.

    Parameters
    ----------
    graph, op : :class:`Graph`, :class:`Operator`
        Model and operator.
    new_tensor : function
        Allocates an intermediate tensor of a size in bytes and returns its index.
    """
    if len(op.inputs) < 2 or not op.outputs:
        raise Refused("it lacks an operand or an output")
    target = graph.tensor(op.outputs[0])
    operands = [operand for operand in map(graph.operand, op.inputs[:2]) if operand is not None]
    if len(operands) < 2:
        raise Refused("it lacks an operand")
    require_int8(*operands, target)
    for operand in operands:
        _check_broadcast(operand, target)
    constants = [number for number in (0, 1) if operands[number].value is not None]
    if len(constants) == 2:
        raise Refused("both of its operands are constants")
    try:
        if constants and operands[constants[0]].size == 1:
            return [_with_scalar(op, operands, constants[0], target)]
        tables = _binary_tables(op, operands, target)
    except ValueError as error:
        raise Refused(str(error)) from None
    operations: list[Elementwise | Move] = []
    sources, source_tables, constant_tables, constant = [], [], [], None
    for operand, table in zip(operands, (tables.a, tables.b)):
        if operand.value is not None:
            constant = _constant_rows(operand.value, target)
            constant_tables.append(table)
            continue
        index = operand.index
        if operand.size != target.size:
            operations.append(_repeat(op, operand, target, new_tensor(target.size)))
            index = operations[-1].target
        sources.append(index)
        source_tables.append(table)
    operations.append(Elementwise(
        name=operation_name(op), index=op.index, sources=tuple(sources), target=target.index,
        shape=image_shape(target.shape), op=MapOp.MULTIPLY if op.name == "MUL" else MapOp.ADD,
        tables=(*source_tables, *constant_tables), constant=constant,
        multiplier=tables.multiplier, shift=tables.shift, zero_point=tables.zero_point,
        clamp_min=tables.clamp_min, clamp_max=tables.clamp_max))
    return operations


def softmax(graph: Graph, op: Operator) -> RowSoftmax:
    """Lower a SOFTMAX over the last dimension."""
    source, target = input_and_output(graph, op)
    require_int8(source, target)
    if source.size != target.size:
        raise Refused(f"its output has {target.size} elements, but its input {source.size}")
    scale, _ = quantization(source)
    out_scale, out_zero = quantization(target)
    if (out_scale, out_zero) != (1 / 256, -128):
        raise Refused(f"its output has scale {out_scale} and zero point {out_zero}; only scale "
                      "1/256 and zero point -128 are supported")
    size = source.shape[-1] if source.shape else 1
    try:
        table = softmax_table(scale, op.options.get("beta", 1.0))
    except ValueError as error:
        raise Refused(str(error)) from None
    return RowSoftmax(name=operation_name(op), index=op.index, sources=(source.index,),
                      target=target.index, rows=source.size // size, size=size, table=table)


def _table_lookup(op: Operator, values: npt.NDArray[np.int8], source: GraphTensor,
                  target: GraphTensor) -> Elementwise:
    """Return the operation whose results are the entries of a table."""
    multiplier, shift = IDENTITY
    return Elementwise(
        name=operation_name(op), index=op.index, sources=(source.index,), target=target.index,
        shape=image_shape(target.shape), tables=(values.astype(np.int32),), mode=Mode.TFL1,
        multiplier=multiplier, shift=shift)


def _binary_tables(op: Operator, operands: list[GraphTensor], target: GraphTensor) -> BinaryTables:
    (scale_a, zero_a), (scale_b, zero_b) = map(quantization, operands)
    scale_out, zero_out = quantization(target)
    activation = op.options.get("activation", "NONE")
    if op.name == "MUL":
        return mul_tables(scale_a, zero_a, scale_b, zero_b, scale_out, zero_out,
                          activation=activation)
    return add_tables(scale_a, zero_a, scale_b, zero_b, scale_out, zero_out,
                      activation=activation, subtract=op.name == "SUB")


def _check_broadcast(operand: GraphTensor, target: GraphTensor) -> None:
    lead = len(target.shape) - len(operand.shape)
    if lead < 0 or any(size not in (1, full)
                       for size, full in zip(operand.shape, target.shape[lead:])):
        raise Refused(f"shape {operand.shape} of an operand cannot be broadcast to {target.shape}")


def _with_scalar(op: Operator, operands: list[GraphTensor], constant_number: int,
                 target: GraphTensor) -> Elementwise:
    """Lower a binary operator whose operand ``constant_number`` is a constant of one element."""
    constant, source = operands[constant_number], operands[1 - constant_number]
    assert constant.value is not None, "the caller passes the number of the constant operand"
    if source.size != target.size:
        raise Refused(f"its operand of shape {source.shape} and a constant of one element cannot "
                      f"result in shape {target.shape}")
    scale, zero = quantization(constant)
    (scale_in, zero_in), (scale_out, zero_out) = quantization(source), quantization(target)
    values = unary_table(op.name, scale_in, zero_in, scale_out, zero_out, {
        "constant": int(constant.value.reshape(-1)[0]), "constant_scale": scale,
        "constant_zero": zero, "constant_first": constant_number == 0,
        "activation": op.options.get("activation", "NONE")})
    return _table_lookup(op, values, source, target)


def _constant_rows(value: npt.NDArray[np.int8], target: GraphTensor) -> npt.NDArray[np.int8]:
    """Return a constant operand as rows of bytes, or as a single row if all rows are equal."""
    height, width, channels = image_shape(target.shape)
    rows = np.broadcast_to(value, target.shape).reshape(height, width * channels)
    return rows[:1] if (rows == rows[:1]).all() else rows


def _repeat(op: Operator, operand: GraphTensor, target: GraphTensor, index: int) -> Move:
    """Return the operation that broadcasts an operand into the intermediate tensor ``index``."""
    shape = target.shape or (1,)
    copy = StridedCopy(operand=0, source_offset=0, target_offset=0, counts=shape,
                       source_strides=broadcast_strides(operand.shape, shape),
                       target_strides=row_major_strides(shape))
    return Move(name=f"{operation_name(op)} repeat", index=op.index, sources=(operand.index,),
                target=index, size=target.size, copies=(copy,))
