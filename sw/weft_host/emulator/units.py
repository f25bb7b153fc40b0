"""Units of the emulator: queues, instructions in progress, and tokens."""

import collections
import dataclasses
from collections.abc import Mapping

from weft.spec import isa
from weft.spec.config import Config
from weft.spec.four_bit import PACKET_BEATS

from .queued import QueuedInstruction

__all__ = ["IssuedInstruction", "Units"]

_UNITS = range(len(isa.UNITS))
_LOAD = isa.UNITS.index("LOAD")
_MAX_TOKENS = 255


@dataclasses.dataclass
class IssuedInstruction:
    """An instruction, or an iteration of one, that a unit has accepted and not completed.

    Attributes
    ----------
    entry : :class:`weft_host.emulator.queued.QueuedInstruction`
    values : mapping of :class:`str` to :class:`int`
        Fields of the instruction or iteration.
    ends : :class:`bool`
        It is the last iteration.
    row_bytes : :class:`int`
        Bytes of a row of a copy.
    loaded : :class:`int`
        Bytes of a LOAD_RING, or of the stream of a LOAD_RING_4BIT, that have been loaded.
    """

    entry: QueuedInstruction
    values: Mapping[str, int]
    ends: bool
    row_bytes: int = 0
    loaded: int = 0

    @property
    def rows_left(self) -> int:
        """Rows of a copy of which not all bursts have been requested; 1 if it is not a copy."""
        if "count" not in self.values:
            return 1
        return self.values["count"] - self.loaded // self.row_bytes


class Units:
    """Queues of all units, their instructions in progress, and the tokens between them.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`

    Attributes
    ----------
    queues : list of deques of :class:`weft_host.emulator.queued.QueuedInstruction`
        Instructions that are not issued, or not all iterations of which are.
    issued : list of deques of :class:`IssuedInstruction`
        Instructions in progress. Only those of LOAD and MATMUL can wait, for the ring.
    """

    queues: list[collections.deque[QueuedInstruction]]
    issued: list[collections.deque[IssuedInstruction]]

    def __init__(self, config: Config) -> None:
        self._config = config
        self.queues = [collections.deque() for _ in _UNITS]
        self.issued = [collections.deque() for _ in _UNITS]
        self._tokens = [[0] * len(isa.UNITS) for _ in _UNITS]      # [from][to]

    def has_space(self, unit: int) -> bool:
        """Return whether the queue of ``unit`` has space for an instruction.

        On the serial engine, no instruction is queued before the previous one is complete.
        """
        if self._config.compact:
            return not any(self.queues)
        return len(self.queues[unit]) <= self._config.queue_depth       # and the next one

    def issue(self, unit: int) -> bool:
        """Issue the next instruction or iteration of ``unit``; return whether that was possible."""
        if not self.queues[unit] or self._lacking(unit) or not self._accepts(unit):
            return False
        entry = self.queues[unit][0]
        entry.left -= 1
        if not entry.left:
            self.queues[unit].popleft()
        for other in entry.wait:
            self._tokens[other][unit] -= 1
        values = next(entry.iterations)
        # a row of LOAD_RING_4BIT is a block
        row_bytes = values.get("bytes", PACKET_BEATS * self._config.cols)
        self.issued[unit].append(IssuedInstruction(entry, values, not entry.left, row_bytes))
        return True

    def complete(self, unit: int) -> bool:
        """Remove the oldest instruction in progress of ``unit`` and send its tokens.

        Return whether no count of tokens has overflowed.
        """
        for other in self.issued[unit].popleft().entry.signal:
            if self._tokens[unit][other] == _MAX_TOKENS:
                return False
            self._tokens[unit][other] += 1
        return True

    def stalled(self) -> tuple[int, int] | None:
        """Return the unit and the index of the instruction that the watchdog reports.

        An instruction in progress takes precedence over one that lacks a token. ``None`` if there
        is no instruction.
        """
        waiting = [*((unit, issued[0].entry.index)
                     for unit, issued in enumerate(self.issued) if issued),
                   *((unit, queue[0].index) for unit, queue in enumerate(self.queues) if queue)]
        return waiting[0] if waiting else None

    def waits(self) -> dict[str, int]:
        """Return the fields of the register WAITS that are not 0."""
        fields: dict[str, int] = {}
        for unit, name in enumerate(isa.UNITS):
            if self.queues[unit]:
                fields[f"{name}_QUEUED"] = 1
                fields[f"{name}_TOKENS"] = sum(1 << other for other in self._lacking(unit))
            if self.issued[unit]:
                fields[f"{name}_BUSY"] = 1
        return fields

    def _lacking(self, unit: int) -> list[int]:
        """Return the units for whose tokens the next instruction of ``unit`` waits."""
        return [other for other in self.queues[unit][0].wait if not self._tokens[other][unit]]

    def _accepts(self, unit: int) -> bool:
        """Return whether ``unit`` accepts an instruction besides those in progress.

        The instruction register takes one instruction while earlier ones wait. The planner of LOAD
        contains three rows of copies; the instruction of the third one is in its first stage.
        """
        issued = self.issued[unit]
        if unit != _LOAD:
            return len(issued) < 2
        rows = 0
        for planned, instruction in enumerate(issued, 1):
            rows += instruction.rows_left
            if rows >= 3:
                return len(issued) <= planned
        return True
