"""Instruction set: encoder, decoder, and lookup of instructions by name and opcode.

:mod:`weft.spec.instruction_table` defines the instructions. The hardware's checks, the
disassembler, the C header and the documentation are generated from the same table.
"""

from .config import UNITS, Config
from .error_codes import ErrorCode
from .fixed_point_instructions import FIXED_POINT_INSTRUCTIONS
from .four_bit import FOUR_BIT_INSTRUCTIONS
from .instruction_format import INSTRUCTION_BYTES, TABLE_BYTES, Field, Instruction, MapOp, Mode
from .instruction_table import INSTRUCTIONS
from .step_instructions import STEP_INSTRUCTIONS

__all__ = ["BY_NAME", "BY_OPCODE", "FIXED_POINT_INSTRUCTIONS", "FOUR_BIT_INSTRUCTIONS",
           "INSTRUCTIONS", "INSTRUCTION_BYTES", "ISA_VERSION", "SEQUENCER", "STEP_INSTRUCTIONS",
           "TABLE_BYTES", "UNITS", "ErrorCode", "Field", "Instruction", "MapOp", "Mode", "decode",
           "encode", "has_opcode", "instructions"]

ISA_VERSION = 3
SEQUENCER = len(UNITS)
"""Number that the error record contains in place of a unit, if an error is not caused by a unit: an
error of the fetch, an unknown opcode, or an expiry of the watchdog that no unit causes."""

_ALL = (*INSTRUCTIONS, *FIXED_POINT_INSTRUCTIONS, *FOUR_BIT_INSTRUCTIONS, *STEP_INSTRUCTIONS)
BY_OPCODE: dict[int, Instruction] = {instruction.opcode: instruction for instruction in _ALL}
BY_NAME: dict[str, Instruction] = {instruction.name: instruction for instruction in _ALL}


_OPCODES = frozenset(instruction.opcode for instruction in INSTRUCTIONS)
_FOUR_BIT_OPCODES = frozenset(instruction.opcode for instruction in FOUR_BIT_INSTRUCTIONS)


def has_opcode(config: Config, opcode: int) -> bool:
    """Return whether a configuration has the instruction with this opcode."""
    if opcode in _FOUR_BIT_OPCODES:
        return config.weights_4bit
    return opcode in (BY_OPCODE if config.fixed_point else _OPCODES)


def instructions(config: Config) -> tuple[Instruction, ...]:
    """Return the instructions that the units of a configuration execute.

    The sequencer replaces those of :data:`STEP_INSTRUCTIONS`, which a configuration with
    ``fixed_point`` has as well, before a unit receives them.
    """
    found = INSTRUCTIONS + FIXED_POINT_INSTRUCTIONS if config.fixed_point else INSTRUCTIONS
    return found + FOUR_BIT_INSTRUCTIONS if config.weights_4bit else found


def encode(name: str, **values: int) -> bytes:
    """Return the 32 bytes of an instruction. Fields that are not given are zero.

    Parameters
    ----------
    name : :class:`str`
        Name of the instruction.
    values : :class:`int`
        Values of its fields.

    Raises
    ------
    ValueError
        If there is no such instruction or field, or a value does not fit its field.
    """
    if name not in BY_NAME:
        raise ValueError(f"no instruction {name!r}; there are {', '.join(BY_NAME)}")
    instruction = BY_NAME[name]
    word, fields = instruction.opcode, instruction.by_name
    for key, value in values.items():
        field = fields.get(key)
        if field is None:
            raise ValueError(f"{name} has no field {key!r}; there are {', '.join(fields)}")
        value = int(value)
        low, high = field.limits
        if not low <= value <= high:
            raise ValueError(f"{name}.{key} must be from {low} to {high}, not {value}")
        word |= (value & field.mask) << field.offset
    return word.to_bytes(INSTRUCTION_BYTES, "little")


def decode(raw: bytes) -> tuple[Instruction | None, dict[str, int]]:
    """Decode 32 bytes. Return the instruction and the values of its fields by name.

    If the opcode is unknown, the instruction is ``None`` and there are no fields.
    """
    word = int.from_bytes(raw, "little")
    instruction = BY_OPCODE.get(word & 0xFF)
    if instruction is None:
        return None, {}
    return instruction, instruction.extract(word)
