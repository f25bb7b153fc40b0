"""From the events of a simulation to the times of a program's instructions."""

import numpy as np

from weft.control import isa

from ..errors import WeftError

__all__ = ["KINDS", "instruction_times", "units_of"]

KINDS = ("queued", "handed", "done")
"""What happens to an instruction, in this order."""


def units_of(program):
    """The unit of each instruction, as an array."""
    return np.array([isa.BY_OPCODE[program.instructions[at]].unit
                     for at in range(0, len(program.instructions), isa.INSTRUCTION_BYTES)])


def instruction_times(program, events, start):
    """An array of three rows, :data:`KINDS`, with a cycle for each instruction of a program.

    Parameters
    ----------
    program : :class:`weft_host.program.Program`
        What ran to its end.
    events : array of :data:`weft_host.device.rtl_sim.EVENTS`
        What happened. A unit's instructions are queued, handed over and done in program order.
    start : :class:`int`
        The cycle to count from; what happened before is not looked at.
    """
    units = units_of(program)
    events = events[events["cycle"] >= start]
    times = np.full((len(KINDS), len(units)), -1, np.int64)
    for row, kind in enumerate(KINDS):
        for unit, name in enumerate(isa.UNITS):
            cycles = events["cycle"][events[kind] >> unit & 1 != 0].astype(np.int64) - start
            places, = np.nonzero(units == unit)
            if len(places) != len(cycles):
                raise WeftError(f"{len(cycles)} instructions of {name} were {kind} in a program "
                                f"with {len(places)}")
            times[row, places] = cycles
    return times
