"""Random instructions for the validator: often valid, often near a limit, sometimes invalid."""

from weft.spec import isa
from weft.spec.fixed_point_instructions import (
    ComputeOp,
    InputType,
    OperandType,
    OutputType,
    Reduction,
    Scale,
    SolveOp,
)
from weft.spec.step_instructions import STEP_BIT, STEP_COUNTS, STEP_REGISTERS, step_count

__all__ = ["random_steps", "random_word"]

_KINDS = {"a_type": InputType, "out_type": OutputType, "reduce": Reduction, "scale": Scale}
_OPS = {"COMPUTE": ComputeOp, "SOLVE": SolveOp}
_FUNCTIONS = (ComputeOp.EXPONENTIAL, ComputeOp.SIGMOID, ComputeOp.GELU_GATE)


def random_steps(rng):
    """Return random contents of the step registers, many of which are useful counts or offsets."""
    return [rng.choice((0, rng.randrange(1, 5), rng.randrange(1, 5), rng.randrange(64),
                        rng.randrange(1 << 16) << 16, rng.randrange(1 << 16) << 16 | 2,
                        -rng.randrange(0x2000) & 0xFFFFFFFF, rng.getrandbits(32)))
            for _ in range(STEP_REGISTERS)]


def _operand_type(rng, op):
    """Return a type of operand b that the operation of a COMPUTE accepts."""
    if op in (ComputeOp.ADD, ComputeOp.SUBTRACT, ComputeOp.MAXIMUM):
        return rng.choice((OperandType.INT32, OperandType.UINT16, OperandType.ROW))
    if op in (ComputeOp.SIGMOID, ComputeOp.GELU_GATE):
        return OperandType.NONE
    if op == ComputeOp.EXPONENTIAL:
        return OperandType.ROW
    return OperandType.INT32 if op == ComputeOp.ROTATE else rng.choice(tuple(OperandType))


def _fixed_point_value(rng, name, field, values):
    """Return a valid value of a field of a fixed-point instruction; ``None`` for other fields."""
    op = values.get("op")
    rotates = name == "COMPUTE" and op == ComputeOp.ROTATE
    if field == "op":
        return rng.choice(tuple(_OPS[name]))
    if rotates and field in ("a_type", "out_type"):
        return InputType.INT32 if field == "a_type" else OutputType.INT32
    if field == "reduce":
        alone = not (op or values["b_type"] or values["out_type"])
        return rng.choice([kind for kind in Reduction if kind != Reduction.SQUARES or alone])
    if field == "shift" and values.get("reduce") == Reduction.SQUARES:
        return 0
    if field in _KINDS:
        return rng.choice(tuple(_KINDS[field]))
    if field == "b_type":
        return _operand_type(rng, op)
    if field == "row_shift":
        return rng.getrandbits(1) if op == ComputeOp.MULTIPLY and not values["reduce"] else 0
    if field == "exponent":
        return rng.getrandbits(1) if values["scale"] == Scale.CHANNELS else 0
    if field == "shift":
        return rng.randrange(4, 25) if name == "COMPUTE" and op in _FUNCTIONS else rng.randrange(63)
    if field == "pre_shift":
        return rng.randrange(63)
    if field == "elements_count" and rotates:
        return 2 * rng.randrange(1, 8)
    if field == "constant":
        return 1 << rng.randrange(64)
    return None


def _value(rng, config, instruction, field, values):
    """Return the value of a field, in which ``values`` are those of the fields before it."""
    bounds = [config.spad_bytes, config.wgt_bytes, config.acc_rows, config.wgt_tiles, config.cols]
    top = (1 << field.width) - 1
    kind = rng.random()
    if kind < 0.55:
        value = rng.randrange(1, 5)
    elif kind < 0.9:
        value = rng.choice(bounds) // rng.choice((1, 1, 2, 4)) + rng.randrange(-4, 3)
    else:
        value = rng.choice((0, top, rng.getrandbits(field.width)))
    name = isa.BY_OPCODE[instruction.opcode & ~STEP_BIT].name
    if field.name in ("wait", "signal"):
        value = rng.getrandbits(4) & ~(1 << instruction.unit)
    elif instruction.opcode & STEP_BIT and field.name == STEP_COUNTS[name]:
        # of a copy, it is a count, or a register and a limit
        value = step_count(rng.randrange(STEP_REGISTERS), rng.choice((0, 0, 1, 3, 1023))) \
            if kind < 0.9 else value
    elif field.name == "host_addr" and kind < 0.9:
        value = rng.randrange(0x4000)
        if name == "LOAD_RING_4BIT" and kind < 0.8:
            value -= value % config.bus_bytes
    elif field.name == "lead" and kind < 0.9:
        value = rng.randrange(config.rows) if values["depthwise"] else 0
    elif field.name == "clamp_max" and kind < 0.9:
        value = 127
    elif field.name == "blank" and kind < 0.9:
        value = 0 if values["depthwise"] else rng.randrange(config.rows)
    elif field.name == "y_count" and kind < 0.5 and values.get("apart"):
        value = 1
    elif field.name == "channels" and kind < 0.8:
        value = rng.randrange(1, config.cols + 1)
    elif field.name == "channel" and kind < 0.9:
        value = rng.randrange(config.param_channels // config.cols) * config.cols
    elif name == "LOAD_RING" and field.name == "bytes" and kind < 0.9:
        value = rng.randrange(1, 5) * config.tile_bytes
    elif field.name == "acc_pitch" and name == "MATMUL_RING" and kind < 0.9:
        value = rng.choice((0, 1, 2))
    elif field.name == "x_count" and name == "MATMUL_RING" and kind < 0.9:
        value = values["acc_pitch"] or value
    elif name in ("DRAIN_PLANES", "COMPUTE", "SOLVE") and kind < 0.97:
        chosen = _fixed_point_value(rng, name, field.name, values)
        value = value if chosen is None else chosen
    return value & top


def random_word(rng, config):
    """Return a random instruction of a configuration, or a random word."""
    if rng.random() < 0.05:
        return rng.getrandbits(256)
    known = isa.instructions(config)
    if config.fixed_point:
        known += (isa.FIXED_POINT_INSTRUCTIONS + isa.FOUR_BIT_INSTRUCTIONS
                  + isa.STEP_INSTRUCTIONS)
    instruction = rng.choice(known)
    values = {"opcode": instruction.opcode}
    for field in instruction.fields[1:]:
        values[field.name] = _value(rng, config, instruction, field, values)
    result = sum(values[field.name] << field.offset for field in instruction.fields)
    if rng.random() < 0.08:
        result ^= 1 << rng.randrange(256)
    return result
