"""Instructions whose counts and host addresses come from step registers, as a table.

Between two steps of a language model, the host changes only step registers. An instruction with
bit 7 of its opcode set is a variant that the sequencer replaces by the instruction without this bit
before it validates it: a count is read from a step register, and a step register is added to
``host_addr``. An instruction whose count becomes 0 has no effect except that it takes and gives its
tokens.
"""

import dataclasses
from collections.abc import Mapping, Sequence

from .fixed_point_instructions import FIXED_POINT_INSTRUCTIONS
from .instruction_format import Field, Instruction
from .instruction_table import INSTRUCTIONS

__all__ = ["STEP_BIT", "STEP_COUNTS", "STEP_INSTRUCTIONS", "STEP_REGISTERS", "count_of", "resolve"]

STEP_REGISTERS = 64
"""Number of step registers."""
STEP_BIT = 0x80
"""Bit of the opcode of a variant."""
_SUFFIX = "_STEP"

STEP_COUNTS = {"LOAD": "count", "LOAD_RING": "count", "STORE": "count",
               "MATMUL_RING": "row_count", "DRAIN_PLANES": "y_count",
               "COMPUTE": "elements_count"}
"""Field of each instruction with a variant that can come from a step register."""

_ADDRESS = (Field("host_step", 184, 6, "step register that is added to host_addr"),
            Field("count_step", 190, 1, "the field count is the number of a step register"))


def _variant(instruction: Instruction) -> Instruction:
    count = STEP_COUNTS[instruction.name]
    is_copy = "host_addr" in instruction.by_name
    fields = []
    for field in instruction.fields:
        if field.name == count and not is_copy:
            field = dataclasses.replace(
                field, doc=f"number of the step register that contains {count}")
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


def resolve(instruction: Instruction, fields: Mapping[str, int],
            registers: Sequence[int]) -> tuple[Instruction, dict[str, int]]:
    """Return the instruction that replaces a variant, and its fields; others are returned as is.

    A count is the lower 16 bits of a register and can be 0; an address is a sum modulo 2^32.

    Parameters
    ----------
    instruction, fields : the decoded instruction.
    registers : contents of the step registers.

    Raises
    ------
    IndexError
        If a count field is not the number of a step register.
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
        values[count] = registers[values[count]] & 0xFFFF
    return base, values


def count_of(instruction: Instruction, fields: Mapping[str, int]) -> int:
    """Return the count that can come from a step register; 1 for other instructions."""
    return fields[STEP_COUNTS[instruction.name]] if instruction.name in STEP_COUNTS else 1
