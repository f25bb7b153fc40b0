"""Timing of instruction fetch, validation and dispatch to the queues."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from weft.spec import isa
from weft.spec.config import Config
from weft.spec.extents import ALL_EXTENTS
from weft.spec.integers import ceil_div
from weft.spec.step_instructions import STEP_BIT

from .bus import Channel
from .events import Clock, Condition
from .interfaces import Process

__all__ = ["CHECK_CYCLES", "Fetcher", "ReadArbiter"]

PREFETCH, MAX_GROUP = 8, 4
CHECK = 3               # cycles to extend a fetch burst by one instruction
BEGIN = 3               # from START to the first of these cycles
FREE = 2                # from an instruction's last beat to the release of its prefetch slot
VALIDATE = 8            # from the last check step to the queue

RESOLVE_COUNT, RESOLVE_COPY = 2, 3      # replacement of a variant that uses step registers


def _check_cycles(instruction: isa.Instruction) -> int:
    """Return the cycles of the replacement of an instruction and of the steps of its checks."""
    base, resolve = instruction, 0
    if instruction.opcode & STEP_BIT:
        base = isa.BY_OPCODE[instruction.opcode & ~STEP_BIT]
        resolve = RESOLVE_COPY if "host_step" in instruction.by_name else RESOLVE_COUNT
    extents = ALL_EXTENTS.get(base.name, ())
    return resolve + (sum(max(1, len(extent.terms)) for extent in extents) or 1)


CHECK_CYCLES = {name: _check_cycles(instruction) for name, instruction in isa.BY_NAME.items()}
"""Cycles in which an instruction is replaced and the steps of its checks begin."""


class ReadArbiter:
    """Read half of the port behind its arbiter, which adds one cycle in each direction."""

    def __init__(self, clock: Clock, channel: Channel) -> None:
        self.clock, self.channel = clock, channel

    def request(self, cycle: int, beats: int, arrive: Callable[..., None],
                *arguments: object) -> None:
        """Offer the address of a burst in ``cycle``.

        ``arrive(first, last, beats, *arguments)`` is called in that cycle with the cycles of the
        first and last beat.
        """
        self.clock.at(cycle, self._accept, beats, arrive, arguments)

    def _accept(self, beats: int, arrive: Callable[..., None],
                arguments: tuple[object, ...]) -> None:
        accepted = self.channel.address(self.clock.now)
        first, last = self.channel.beats(accepted + 1 + self.channel.latency, beats)
        arrive(first + 1, last + 1, beats, *arguments)


class Fetcher:
    """Fetch and validation of a program's instructions.

    Parameters
    ----------
    clock : :class:`Clock`
    config : :class:`weft.spec.config.Config`
    arbiter : :class:`ReadArbiter`
    addr : :class:`int`
        Host address of the program.
    names : list of :class:`str`
        The program's instructions.
    queue : callable
        ``queue(index)`` puts an instruction into its queue in the current cycle and returns None,
        or returns the :class:`Condition` to wait for while the queue is full.
    """

    def __init__(self, clock: Clock, config: Config, arbiter: ReadArbiter, addr: int,
                 names: Sequence[str], queue: Callable[[int], Condition | None]) -> None:
        self.clock, self.config, self.arbiter = clock, config, arbiter
        self.addr, self.names, self.queue = addr, names, queue
        self.beats = isa.INSTRUCTION_BYTES // config.bus_bytes
        self.reserved = 0
        self.available: list[int] = []      # first cycle in which each beat can be taken
        self.released = Condition(clock)
        # instruction in the fetch register (with the cycle in which it is loaded) and in the
        # register between checks and validation
        self.fetched: tuple[int, int] | None = None
        self.checked: int | None = None
        self.check_free = 0
        # the first one also for beats that arrive
        self.loadable, self.loaded = Condition(clock), Condition(clock)
        self.checked_emptied, self.checked_filled = Condition(clock), Condition(clock)
        for process in (self._fetch(), self._assemble(), self._check(), self._dispatch()):
            clock.start(process)

    def _fetch(self) -> Process:
        group = max(1, min(MAX_GROUP, self.config.max_burst // self.beats))
        requested, addr, now = 0, self.addr, BEGIN
        while requested < len(self.names):
            size, most = 0, group if requested else 1
            while True:
                now += CHECK
                yield now
                while not size and self.reserved > PREFETCH - group:
                    yield self.released
                now = self.clock.now
                size += 1
                self.reserved += 1
                requested += 1
                addr += isa.INSTRUCTION_BYTES
                if size == most or addr % 4096 == 0 or requested == len(self.names):
                    break
            beats = size * self.beats
            parts = max(1, ceil_div(beats, self.config.max_burst))
            for _ in range(parts):
                now += 1
                self.arbiter.request(now, beats // parts, self._arrive)

    def _arrive(self, first: int, last: int, beats: int) -> None:
        gap = self.arbiter.channel.gap
        self.available += [first + gap * beat + 2 for beat in range(beats)]
        self.loadable.notify()

    def _release(self) -> None:
        self.reserved -= 1
        self.released.notify()

    def _assemble(self) -> Process:
        taken = end = 0             # cycle of the last beat, and number of beats
        for index in range(len(self.names)):
            first, end = end, end + self.beats
            while self.fetched is not None or len(self.available) < end:
                yield self.loadable
            taken = max(taken, self.check_free - 1)
            for available in self.available[first:end]:
                taken = max(taken + 1, available)
            yield taken
            self.clock.at(taken + FREE, self._release)
            self.fetched = index, taken + 1
            self.loaded.notify()

    def _check(self) -> Process:
        free = 0                    # cycle from which the next instruction is checked
        for index, name in enumerate(self.names):
            while self.fetched is None:
                yield self.loaded
            yield max(self.fetched[1], free)
            self.fetched, self.check_free = None, self.clock.now
            self.loadable.notify()
            yield self.clock.now + CHECK_CYCLES[name]
            while self.checked is not None:
                yield self.checked_emptied
            self.checked = index
            self.checked_filled.notify()
            free = self.clock.now + 1

    def _dispatch(self) -> Process:
        for index in range(len(self.names)):
            while self.checked is None:
                yield self.checked_filled
            yield self.clock.now + VALIDATE
            while (space := self.queue(index)) is not None:
                yield space
            self.checked = None
            self.checked_emptied.notify()
