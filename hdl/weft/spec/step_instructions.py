"""Instructions whose counts and host addresses come from step registers, as a table.

Between two steps of a language model, the host changes only step registers. An instruction with
bit 7 of its opcode set is a variant that the sequencer replaces by the instruction without this bit
before it validates it: a count is read from a step register and limited to a constant, and a step
register is added to ``host_addr``. An instruction whose count becomes 0 has no effect except that
it takes and gives its tokens.
"""

import dataclasses
from collections.abc import Mapping, Sequence

from .fixed_point_instructions import FIXED_POINT_INSTRUCTIONS
from .instruction_format import Field, Instruction
from .instruction_table import INSTRUCTIONS

__all__ = ["MOST_STEP_COUNT", "STEP_BIT", "STEP_COUNTS", "STEP_INSTRUCTIONS", "STEP_REGISTERS",
           "count_of", "resolve", "step_count"]

STEP_REGISTERS = 64
"""Number of step registers."""
STEP_BIT = 0x80
"""Bit of the opcode of a variant."""
MOST_STEP_COUNT = 1023
"""Largest limit of a count from a step register."""
_REGISTER_BITS = 6
_SUFFIX = "_STEP"

STEP_COUNTS = {"LOAD": "count", "LOAD_RING": "count", "STORE": "count",
               "MATMUL_RING": "row_count", "DRAIN_PLANES": "y_count",
               "COMPUTE": "elements_count"}
"""Field of each instruction with a variant that can come from a step register."""

_ADDRESS = (Field("host_step", 184, 6, "step register that is added to host_addr"),
            Field("count_step", 190, 1, "the count comes from a step register: bits 0 to 5 of the "
                                        "field count are its number, bits 6 to 15 the largest "
                                        "count, 0 for no limit"))


def _variant(instruction: Instruction) -> Instruction:
    count = STEP_COUNTS[instruction.name]
    is_copy = "host_addr" in instruction.by_name
    fields = []
    for field in instruction.fields:
        if field.name == count and not is_copy:
            field = dataclasses.replace(
                field, doc=f"bits 0 to 5: number of the step register that contains {count}; bits "
                           f"6 to 15: the largest {count}, 0 for no limit")
        fields.append(field)
    source = (f"{count} of the step register in this field" if not is_copy
              else "host_addr plus step register host_step, and count of a step register if "
                   "count_step is set")
    return Instruction(
        instruction.name + _SUFFIX, instruction.opcode | STEP_BIT, instruction.unit,
        f"{instruction.name} with {source}.", (*fields, *(_ADDRESS if is_copy else ())))


_BASE = {instruction.name: instruction
         for instruction in (*INSTRUCTIONS, *FIXED_POINT_INSTRUCTIONS)}

STEP_INSTRUCTIONS: tuple[Instruction, ...] = tuple(_variant(_BASE[name]) for name in STEP_COUNTS)


def step_count(register: int, most: int = 0) -> int:
    """Return the count field of a variant.

    Parameters
    ----------
    register : number of the step register that contains the count.
    most : largest count, up to :data:`MOST_STEP_COUNT`; 0 for no limit.

    Raises
    ------
    ValueError
        If there is no such register or limit.
    """
    if not 0 <= register < STEP_REGISTERS or not 0 <= most <= MOST_STEP_COUNT:
        raise ValueError(f"no step register {register}, or no limit {most}")
    return register | most << _REGISTER_BITS


def resolve(instruction: Instruction, fields: Mapping[str, int],
            registers: Sequence[int]) -> tuple[Instruction, dict[str, int]]:
    """Return the instruction that replaces a variant, and its fields; others are returned as is.

    A count is the lower 16 bits of a register, at most the limit of :func:`step_count`, and can be
    0; an address is a sum modulo 2^32.

    Parameters
    ----------
    instruction, fields : the decoded instruction.
    registers : contents of the step registers.
    """
    values = dict(fields)
    if not instruction.opcode & STEP_BIT:
        return instruction, values
    base = _BASE[instruction.name.removesuffix(_SUFFIX)]
    count = STEP_COUNTS[base.name]
    values["opcode"] = base.opcode
    from_register = True
    if "host_addr" in values:
        values["host_addr"] += registers[values.pop("host_step")]
        values["host_addr"] &= 0xFFFFFFFF
        from_register = bool(values.pop("count_step"))
    if from_register:
        register, most = values[count] & (1 << _REGISTER_BITS) - 1, values[count] >> _REGISTER_BITS
        values[count] = min(registers[register] & 0xFFFF, most or 0xFFFF)
    return base, values


def count_of(instruction: Instruction, fields: Mapping[str, int]) -> int:
    """Return the count that can come from a step register; 1 for other instructions."""
    return fields[STEP_COUNTS[instruction.name]] if instruction.name in STEP_COUNTS else 1
