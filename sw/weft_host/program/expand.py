"""Expansion of a program into the iterations that its units execute."""

import dataclasses
from collections.abc import Mapping

from weft.spec import isa
from weft.spec.iterations import iterations

from .file import Program

__all__ = ["Iteration", "unroll"]


@dataclasses.dataclass(frozen=True, slots=True)
class Iteration:
    """Work that a unit receives at once: an instruction, or with ``each`` set one iteration of it.

    Attributes
    ----------
    index : :class:`int`
        Index of the instruction in the program.
    number : :class:`int`
        Index of the iteration in the instruction; 0 without ``each``.
    instruction : :class:`weft.spec.isa.Instruction`
    fields : mapping of :class:`str` to :class:`int`
        The decoded fields of this iteration.
    """

    index: int
    number: int
    instruction: isa.Instruction
    fields: Mapping[str, int]


def unroll(program: Program) -> list[Iteration]:
    """List the iterations of all instructions of a valid program, in program order.

    Raises
    ------
    ValueError
        If an opcode is unknown.
    """
    found: list[Iteration] = []
    for index in range(program.instruction_count):
        instruction, values = isa.decode(program.instruction(index))
        if instruction is None:
            raise ValueError(f"instruction {index} has an unknown opcode")
        found += [Iteration(index, number, instruction, fields) for number, fields in
                  enumerate(iterations(program.config, instruction.name, values))]
    return found
