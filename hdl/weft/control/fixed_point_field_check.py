"""Ranges of the fields of the fixed-point instructions, as logic.

The function :func:`weft_host.program.fixed_point_fields.fixed_point_reason` defines them.
"""

from amaranth.hdl import Cat

from ..spec.fixed_point_instructions import (
    MAX_FRACTION,
    MAX_SHIFT,
    MIN_FRACTION,
    ComputeOp,
    InputType,
    OperandType,
    OutputType,
    Reduction,
    Scale,
    SolveOp,
)

__all__ = ["bad_fixed_point_field"]


def bad_fixed_point_field(instruction, name, field):
    """Return 1 bit, high if a field of a fixed-point instruction is out of range.

    The result is ``None`` for fields whose ranges are not particular to these instructions, such as
    counts.

    Parameters
    ----------
    instruction, name : :class:`str`
        Names of the instruction and of the field.
    field : callable
        Function that returns the bits of the field with a given name.
    """
    check = _CHECKS.get((instruction, name))
    return check(field) if check else None


def _bad_exponent(field):
    return field("exponent") & (field("scale") != Scale.CHANNELS)


def _bad_planes_shift(field):
    return field("shift")[-1] & (field("scale") == Scale.VECTOR)


def _bad_reduction(field):
    squares = field("reduce") == Reduction.SQUARES
    others = Cat(field(name) for name in ("op", "b_type", "out_type", "shift"))
    return (field("reduce") > max(Reduction)) | squares & others.any()


def _bad_row_shift(field):
    return field("row_shift") & ((field("op") != ComputeOp.MULTIPLY) | field("reduce").any())


def _bad_operand(field):
    """Check the type of operand b, which depends on the operation."""
    op, kind = field("op"), field("b_type")
    two = op.matches(ComputeOp.ADD, ComputeOp.SUBTRACT, ComputeOp.MAXIMUM)
    one = op.matches(ComputeOp.SIGMOID, ComputeOp.GELU_GATE)
    return ((kind > max(OperandType))
            | (two & ~kind.matches(OperandType.INT32, OperandType.UINT16, OperandType.ROW))
            | (one & (kind != OperandType.NONE))
            | ((op == ComputeOp.EXPONENTIAL) & (kind != OperandType.ROW))
            | ((op == ComputeOp.ROTATE) & (kind != OperandType.INT32)))


def _bad_output(field):
    kind = field("out_type")
    return (kind > max(OutputType)) | (
        (field("op") == ComputeOp.ROTATE) & (kind != OutputType.INT32))


def _bad_input(field):
    return (field("op") == ComputeOp.ROTATE) & (field("a_type") != InputType.INT32)


def _bad_compute_shift(field):
    shift = field("shift")
    function = field("op").matches(ComputeOp.EXPONENTIAL, ComputeOp.SIGMOID, ComputeOp.GELU_GATE)
    return function & ((shift < MIN_FRACTION) | (shift > MAX_FRACTION))


def _bad_elements(field):
    elements = field("elements_count")
    return (elements == 0) | ((field("op") == ComputeOp.ROTATE) & elements[0])


_CHECKS = {
    ("MATMUL_RING", "acc_pitch"): lambda field: (
        (field("acc_pitch") != 0) & (field("acc_pitch") != field("x_count"))),
    ("DRAIN_PLANES", "scale"): lambda field: field("scale") > max(Scale),
    ("DRAIN_PLANES", "pre_shift"): lambda field: field("pre_shift") > MAX_SHIFT,
    ("DRAIN_PLANES", "exponent"): _bad_exponent,
    ("DRAIN_PLANES", "shift"): _bad_planes_shift,
    ("COMPUTE", "op"): lambda field: field("op") > max(ComputeOp),
    ("COMPUTE", "a_type"): _bad_input,
    ("COMPUTE", "b_type"): _bad_operand,
    ("COMPUTE", "out_type"): _bad_output,
    ("COMPUTE", "reduce"): _bad_reduction,
    ("COMPUTE", "row_shift"): _bad_row_shift,
    ("COMPUTE", "shift"): _bad_compute_shift,
    ("COMPUTE", "elements_count"): _bad_elements,
    ("SOLVE", "op"): lambda field: field("op") > max(SolveOp),
    ("SOLVE", "constant"): lambda field: (
        (field("op") == SolveOp.MEAN) & (field("constant") == 0)),
}
"""Check of each field that is particular to these instructions, by instruction and field."""
