"""Entries of the emulator's instruction queues."""

import dataclasses
from collections.abc import Iterator, Mapping

from weft.spec import isa
from weft.spec.config import Config
from weft.spec.iterations import OUTER_LOOPS, iterations

__all__ = ["QueuedInstruction"]


@dataclasses.dataclass
class QueuedInstruction:
    """An instruction in a queue, with its remaining iterations."""

    index: int
    instruction: isa.Instruction
    values: Mapping[str, int]
    iterations: Iterator[Mapping[str, int]]
    left: int

    @classmethod
    def of(cls, config: Config, index: int, instruction: isa.Instruction,
           values: Mapping[str, int]) -> "QueuedInstruction":
        """Return the entry for instruction ``index`` of a program."""
        left = values[OUTER_LOOPS[instruction.name].count] if values.get("each") else 1
        return cls(index, instruction, values, iterations(config, instruction.name, values), left)

    @property
    def wait(self) -> list[int]:
        """Units from each of which every iteration takes one token."""
        return [unit for unit in range(len(isa.UNITS)) if self.values["wait"] >> unit & 1]

    @property
    def signal(self) -> list[int]:
        """Units to each of which every iteration sends one token."""
        return [unit for unit in range(len(isa.UNITS)) if self.values["signal"] >> unit & 1]
