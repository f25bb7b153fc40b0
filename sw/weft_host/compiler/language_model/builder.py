"""Sequence of instructions of a step, with the memory that they access."""

import enum

from weft.spec import isa
from weft.spec.config import Config
from weft.spec.extents import HOST, regions
from weft.spec.four_bit import PACKET_BEATS
from weft.spec.integers import round_up
from weft.spec.region import Region
from weft.spec.step_instructions import STEP_COUNTS

from ..schedule.scheduler import add_tokens, find_dependencies
from ..steps.instruction_stream import UnscheduledInstruction
from ..verdict import CapacityError
from .parts import Part
from .program_order import program_order

__all__ = ["HostArea", "ProgramBuilder", "Scratchpad"]

_ALIGN = 16
_VECTOR_LATENCY, _SOLVE_CYCLES = 35, 50     # rough estimates


class HostArea(enum.Enum):
    """Section of host memory to which an address is relative until the program is complete."""

    CONSTANTS = enum.auto()
    CACHE = enum.auto()


class Scratchpad:
    """Allocator of the scratchpad.

    Buffers live as long as the program, or as long as one of its phases, see :meth:`branch`.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.used = self.phases_from = 0

    def take(self, size: int) -> int:
        """Return the address of a new buffer.

        Raises
        ------
        CapacityError
            If the scratchpad is full.
        """
        address = self.used
        self.used = round_up(address + size, _ALIGN)
        # reads of the array can exceed the last buffer by one vector
        if self.used + self.config.rows > self.config.spad_bytes:
            raise CapacityError(
                f"a step of the model needs more than the {self.config.spad_bytes} bytes of "
                f"scratchpad of {self.config.name}; choose a larger preset, or --set spad_bytes")
        return address

    def branch(self) -> "Scratchpad":
        """Return an allocator of the memory behind the buffers so far, for buffers of one phase.

        The memory begins at :attr:`phases_from` or higher. The buffers of two branches share
        memory. :meth:`join` continues behind all of them.
        """
        branch = Scratchpad(self.config)
        branch.used = max(self.used, self.phases_from)
        return branch

    def join(self, *branches: "Scratchpad") -> None:
        """Continue behind the buffers of all branches."""
        self.used = max(self.used, *(branch.used for branch in branches))


class ProgramBuilder:
    """Instructions in an order that computes the right result if they are executed one by one.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`

    Attributes
    ----------
    instructions : list of :class:`UnscheduledInstruction`
    areas : list of :class:`HostArea` or ``None``
        Section of each instruction's host address.
    layer : :class:`int`
        Layer to which further instructions are attributed; -1 for what is in front of the layers,
        and their number for what is behind them.
    part : :class:`Part`
        Part of the layer to which further instructions are attributed.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.instructions: list[UnscheduledInstruction] = []
        self.areas: list[HostArea | None] = []
        self.layer, self.part = -1, Part.EMBEDDING
        self._parts: list[Part] = []
        self._tags: dict[tuple[int, str], int] = {}
        self._next_row = 0

    def accumulators(self, rows: int) -> int:
        """Return the first of so many accumulator rows to use next: rows that were used long ago.

        ``rows`` is at most half of the accumulators.
        """
        assert 2 * rows <= self.config.acc_rows
        if self._next_row + rows > self.config.acc_rows:
            self._next_row = 0
        first = self._next_row
        self._next_row += rows
        return first

    def add(self, name: str, *, most: int = 0, **fields: int) -> None:
        """Append an instruction that accesses no host memory.

        Parameters
        ----------
        name : name of the instruction.
        most : largest count of a variant that takes its count from a step register; 0 if the
            count is a field.
        fields : fields without tokens.
        """
        self._append(name, None, None, most, fields)

    def copy(self, name: str, area: HostArea, tag: tuple[int, str] | None, *, most: int = 0,
             **fields: int) -> None:
        """Append a copy from or to host memory.

        Parameters
        ----------
        name, most, fields : see :meth:`add`.
        area : section of the host address.
        tag : key of the part of the cache that the copy accesses; ``None`` for constants. Copies
            with the same tag conflict.
        """
        self._append(name, area, tag, most, fields)

    def _append(self, name: str, area: HostArea | None, tag: tuple[int, str] | None, most: int,
                fields: dict[str, int]) -> None:
        base = name.removesuffix("_STEP")
        full = {field.name: 0 for field in isa.BY_NAME[base].fields} | fields
        if most:
            full[STEP_COUNTS[base]] = most
        # a ring orders its accesses itself
        accessed = [region for region in regions(self.config, base, full)
                    if region.space not in (HOST, "wgt")]
        if tag is not None:
            index = self._tags.setdefault(tag, len(self._tags))
            accessed.append(Region(HOST, base == "STORE", index, 1, (), index))
        self.instructions.append(UnscheduledInstruction(
            name, fields, accessed, self.layer, None, self._cycles(base, full)))
        self.areas.append(area)
        self._parts.append(self.part)

    def _cycles(self, name: str, v: dict[str, int]) -> int:
        """Return the estimated duration of an instruction, which affects the order only."""
        lanes = self.config.vector_port_bytes // 4
        match name:
            case "LOAD" | "LOAD_RING" | "STORE":
                return v["count"] * (v["bytes"] // self.config.bus_bytes + 1)
            case "LOAD_RING_4BIT":
                return v["count"] * PACKET_BEATS * self.config.cols // self.config.bus_bytes
            case "MATMUL_RING":
                return v["row_count"] * v["chunk_count"] * max(
                    v["x_count"], self.config.tile_cycles,
                    self.config.tile_bytes // self.config.bus_bytes)
            case "COMPUTE":
                return v["count"] * v["elements_count"] // lanes + _VECTOR_LATENCY
            case "DRAIN_PLANES":
                return v["y_count"] * v["x_count"] * v["channels"] // lanes + _VECTOR_LATENCY
            case "SOLVE":
                return v["count"] * _SOLVE_CYCLES
        return _VECTOR_LATENCY

    def encoded(self, base: dict[HostArea, int]) -> tuple[bytes, list[int], list[Part]]:
        """Return the program with tokens, and the layer and the part of each instruction.

        Parameters
        ----------
        base : address of each section of host memory.
        """
        config, instructions = self.config, self.instructions
        dependencies = find_dependencies(instructions, {
            "spad": config.spad_bytes, "wgt": config.wgt_bytes, "acc": config.acc_rows,
            HOST: len(self._tags)})
        order = program_order(instructions, dependencies, config.queue_depth - 1)
        tokens = add_tokens(order, instructions, dependencies, config.queue_depth)
        words = []
        for index, (wait, signal) in zip(order, tokens, strict=True):
            fields, area = dict(instructions[index].fields), self.areas[index]
            if area is not None:
                fields["host_addr"] += base[area]
            words.append(isa.encode(instructions[index].name, wait=wait, signal=signal, **fields))
        return (b"".join(words), [instructions[index].layer for index in order],
                [self._parts[index] for index in order])
