"""Operators that VECTOR computes byte by byte: to tables and requantisers."""

import numpy as np

from weft.spec.isa import Mode

from .array_operators import Refused, quantization, require_int8
from .elementwise import Elementwise, RowSoftmax
from .lookup_tables import add_tables, mul_tables, softmax_table, unary_table
from .move import Box, Move, broadcast, row_major
from .quantize import IDENTITY

__all__ = ["UNARY", "binary", "pixels", "softmax", "unary"]

UNARY = ("LOGISTIC", "TANH", "HARD_SWISH", "LEAKY_RELU", "RELU", "RELU6", "RELU_N1_TO_1",
         "QUANTIZE")


def pixels(shape):
    """(height, width, channels) of a tensor: those of an image if it is one."""
    if len(shape) == 4 and shape[0] == 1:
        return shape[1:]
    size = 1
    for count in shape[:-1]:
        size *= count
    return 1, size, shape[-1] if shape else 1


def _named(op, target):
    return {"name": f"{op.index} {op.name}", "index": op.index, "target": target.index}


def _table(graph, op, values, source, target):
    """An :class:`Elementwise` that looks the result up."""
    multiplier, shift = IDENTITY
    return Elementwise(**_named(op, target), sources=(source.index,), shape=pixels(target.shape),
                       tables=(values.astype(np.int32),), mode=Mode.TFL1, multiplier=multiplier,
                       shift=shift)


def unary(graph, op):
    """A function of one byte."""
    if not op.inputs or not op.outputs:
        raise Refused("it lacks an input or an output")
    source, target = graph.tensor(op.inputs[0]), graph.tensor(op.outputs[0])
    require_int8(source, target)
    if source.size != target.size:
        raise Refused(f"its output has {target.size} elements, its input {source.size}")
    (scale_in, zero_in), (scale_out, zero_out) = quantization(source), quantization(target)
    try:
        values = unary_table(op.name, scale_in, zero_in, scale_out, zero_out, op.options)
    except ValueError as error:
        raise Refused(str(error)) from None
    return [_table(graph, op, values, source, target)]


def binary(graph, op, scratch):
    """ADD, SUB or MUL; where an operand has to be repeated, a :class:`Move` comes before.

    ``scratch`` makes the number of a new tensor of so many bytes.
    """
    if len(op.inputs) < 2 or not op.outputs:
        raise Refused("it lacks an operand or an output")
    target = graph.tensor(op.outputs[0])
    operands = [graph.tensor(index) for index in op.inputs[:2]]
    if None in operands:
        raise Refused("it lacks an operand")
    require_int8(*operands, target)
    for operand in operands:
        _check_broadcast(operand, target)
    constants = [operand.value is not None for operand in operands]
    if all(constants):
        raise Refused("both of its operands are constants")
    activation = op.options.get("activation", "NONE")
    try:
        if any(constants) and operands[constants.index(True)].size == 1:
            return _with_scalar(graph, op, operands, constants.index(True), target, activation)
        scales = [part for operand in (*operands, target) for part in quantization(operand)]
        tables = mul_tables(*scales, activation=activation) if op.name == "MUL" else add_tables(
            *scales, activation=activation, subtract=op.name == "SUB")
    except ValueError as error:
        raise Refused(str(error)) from None
    works, sources, ordered, constant = [], [], [], None
    for operand, table, is_constant in zip(operands, (tables.a, tables.b), constants):
        if is_constant:
            constant = _rows(operand, target), table
            continue
        index = operand.index
        if operand.size != target.size:
            works.append(_repeat(op, operand, target, scratch(target.size)))
            index = works[-1].target
        sources.append(index)
        ordered.append(table)
    if constant is not None:
        ordered.append(constant[1])
    works.append(Elementwise(
        **_named(op, target), sources=tuple(sources), shape=pixels(target.shape),
        op=2 if op.name == "MUL" else 1, tables=tuple(ordered),
        constant=None if constant is None else constant[0], multiplier=tables.multiplier,
        shift=tables.shift, zero_point=tables.zero_point, clamp_min=tables.clamp_min,
        clamp_max=tables.clamp_max))
    return works


def _check_broadcast(operand, target):
    lead = len(target.shape) - len(operand.shape)
    if lead < 0 or any(size not in (1, whole)
                       for size, whole in zip(operand.shape, target.shape[lead:])):
        raise Refused(f"shape {operand.shape} cannot be repeated to {target.shape}")


def _with_scalar(graph, op, operands, which, target, activation):
    constant, source = operands[which], operands[1 - which]
    if source.size != target.size:
        raise Refused(f"shape {source.shape} with a constant of one element makes {target.shape}")
    scale, zero = quantization(constant)
    (scale_in, zero_in), (scale_out, zero_out) = quantization(source), quantization(target)
    values = unary_table(op.name, scale_in, zero_in, scale_out, zero_out, {
        "constant": int(constant.value.reshape(-1)[0]), "constant_scale": scale,
        "constant_zero": zero, "constant_first": which == 0, "activation": activation})
    return [_table(graph, op, values, source, target)]


def _rows(operand, target):
    """A constant operand as rows of bytes; one if all rows are alike."""
    height, width, channels = pixels(target.shape)
    whole = np.broadcast_to(operand.value, target.shape).reshape(height, width * channels)
    return whole[:1] if (whole == whole[:1]).all() else whole


def _repeat(op, operand, target, number):
    shape = target.shape or (1,)
    box = Box(0, 0, 0, tuple(shape), broadcast(operand.shape, shape), row_major(shape))
    return Move(name=f"{op.index} {op.name} repeat", index=op.index, sources=(operand.index,),
                target=number, size=target.size, boxes=(box,))


def softmax(graph, op):
    """SOFTMAX over the last dimension."""
    if not op.inputs or not op.outputs:
        raise Refused("it lacks an input or an output")
    source, target = graph.tensor(op.inputs[0]), graph.tensor(op.outputs[0])
    require_int8(source, target)
    scale, _ = quantization(source)
    out_scale, out_zero = quantization(target)
    if (out_scale, out_zero) != (1 / 256, -128):
        raise Refused(f"its output has scale {out_scale} and zero point {out_zero}; supported is "
                      "1/256 and -128")
    size = source.shape[-1] if source.shape else 1
    try:
        table = softmax_table(scale, op.options.get("beta", 1.0))
    except ValueError as error:
        raise Refused(str(error)) from None
    return [RowSoftmax(**_named(op, target), sources=(source.index,), rows=source.size // size,
                       size=size, table=table)]
