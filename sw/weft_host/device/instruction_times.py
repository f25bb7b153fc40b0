"""Conversion of the events of a simulation to the times of a program's instructions."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from weft.spec import isa

from ..errors import WeftError
from ..program.expand import NO_STEPS, unroll
from ..program.file import Program

__all__ = ["KINDS", "instruction_times", "units_of"]

KINDS: tuple[str, ...] = ("queued", "issued", "done")
"""Kinds of events in the life of an instruction, in order. An instruction is queued as a whole; its
iterations are issued and done one by one."""


def units_of(program: Program) -> npt.NDArray[np.int64]:
    """Return the number of the unit that executes each iteration of :func:`unroll`."""
    return np.array([row.instruction.unit for row in unroll(program)], np.int64)


def instruction_times(program: Program, events: npt.NDArray[Any], start: int,
                      steps: Sequence[int] = NO_STEPS) -> npt.NDArray[np.int64]:
    """Return the cycle of each event of each iteration of a program.

    Parameters
    ----------
    program : :class:`weft_host.program.file.Program`
        A program that ran to its end.
    events : array of :data:`weft_host.device.rtl_sim.EVENTS`
        The recorded events. The instructions of one unit are queued, issued and done in program
        order.
    start : :class:`int`
        Cycle from which to count. Earlier events are ignored.
    steps : sequence of :class:`int`
        Contents of the step registers during the run.

    Returns
    -------
    int64 array of (3, iterations)
        One row for each of :data:`KINDS`, one column for each iteration of :func:`unroll`.

    Raises
    ------
    WeftError
        If the number of events does not match the program.
    """
    rows = unroll(program, steps)
    units = np.array([row.instruction.unit for row in rows], np.int64)
    starts = np.array([row.number == 0 for row in rows], np.bool_)
    events = events[events["cycle"] >= start]
    times = np.full((len(KINDS), len(units)), -1, np.int64)
    for line, kind in enumerate(KINDS):
        for unit, name in enumerate(isa.UNITS):
            cycles = events["cycle"][events[kind] >> unit & 1 != 0].astype(np.int64) - start
            columns, = np.nonzero((units == unit) & (starts | (kind != "queued")))
            if len(columns) != len(cycles):
                raise WeftError(f"{len(cycles)} instructions of {name} were {kind} in a program "
                                f"with {len(columns)}")
            times[line, columns] = cycles
    for number in np.flatnonzero(~starts):
        times[0, number] = times[0, number - 1]
    return times
