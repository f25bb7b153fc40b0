"""Merging of instructions into the iterations of one instruction with the field ``each``.

Merging does not change the work of a unit: every iteration of a merged instruction waits for tokens
and sends tokens of its own. It reduces the number of instructions, which are fetched over the same
memory port as weights.
"""

import bisect
import dataclasses
import itertools
from collections.abc import Mapping, Sequence

from weft.spec import isa
from weft.spec.config import UNITS, Config
from weft.spec.iterations import OUTER_LOOPS, iterations

from ..limits import MAX_TOKENS
from ..steps.instruction_stream import UnscheduledInstruction

__all__ = ["ScheduledInstruction", "merge"]

MAX_ITERATIONS = 64
"""Largest number of iterations of a merged instruction."""


@dataclasses.dataclass
class ScheduledInstruction:
    """Instruction of the program, with tokens.

    Attributes
    ----------
    members : list of :class:`int`
        Indices of the unscheduled instructions that are its iterations, in order.
    name : :class:`str`
        Name of the instruction.
    fields : dict of str to int
        Fields, except the tokens.
    wait, signal : :class:`int`
        Token masks of each iteration.
    """

    members: list[int]
    name: str
    fields: dict[str, int]
    wait: int
    signal: int

    @property
    def unit(self) -> int:
        """Number of the unit that executes the instruction."""
        return isa.BY_NAME[self.name].unit


def merge(order: Sequence[int], tokens: Sequence[tuple[int, int]],
          instructions: Sequence[UnscheduledInstruction],
          config: Config) -> list[ScheduledInstruction]:
    """Merge neighbouring instructions of each unit, and return the program.

    A merged instruction is at the position of its first iteration.

    Parameters
    ----------
    order : sequence of :class:`int`
        Indices of the instructions in the order of the program.
    tokens : sequence of (:class:`int`, :class:`int`)
        Masks ``(wait, signal)`` of each instruction, in the order of the program.
    instructions : sequence of :class:`UnscheduledInstruction`
        Instructions by index.
    config : :class:`weft.spec.config.Config`
        Configuration that executes the program. The serial engine does not implement ``each``.
    """
    limit = 1 if config.compact else MAX_ITERATIONS
    while True:
        merged = _merge_up_to(limit, order, tokens, instructions, config)
        if limit == 1 or _open_tokens(merged, config.queue_depth) <= MAX_TOKENS:
            return merged
        limit //= 2


def _merge_up_to(limit: int, order: Sequence[int], tokens: Sequence[tuple[int, int]],
                 instructions: Sequence[UnscheduledInstruction],
                 config: Config) -> list[ScheduledInstruction]:
    """Merge instructions, into at most ``limit`` iterations."""
    merged: list[ScheduledInstruction] = []
    latest: list[ScheduledInstruction | None] = [None] * len(UNITS)
    for index, (wait, signal) in zip(order, tokens):
        instruction = instructions[index]
        group = latest[instruction.unit]
        if group is not None and len(group.members) < limit \
                and (wait, signal) == (group.wait, group.signal):
            first = instructions[group.members[0]]
            if (first.layer, first.section) == (instruction.layer, instruction.section):
                fields = _joined(config, group, instruction)
                if fields is not None:
                    group.fields = fields
                    group.members.append(index)
                    continue
        group = ScheduledInstruction([index], instruction.name, dict(instruction.fields), wait,
                                     signal)
        latest[instruction.unit] = group
        merged.append(group)
    return merged


def _joined(config: Config, group: ScheduledInstruction,
            instruction: UnscheduledInstruction) -> dict[str, int] | None:
    """Return the fields of ``group`` with an instruction as its next iteration, or ``None``."""
    loop = OUTER_LOOPS.get(group.name)
    if loop is None or instruction.name != group.name or instruction.fields[loop.count] != 1:
        return None
    fields: dict[str, int] | None
    if len(group.members) == 1:
        if group.fields[loop.count] != 1:
            return None
        fields = _pair(config, group.name, group.fields, instruction.fields)
        if fields is None:
            return None
    else:
        fields = dict(group.fields)
        fields[loop.count] += 1
    *_, last = iterations(config, group.name, fields)
    return fields if _as_iteration(group.name, instruction.fields, last) == last else None


def _pair(config: Config, name: str, first: Mapping[str, int],
          second: Mapping[str, int]) -> dict[str, int] | None:
    """Return the fields of an instruction with the iterations ``first`` and ``second``.

    The result is ``None`` if the increments between the two cannot be encoded. Whether the fields
    reproduce both iterations is left to the caller.
    """
    loop = OUTER_LOOPS[name]
    fields = {**first, "each": 1, loop.count: 2}
    for increment in loop.increments:
        difference = second[increment.field] - first[increment.field]
        if increment.step.endswith("_pitch"):
            if not 0 <= difference < 1 << isa.BY_NAME[name].field(increment.step).width:
                return None
            fields[increment.step] = difference
        elif increment.flag == "apart":
            fields["apart"] = int(difference != 0)
    if name == "MATMUL" and fields["apart"] and fields["y_count"] != 1:
        return None
    return fields


def _as_iteration(name: str, fields: Mapping[str, int],
                  iteration: Mapping[str, int]) -> dict[str, int]:
    """Return the fields of an instruction as those of an iteration.

    Fields that do not affect a single iteration are taken from ``iteration``.
    """
    loop = OUTER_LOOPS[name]
    free = ["each", "apart"] + [increment.step for increment in loop.increments
                                if increment.step.endswith("_pitch")]
    return {**fields, **{key: iteration[key] for key in free if key in iteration}}


def _open_tokens(program: Sequence[ScheduledInstruction], queue_depth: int) -> int:
    """Return an upper bound of the tokens of one kind that are sent before they are taken.

    While an instruction of a unit waits, at most ``queue_depth`` further instructions of its unit
    are in the queue, and one waits for space in it. No later instruction of the program has
    started.
    """
    worst = 0
    positions: list[list[int]] = [[] for _ in UNITS]
    for position, instruction in enumerate(program):
        positions[instruction.unit].append(position)
    for source, target in itertools.permutations(range(len(UNITS)), 2):
        senders = [position for position in positions[source]
                   if program[position].signal >> target & 1]
        sent = list(itertools.accumulate(
            (len(program[position].members) for position in senders), initial=0))
        receivers, taken = positions[target], 0
        for number, position in enumerate(receivers):
            beyond = number + queue_depth + 2
            reach = receivers[beyond] if beyond < len(receivers) else len(program)
            worst = max(worst, sent[bisect.bisect_left(senders, reach)] - taken)
            if program[position].wait >> source & 1:
                taken += len(program[position].members)
    return worst
