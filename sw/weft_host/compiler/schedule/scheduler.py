"""Order of the instructions of all units in the program, and their tokens."""

import bisect
from collections.abc import Mapping, Sequence

from weft.spec.isa import UNITS

from ..limits import MAX_TOKENS
from ..steps.instruction_stream import UnscheduledInstruction
from .hazards import HazardDetector

__all__ = ["Dependencies", "add_tokens", "find_dependencies", "schedule"]

Dependencies = Sequence[Mapping[int, int]]
"""For each instruction, a mapping from other units to the index of the latest instruction of that
unit for which it must wait."""


def find_dependencies(instructions: Sequence[UnscheduledInstruction],
                      sizes: Mapping[str, int]) -> list[dict[int, int]]:
    """Return the dependencies of each instruction on other units.

    Parameters
    ----------
    instructions : sequence of :class:`UnscheduledInstruction`
        Instructions in the order of their emission.
    sizes : mapping of str to int
        Number of elements of each memory.
    """
    hazards = HazardDetector(sizes)
    return [hazards.add(index, instruction.unit, instruction.regions)
            for index, instruction in enumerate(instructions)]


def schedule(instructions: Sequence[UnscheduledInstruction],
             dependencies: Dependencies) -> list[int]:
    """Return the order of the program as indices of instructions, sorted by estimated start time.

    Instructions of a unit keep their order, and each instruction follows all of its dependencies.
    The sequencer thus fetches an instruction at about the time when it can start, and a full queue
    blocks other units only briefly.
    """
    free = [0] * len(UNITS)
    start: list[int] = []
    end: list[int] = []
    for instruction, waits in zip(instructions, dependencies):
        time = max([free[instruction.unit]] + [end[index] for index in waits.values()])
        start.append(time)
        end.append(time + instruction.cycles)
        free[instruction.unit] = time + instruction.cycles
    return sorted(range(len(instructions)), key=lambda index: (start[index], index))


def add_tokens(order: Sequence[int], instructions: Sequence[UnscheduledInstruction],
               dependencies: Dependencies, queue_depth: int) -> list[tuple[int, int]]:
    """Return the ``(wait, signal)`` masks of each instruction, in the order of the program.

    The instructions of a unit start and finish in order, so that waiting for one instruction means
    waiting for all earlier ones of its unit. For an ordered pair of units, a dependency is
    therefore redundant unless its source is later than those of all earlier dependencies. Each of
    the others becomes one token.

    Parameters
    ----------
    order : sequence of :class:`int`
        Indices of the instructions in the order of the program.
    instructions, dependencies
        See :func:`schedule`.
    queue_depth : :class:`int`
        Entries of a unit's queue.
    """
    positions = {index: position for position, index in enumerate(order)}
    wait, signal = [0] * len(order), [0] * len(order)
    edges: dict[tuple[int, int], list[tuple[int, int]]] = {}
    latest: dict[tuple[int, int], int] = {}
    for target, index in enumerate(order):
        unit = instructions[index].unit
        for other, dependency in dependencies[index].items():
            source = positions[dependency]
            if source > latest.get((other, unit), -1):
                latest[other, unit] = source
                edges.setdefault((other, unit), []).append((source, target))
    for (source_unit, target_unit), pairs in edges.items():
        for source, target in _limit_open_edges(pairs, MAX_TOKENS - queue_depth - 1):
            signal[source] |= 1 << target_unit
            wait[target] |= 1 << source_unit
    return list(zip(wait, signal))


def _limit_open_edges(edges: Sequence[tuple[int, int]], limit: int) -> list[tuple[int, int]]:
    """Return equivalent edges of which at most ``limit`` are open at any point of the program.

    An edge is a pair of positions, and is open between them. Two neighbours (i, j) and (i', j')
    with i' before j can be replaced by (i', j): j then waits longer, and nothing else changes.
    """
    kept: list[tuple[int, int]] = []
    for source, target in edges:
        open_edges = len(kept) - bisect.bisect_right(kept, source, key=lambda edge: edge[1])
        if open_edges >= limit:
            kept[-1] = source, kept[-1][1]
        else:
            kept.append((source, target))
    return kept
