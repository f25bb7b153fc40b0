"""Checks of the operands that all lowering functions share."""

from ..frontend.graph import Graph, GraphTensor, Operator
from ..verdict import Refused

__all__ = ["input_and_output", "operation_name", "quantization", "require_int8"]


def operation_name(op: Operator) -> str:
    """Return the name of the operation to which an operator is lowered."""
    return f"{op.index} {op.name}"


def input_and_output(graph: Graph, op: Operator) -> tuple[GraphTensor, GraphTensor]:
    """Return the first input and the output of an operator.

    Raises
    ------
    Refused
        If the operator has no input or no output.
    """
    if not op.inputs or not op.outputs:
        raise Refused("it lacks an input or an output")
    return graph.tensor(op.inputs[0]), graph.tensor(op.outputs[0])


def require_int8(*tensors: GraphTensor) -> None:
    """Check that every tensor is int8 and not empty.

    Raises
    ------
    Refused
        If a tensor has another type or no elements.
    """
    for tensor in tensors:
        if tensor.dtype != "int8":
            hint = "; quantise the model to int8" if tensor.dtype.startswith("float") else ""
            raise Refused(f"tensor {tensor.name!r} has type {tensor.dtype}; only int8 is "
                          f"supported{hint}")
        if tensor.size < 1:
            raise Refused(f"tensor {tensor.name!r} has shape {tensor.shape}, which is empty")


def quantization(tensor: GraphTensor) -> tuple[float, int]:
    """Return the scale and zero point of a tensor.

    Raises
    ------
    Refused
        If the tensor does not have exactly one scale, or if a value is out of range.
    """
    if len(tensor.scale) != 1:
        raise Refused(f"tensor {tensor.name!r} has {len(tensor.scale)} scales; exactly one is "
                      "supported")
    zero = tensor.zero_point[0] if tensor.zero_point else 0
    if not -128 <= zero <= 127 or not tensor.scale[0] > 0:
        raise Refused(f"tensor {tensor.name!r} has scale {tensor.scale[0]} and zero point {zero}; "
                      "the scale must be positive and the zero point from -128 to 127")
    return tensor.scale[0], zero
