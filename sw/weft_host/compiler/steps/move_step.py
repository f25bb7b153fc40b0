"""A :class:`Move` as a step: from host memory through the scratchpad to host memory."""

import dataclasses
import itertools

from ..plan import cost
from ..plan.layer_plan import align
from ..verdict import CapacityError
from .instruction_stream import MOST

__all__ = ["MovePlan", "MoveStep"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class MovePlan:
    """Two or one ``buffers`` of ``block_bytes``, by turns; estimated ``cycles``."""

    buffers: int
    block_bytes: int
    cycles: int


class MoveStep:
    """A :class:`Move`; see :class:`ArrayStep` for what steps have in common.

    Its tensors are in host memory: LOAD and STORE address them at any pitch.
    """

    macs = 0

    def __init__(self, work, config):
        self.work, self.config = work, config
        self.index, self.name = work.index, work.name
        self.sources, self.target = work.sources, work.target

    def describe(self):
        """The step in a few words."""
        return self.work.describe()

    def makes(self):
        """Nothing that stays on chip."""
        return None

    def reads(self, slot):
        """Nothing that is on chip."""
        return None

    def plan(self, config, budget, sources, target):
        """The :class:`MovePlan` with ``budget`` bytes for buffers."""
        largest = align(self.work.size, config)
        for buffers, least in ((2, 2 * config.spad_row_bytes), (1, config.spad_row_bytes)):
            block = min(largest, budget // buffers // config.spad_row_bytes * config.spad_row_bytes)
            if block >= min(least, largest):
                return MovePlan(buffers=buffers, block_bytes=block, cycles=self._cycles(config))
        raise CapacityError(
            f"{self.work.name} ({self.work.describe()}) does not fit {config.name}: it needs "
            f"{config.spad_row_bytes} bytes of scratchpad, there are {budget}")

    def _cycles(self, config):
        cycles = cost.copy_cycles(config, 1, self.work.size) if self.work.fill is not None else 0
        for box in self.work.boxes:
            merged = box.merged()
            rows = 1
            for count in merged.counts[:-1]:
                rows *= count
            cycles += cost.copy_cycles(config, rows, merged.counts[-1])
        return cycles

    def buffers(self, plan):
        """Sizes of the buffers of a plan, by what they are for."""
        return {"act": [plan.block_bytes] * plan.buffers}

    uses_tables = False
    makes_blocks = False
    takes_blocks = False

    def prepare(self, stream, plan, constants, buffers):
        """Emit what can be done before the step's turn: nothing."""

    def constants(self, plan, sources, target):
        """Bytes of host memory that it loads."""
        return self.work.constant

    def generate(self, stream, plan, place, ring, buffers, sources, target):
        """Emit the step; ``place`` holds host addresses: inputs, output, constants.

        Yields once, in front of all.
        """
        yield 0
        inputs, output, constants = place
        spaces = [("tensor", address) for address in inputs] + [("const", constants)]
        turns = itertools.cycle(buffers["act"])
        if self.work.fill is not None:
            self._fill(stream, plan, output, next(turns))
        for box in self.work.boxes:
            self._box(stream, plan, spaces, output, turns, box.merged())

    def _fill(self, stream, plan, output, at):
        block = min(plan.block_bytes, self.work.size)
        stream.fill(at, block, self.work.fill)
        for first in range(0, self.work.size, block):
            stream.store(output + first, at, min(block, self.work.size - first))

    def _box(self, stream, plan, spaces, output, turns, box):
        """Runs of bytes, as many of the last dimension but one at a time as a buffer holds."""
        space, base = spaces[box.slot]
        *outer, run = box.counts
        rows, step, pitch = 1, 0, 0
        steps, pitches = box.steps[:-1], box.pitches[:-1]
        if outer and steps[-1] >= 0:
            rows, step, pitch = outer.pop(), steps[-1], pitches[-1]
        for index in itertools.product(*map(range, outer)):
            source = base + box.first + sum(i * s for i, s in zip(index, steps))
            to = output + box.to + sum(i * p for i, p in zip(index, pitches))
            for start in range(0, run, plan.block_bytes):
                size = min(plan.block_bytes, run - start)
                most = min(max(1, plan.block_bytes // size), MOST)
                for row in range(0, rows, most):
                    count = min(most, rows - row)
                    at = next(turns)
                    stream.load(space, source + start + row * step, at, size, count, step, size)
                    stream.store(to + start + row * pitch, at, size, count, pitch, size)
