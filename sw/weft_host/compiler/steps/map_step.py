"""Elementwise operations as steps: cut to the scratchpad, loaded, mapped, stored."""

import dataclasses

import numpy as np

from ..plan import cost
from ..plan.layer_plan import align
from ..verdict import CapacityError
from .array_step import View

__all__ = ["MapPlan", "MapStep"]

TABLE_BYTES = 1024
STRIPS = 8
"""Pieces of a tensor that is on chip anyway: whoever reads it starts when the first is there."""
_BLOCKS = (8192, 4096, 2048, 1024, 512, 256, 128, 64, 32, 16, 8, 4, 1)
"""Bytes of a block to try, if some operand is in host memory."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class MapPlan:
    """How an elementwise operation is cut.

    Attributes
    ----------
    height, width : :class:`int`
        The tensors as rows of bytes; one row if nothing lies between rows.
    rows, size : :class:`int`
        Largest block.
    buffers : :class:`int`
        Two let copies hide behind each other and behind VECTOR.
    block_bytes, constant_bytes, table_bytes : :class:`int`
        Bytes of each buffer: of an operand or the output, of a constant, of the tables.
    cycles : :class:`int`
        Estimate.
    """

    height: int
    width: int
    rows: int
    size: int
    buffers: int
    block_bytes: int
    constant_bytes: int
    table_bytes: int
    staged: tuple[bool, ...]
    kept: bool
    cycles: int


class MapStep:
    """An :class:`Elementwise`; see :class:`ArrayStep` for what steps have in common."""

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
        return View(shape=self.work.shape)

    def reads(self, slot):
        """The :class:`View` that it reads."""
        return View(shape=self.work.shape)

    def plan(self, config, budget, sources, target):
        """The :class:`MapPlan` between these homes, with ``budget`` bytes for buffers."""
        work = self.work
        height, pixels, channels = work.shape
        width = pixels * channels
        homes = [home for home in (*sources, target) if home is not None]
        if work.constant is None and all(home.gapless for home in homes):
            height, width = 1, height * width
        staged = tuple(home is None for home in sources)
        moving = sum(staged) + (target is None)
        full = work.constant is not None and len(work.constant) > 1
        tables = TABLE_BYTES * len(work.tables)
        for table_bytes in dict.fromkeys((tables, TABLE_BYTES)):
            for block in _BLOCKS:
                size = min(block, width)
                rows = max(1, min(height, block // size))
                if not moving:
                    size = -(-width // STRIPS) if height == 1 else width
                    rows = -(-height // STRIPS)
                constant = align(size * (rows if full else 1), config) \
                    if work.constant is not None else 0
                block_bytes = align(rows * size, config) if moving else 0
                for buffers in (2, 1):
                    need = buffers * moving * block_bytes + (1 + full) * constant + table_bytes
                    if need <= budget:
                        return MapPlan(
                            height=height, width=width, rows=rows, size=size, buffers=buffers,
                            block_bytes=block_bytes, constant_bytes=constant,
                            table_bytes=table_bytes, staged=staged, kept=target is not None,
                            cycles=self._cycles(height, width, rows, size, staged, target))
                if not moving and work.constant is None:
                    break
        raise CapacityError(
            f"{work.name} ({work.describe()}) does not fit {config.name}: its smallest piece needs "
            f"{need} bytes of scratchpad, there are {budget}")

    def _cycles(self, height, width, rows, size, staged, target):
        blocks = -(-height // rows) * -(-width // size)
        vector = len(self.work.tables) * cost.table_cycles() + blocks * cost.map_cycles(
            self.config, rows, size, self.work.op)
        copy = blocks * cost.copy_cycles(self.config, rows, size)
        return max(vector, copy * max(sum(staged), target is None)) + cost.COPY_START

    def buffers(self, plan):
        """Sizes of the buffers of a plan, by what they are for."""
        full = self.work.constant is not None and len(self.work.constant) > 1
        return {
            "act": [plan.block_bytes] * plan.buffers * sum(plan.staged),
            "out": [] if plan.kept else [plan.block_bytes] * plan.buffers,
            "constant": [plan.constant_bytes] * (1 + full) if plan.constant_bytes else [],
            "params": [plan.table_bytes],
        }

    def constants(self, plan, sources, target):
        """Bytes of host memory that it loads: tables, then the constant operand."""
        parts = [table.astype("<i4").tobytes() for table in self.work.tables]
        if self.work.constant is not None:
            parts.append(np.ascontiguousarray(self.work.constant, np.int8).tobytes())
        return b"".join(parts)

    uses_tables = True
    makes_blocks = False
    takes_blocks = True

    def prepare(self, stream, plan, constants, buffers):
        """Emit the loads of the tables; no step that has tables of its own may come between."""
        work, address = self.work, buffers["params"][0]
        separate = plan.table_bytes >= TABLE_BYTES * len(work.tables)
        for number in range(len(work.tables)):
            at = address + number * TABLE_BYTES * separate
            stream.load("const", constants + number * TABLE_BYTES, at, TABLE_BYTES)
            stream.table(at, number, work.multiplier, work.shift)

    def generate(self, stream, plan, place, ring, buffers, sources, target):
        """Emit the step; ``place`` holds host addresses: inputs, output, constants.

        Yields, in front of each block, how many bytes of its operands it needs.
        """
        return _Blocks(self.work, stream, plan, place, buffers, sources, target).run()


class _Blocks:
    def __init__(self, work, stream, plan, place, buffers, sources, target):
        self.work, self.stream, self.plan = work, stream, plan
        (self.inputs, self.output, self.constants), self.buffers = place, buffers
        self.homes, self.target = sources, target
        self.turn = 0

    def run(self):
        plan = self.plan
        for start in range(0, plan.width, plan.size):
            size = min(plan.size, plan.width - start)
            for first in range(0, plan.height, plan.rows):
                rows = min(plan.rows, plan.height - first)
                yield (first + rows - 1) * plan.width + start + size
                self._block(first, rows, start, size)
                self.turn += 1

    def _block(self, first, rows, start, size):
        work, plan, stream = self.work, self.plan, self.stream
        operands, staged = [], 0
        for slot, home in enumerate(self.homes):
            if home is not None:
                operands.append((home.pixel(first, 0) + start, self._pitch(home)))
                continue
            at = self.buffers["act"][staged * plan.buffers + self.turn % plan.buffers]
            staged += 1
            self._load("tensor", self.inputs[slot], at, first, rows, start, size)
            operands.append((at, size))
        if work.constant is not None:
            operands.append(self._constant(first, rows, start, size))
        if self.target is not None:
            out, out_pitch = self.target.pixel(first, 0) + start, self._pitch(self.target)
        else:
            out, out_pitch = self.buffers["out"][self.turn % plan.buffers], size
        stream.map(work.op, operands, out, out_pitch, rows, size, mode=int(work.mode),
                   zero_point=work.zero_point, clamp_min=work.clamp_min, clamp_max=work.clamp_max)
        if self.output is not None:
            host = self.output + first * plan.width + start
            if rows == 1 or size == plan.width == out_pitch:
                stream.store(host, out, rows * size)
            else:
                stream.store(host, out, size, rows, plan.width, out_pitch)

    def _pitch(self, home):
        """Bytes from one row of the plan to the next in a home."""
        return home.row_pitch if self.plan.height > 1 else 0

    def _constant(self, first, rows, start, size):
        """Address and pitch of the constant operand's block."""
        host = self.constants + len(self.work.tables) * TABLE_BYTES
        held = self.buffers["constant"]
        if len(held) > 1:
            at = held[self.turn % 2]
            self._load("const", host, at, first, rows, start, size)
            return at, size
        if first == 0:
            self._load("const", host, held[0], 0, 1, start, size)
        return held[0], 0

    def _load(self, space, host, local, first, rows, start, size):
        width = self.plan.width
        host += first * width + start
        if size == width or rows == 1:
            self.stream.load(space, host, local, rows * size)
        else:
            self.stream.load(space, host, local, size, rows, width, size)
