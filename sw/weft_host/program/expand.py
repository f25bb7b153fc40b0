"""Expansion of a program into the iterations that its units execute."""

import dataclasses
from collections.abc import Mapping, Sequence

from weft.spec import isa
from weft.spec.iterations import iterations
from weft.spec.step_instructions import STEP_REGISTERS, count_of, resolve

from .file import Program

__all__ = ["NO_STEPS", "Iteration", "unroll"]

NO_STEPS = (0,) * STEP_REGISTERS
"""Contents of the step registers after a reset."""


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
        The instruction that the unit executes: never a variant that uses step registers.
    fields : mapping of :class:`str` to :class:`int`
        The fields of this iteration, as they take effect.
    """

    index: int
    number: int
    instruction: isa.Instruction
    fields: Mapping[str, int]


def unroll(program: Program, steps: Sequence[int] = NO_STEPS) -> list[Iteration]:
    """List the iterations of all instructions of a valid program, in program order.

    A variant that uses step registers is replaced by the instruction that takes effect. If its
    count is 0, that is the SYNC instruction of its unit, which only takes and gives tokens.

    Parameters
    ----------
    program : :class:`weft_host.program.file.Program`
    steps : sequence of :class:`int`
        Contents of the step registers.

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
        instruction, values = resolve(instruction, values, steps)
        if not count_of(instruction, values):
            instruction = isa.BY_NAME[f"SYNC_{isa.UNITS[instruction.unit]}"]
            values = {field.name: values[field.name] for field in instruction.fields}
            values["opcode"] = instruction.opcode
        found += [Iteration(index, number, instruction, fields) for number, fields in
                  enumerate(iterations(program.config, instruction.name, values))]
    return found
