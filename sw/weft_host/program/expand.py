"""The instructions of a program as units see them: those with ``each`` row by row."""

import dataclasses

from weft.spec import isa
from weft.spec.rows import rows

__all__ = ["Row", "unroll"]


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """What a unit is handed at once.

    Attributes
    ----------
    index : :class:`int`
        The instruction's place in the program.
    number : :class:`int`
        Which of its rows; 0 without ``each``.
    instruction : :class:`weft.spec.isa.Instruction`
    fields : dict of :class:`str` to :class:`int`
    """

    index: int
    number: int
    instruction: isa.Instruction
    fields: dict


def unroll(program):
    """The rows of all instructions of a program, in its order: a list of :class:`Row`."""
    found = []
    for index in range(program.instruction_count):
        instruction, fields = isa.decode(program.instruction(index))
        found += [Row(index, number, instruction, row) for number, row in
                  enumerate(rows(program.config, instruction.name, fields))]
    return found
