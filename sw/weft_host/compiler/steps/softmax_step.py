"""SOFTMAX as a step."""

import dataclasses

from ..lower.quantize import IDENTITY
from ..plan import cost
from ..plan.layer_plan import align
from ..verdict import CapacityError
from .array_step import View
from .map_step import TABLE_BYTES

__all__ = ["SoftmaxPlan", "SoftmaxStep"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class SoftmaxPlan:
    """``rows`` rows at a time, in two or one buffers of ``block_bytes``; estimated ``cycles``."""

    rows: int
    buffers: int
    block_bytes: int
    fed: bool
    kept: bool
    cycles: int


class SoftmaxStep:
    """A :class:`RowSoftmax`; see :class:`ArrayStep` for what steps have in common."""

    macs = 0

    def __init__(self, work, config):
        self.work, self.config = work, config
        self.index, self.name = work.index, work.name
        self.sources, self.target = work.sources, work.target

    def describe(self):
        """The step in a few words."""
        return self.work.describe()

    def makes(self):
        """The :class:`View` that it writes."""
        return View(shape=(1, self.work.rows, self.work.size))

    def reads(self, slot):
        """The :class:`View` that it reads."""
        return self.makes()

    def plan(self, config, budget, sources, target):
        """The :class:`SoftmaxPlan` between these homes, with ``budget`` bytes for buffers."""
        work = self.work
        moving = (sources[0] is None) + (target is None)
        rows = work.rows
        while True:
            block = align(rows * work.size, config) if moving else 0
            for buffers in (2, 1):
                if buffers * moving * block + TABLE_BYTES <= budget:
                    pieces = -(-work.rows // rows)
                    return SoftmaxPlan(
                        rows=rows, buffers=buffers, block_bytes=block, fed=sources[0] is not None,
                        kept=target is not None,
                        cycles=pieces * cost.softmax_cycles(config, rows, work.size)
                        + cost.table_cycles() + 2 * cost.copy_cycles(config, 1, rows * work.size))
            if rows == 1:
                raise CapacityError(
                    f"{work.name} ({work.describe()}) does not fit {config.name}: a row needs "
                    f"{moving * block + TABLE_BYTES} bytes of scratchpad, there are {budget}")
            rows = -(-rows // 2)

    def buffers(self, plan):
        """Sizes of the buffers of a plan, by what they are for."""
        return {"act": [] if plan.fed else [plan.block_bytes] * plan.buffers,
                "out": [] if plan.kept else [plan.block_bytes] * plan.buffers,
                "params": [TABLE_BYTES]}

    def constants(self, plan, sources, target):
        """Bytes of host memory that it loads."""
        return self.work.table.astype("<i4").tobytes()

    uses_tables = True
    makes_blocks = False
    takes_blocks = False

    def prepare(self, stream, plan, constants, buffers):
        """Emit the load of the table; no step that has tables of its own may come between."""
        stream.load("const", constants, buffers["params"][0], TABLE_BYTES)
        stream.table(buffers["params"][0], 0, *IDENTITY)

    def generate(self, stream, plan, place, ring, buffers, sources, target):
        """Emit the step; ``place`` holds host addresses: inputs, output, constants.

        Yields, in front of each block, how many bytes of its operand it needs.
        """
        (inputs, output, _), work = place, self.work
        for turn, first in enumerate(range(0, work.rows, plan.rows)):
            rows, offset = min(plan.rows, work.rows - first), first * work.size
            yield offset + rows * work.size
            if plan.fed:
                at = sources[0].pixel(0, 0) + offset
            else:
                at = buffers["act"][turn % plan.buffers]
                stream.load("tensor", inputs[0] + offset, at, rows * work.size)
            out = target.pixel(0, 0) + offset if plan.kept else buffers["out"][turn % plan.buffers]
            stream.softmax(at, out, rows, work.size)
            if output is not None:
                stream.store(output + offset, out, rows * work.size)
