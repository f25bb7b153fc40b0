"""From the events of a simulation to the times of a program's instructions."""

import numpy as np

from weft.spec import isa

from ..errors import WeftError
from ..program.expand import unroll

__all__ = ["KINDS", "instruction_times", "units_of"]

KINDS = ("queued", "handed", "done")
"""What happens to an instruction, in this order. It is queued as a whole."""


def units_of(program):
    """The unit of each row of :func:`unroll`, as an array."""
    return np.array([row.instruction.unit for row in unroll(program)])


def instruction_times(program, events, start):
    """An array of three lines, :data:`KINDS`, with a cycle for each row of :func:`unroll`.

    Parameters
    ----------
    program : :class:`weft_host.program.file.Program`
        What ran to its end.
    events : array of :data:`weft_host.device.rtl_sim.EVENTS`
        What happened. A unit's instructions are queued, handed over and done in program order.
    start : :class:`int`
        The cycle to count from; what happened before is not looked at.
    """
    rows = unroll(program)
    units = np.array([row.instruction.unit for row in rows])
    starts = np.array([row.number == 0 for row in rows])
    events = events[events["cycle"] >= start]
    times = np.full((len(KINDS), len(units)), -1, np.int64)
    for line, kind in enumerate(KINDS):
        for unit, name in enumerate(isa.UNITS):
            cycles = events["cycle"][events[kind] >> unit & 1 != 0].astype(np.int64) - start
            places, = np.nonzero((units == unit) & (starts | (kind != "queued")))
            if len(places) != len(cycles):
                raise WeftError(f"{len(cycles)} instructions of {name} were {kind} in a program "
                                f"with {len(places)}")
            times[line, places] = cycles
    for number in np.flatnonzero(~starts):
        times[0, number] = times[0, number - 1]
    return times
