"""Order of the instructions of a step in its program."""

from collections.abc import Sequence

from weft.spec import isa

from ..schedule.scheduler import Dependencies
from ..steps.instruction_stream import UnscheduledInstruction

__all__ = ["program_order"]

_LOAD = isa.UNITS.index("LOAD")


def program_order(instructions: Sequence[UnscheduledInstruction], dependencies: Dependencies,
                  most: int) -> list[int]:
    """Return the order of a program as indices of instructions.

    Instructions of a unit keep their order, and follow those on which they depend. Instructions of
    other units than LOAD are in the order of their estimated starts, so that a full queue rarely
    keeps another unit from its next instruction. Loads are as early as allowed, so that the bus
    transfers weights while VECTOR works.

    LOAD_RING, like LOAD_RING_4BIT, waits while the ring is full, and the MATMUL_RING that empties
    it follows later in the program. At most ``most`` loads are between both. If that is less than
    the depth of a unit's queue, the queue of LOAD has space for them, and the fetch reaches the
    MATMUL_RING. If no such order is found, that of the emission remains.

    Parameters
    ----------
    instructions : sequence of :class:`UnscheduledInstruction`
        Instructions in the order of their emission: between a LOAD_RING and the MATMUL_RING of its
        tiles, there are no loads.
    dependencies : sequence of mapping
        See :data:`weft_host.compiler.schedule.scheduler.Dependencies`.
    most : :class:`int`
        Most loads between a LOAD_RING and its MATMUL_RING.
    """
    starts = _estimated_starts(instructions, dependencies)
    others = [index for index, one in enumerate(instructions) if one.unit != _LOAD]
    found = _with_loads(sorted(others, key=lambda index: (starts[index], index)), instructions,
                        dependencies, most)
    return found or _with_loads(others, instructions, dependencies, most) \
        or list(range(len(instructions)))


def _is(instruction: UnscheduledInstruction, name: str) -> bool:
    return instruction.name.removesuffix("_STEP").removesuffix("_4BIT") == name


def _estimated_starts(instructions: Sequence[UnscheduledInstruction],
                      dependencies: Dependencies) -> list[int]:
    """Return the start of each instruction, without the limits of queues and of the ring."""
    free = [0] * len(isa.UNITS)
    starts: list[int] = []
    ends: list[int] = []
    ring = (0, 0)               # start and end of the last LOAD_RING
    for instruction, waits in zip(instructions, dependencies, strict=True):
        start = max([free[instruction.unit]] + [ends[index] for index in waits.values()])
        end = start + instruction.cycles
        if _is(instruction, "LOAD_RING"):
            ring = start, end
        elif _is(instruction, "MATMUL_RING"):
            start, end = max(start, ring[0]), max(end, ring[1])
        free[instruction.unit] = end
        starts.append(start)
        ends.append(end)
    return starts


def _with_loads(others: Sequence[int], instructions: Sequence[UnscheduledInstruction],
                dependencies: Dependencies, most: int) -> list[int]:
    """Return the order of ``others`` with the loads as early as allowed.

    It is empty if an instruction needs a load that exceeds the limit.
    """
    loads = [index for index, one in enumerate(instructions) if one.unit == _LOAD]
    place = {index: number for number, index in enumerate(loads)}
    rings = [index for index in loads if _is(instructions[index], "LOAD_RING")]
    order: list[int] = []
    done: set[int] = set()
    taken = matched = 0         # loads in the order, and rings whose MATMUL_RING is in the order

    def allowed(load: int) -> bool:
        ahead = taken - place[rings[matched]] - 1 if matched < len(rings) else 0
        return ahead < most and all(source in done for source in dependencies[load].values())

    for index in others:
        instruction = instructions[index]
        needed = place.get(dependencies[index].get(_LOAD, -1), -1)
        if is_ring := _is(instruction, "MATMUL_RING"):
            needed = max(needed, place[rings[matched]])
        while taken < len(loads) and allowed(loads[taken]):
            order.append(loads[taken])
            taken += 1
        if taken <= needed:
            return []
        order.append(index)
        done.add(index)
        matched += is_ring
    return order + loads[taken:]
