"""Timing of VECTOR. ``docs/blocks/vector.md`` describes the pipelines behind the constants."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from weft.spec.config import Config
from weft.spec.integers import ceil_div
from weft.spec.isa import Mode

from .banks import Banks
from .events import Clock, Condition
from .interfaces import Fields, IssueQueue, Process

__all__ = ["VectorUnit"]

TABLE_ENTRIES, WORD = 256, 4
FIRST_READ = 2          # from the start to the first read of the scratchpad
PARAMS_READ, TABLE_READ = 6, 7      # from the cycle after the last read to the next instruction
PARAMS_END, TABLE_END = 9, 10       # from the cycle after the last read to done
MAP_WRITE = 26          # from the read of a step to its write
MAP_READ = 5            # from the cycle after the last read to the next instruction
DRAIN_WRITE, RAW_SHORTER = 23, 10   # from the start to the first write
ROW_READ = 6            # from the request of the last accumulator row to the next instruction
SOFTMAX_ROW, SOFTMAX_LEVEL, SOFTMAX_END = 82, 2, 21
SYNC_END = 5
WRITER_DEPTH = 2        # instructions in the writer


@dataclasses.dataclass
class _Write:
    """Write phase of an instruction.

    The instruction is not done before cycle ``end``, which is None while it is unknown.
    """

    index: int
    start: int
    pieces: Sequence[Sequence[int]] = ()
    demand: float = 1.0
    end: int | None = 0


class VectorUnit:
    """Timing of VECTOR's instructions. The writer retires them in order.

    Parameters
    ----------
    clock : :class:`Clock`
    config : :class:`weft.spec.config.Config`
    banks : :class:`Banks`
    queue : :class:`IssueQueue`
    """

    def __init__(self, clock: Clock, config: Config, banks: Banks, queue: IssueQueue) -> None:
        self.clock, self.config, self.banks, self.queue = clock, config, banks, queue
        self.issued: list[tuple[int, str, Fields, int]] = []
        self.writes: list[_Write] = []
        self.free = 0               # from this cycle on only the writer may be busy
        self.in_flight = 0
        self.steps_end = self.done_at = 0
        self.was_raw = False
        self.was_issued, self.retired = Condition(clock), Condition(clock)
        self.written = Condition(clock)     # a write is added, or its end is known
        self._start = {"SYNC_VECTOR": self._sync_vector, "PARAMS": self._params,
                       "TABLE": self._table, "DRAIN": self._drain, "MAP": self._map,
                       "SOFTMAX": self._softmax}
        clock.start(self._run())
        clock.start(self._write())

    def issue(self, index: int, name: str, fields: Fields) -> None:
        """Accept an instruction in the current cycle."""
        self.issued.append((index, name, fields, self.clock.now + 1))
        self.was_issued.notify()

    def _run(self) -> Process:
        while True:
            while not self.issued:
                yield self.was_issued
            index, name, fields, registered = self.issued.pop(0)
            while self.in_flight > (WRITER_DEPTH - 1 if name in ("DRAIN", "SYNC_VECTOR") else 0):
                yield self.retired
            yield max(registered, self.free) + 1    # the decision is registered
            start = self.clock.now
            self.queue.accept_from(start + 1)
            self.in_flight += 1
            yield from self._start[name](index, start, fields)

    def _add_write(self, write: _Write) -> None:
        self.writes.append(write)
        self.written.notify()

    def _write(self) -> Process:
        clock, banks = self.clock, self.banks
        while True:
            while not self.writes:
                yield self.written
            write = self.writes.pop(0)
            if write.start > clock.now:
                yield write.start
            for bank, count in write.pieces:
                yield banks.writes[bank].begin(count, write.demand)
            while write.end is None:
                yield self.written
            self.done_at = max(clock.now, write.end, self.done_at + 1)
            self.queue.done(write.index, self.done_at)
            clock.at(self.done_at + 1, self._retire)

    def _retire(self) -> None:
        self.in_flight -= 1
        self.retired.notify()

    def _reads(self, rows: Iterable[tuple[float, float, int]]) -> Process:
        for bank, count in self.banks.pieces(rows):
            yield self.banks.reads[bank].begin(count, 1.0)

    def _sync_vector(self, index: int, start: int, f: Fields) -> Process:
        self._add_write(_Write(index, start, end=start + SYNC_END))
        yield from ()

    def _params(self, index: int, start: int, f: Fields) -> Process:
        rows = [(f["bias_addr"], WORD, f["channels"])]
        if f["per_channel"]:
            rows.append((f["scale_addr"], WORD, 2 * f["channels"]))
        yield start + FIRST_READ
        yield from self._reads(rows)
        self.free = self.clock.now + PARAMS_READ
        self._add_write(_Write(index, self.clock.now, end=self.clock.now + PARAMS_END))

    def _table(self, index: int, start: int, f: Fields) -> Process:
        yield start + FIRST_READ
        yield from self._reads([(f["table_addr"], WORD, TABLE_ENTRIES)])
        self.free = self.clock.now + TABLE_READ
        self._add_write(_Write(index, self.clock.now, end=self.clock.now + TABLE_END))

    def _drain(self, index: int, start: int, f: Fields) -> Process:
        raw = f["mode"] == Mode.RAW
        row = f["channels"] if raw else ceil_div(f["channels"], self.config.vector_lanes)
        positions = f["x_count"] * f["y_count"]
        if raw != self.was_raw:
            self.was_raw = raw
            while self.in_flight > 1:
                yield self.retired
        first = max(start, self.clock.now, self.steps_end)
        self.free = first + (positions - 1) * row + ROW_READ
        self.steps_end = first + positions * row
        pieces = self.banks.grid_pieces(f["out_addr"], f["y_count"], f["y_pitch"],
                                        f["x_count"] * row, f["x_pitch"] / row)
        self._add_write(_Write(index, first + DRAIN_WRITE - (RAW_SHORTER if raw else 0), pieces))
        yield from ()

    def _map(self, index: int, start: int, f: Fields) -> Process:
        self.was_raw = False
        lanes, operands = self.config.vector_lanes, "ab" if f["op"] else "a"
        steps = ceil_div(f["bytes"], lanes)

        def pieces(which: str) -> list[list[int]]:
            return self.banks.grid_pieces(f[f"{which}_addr"], f["count"], f[f"{which}_pitch"],
                                          steps, lanes)

        write = _Write(index, start + FIRST_READ + MAP_WRITE + len(operands) - 1, pieces("out"),
                       1 / len(operands), end=None)
        self._add_write(write)
        yield start + FIRST_READ
        if len(operands) == 1:
            for bank, count in pieces("a"):
                yield self.banks.reads[bank].begin(count, 1.0)
        else:
            yield from self._alternate(pieces("a"), pieces("b"))
        self.free = self.steps_end = self.clock.now + MAP_READ
        write.end = self.clock.now + MAP_WRITE
        self.written.notify()

    def _alternate(self, a: list[list[int]], b: list[list[int]]) -> Process:
        """Read two operands in alternation, at the rate of the slower one."""
        reads = self.banks.reads
        while a and b:
            count = min(a[0][1], b[0][1])
            if a[0][0] == b[0][0]:
                yield reads[a[0][0]].begin(2 * count, 1.0)
            else:
                began = self.clock.now
                ends = [reads[pieces[0][0]].begin(count, 0.5, serial=True) for pieces in (a, b)]
                yield from ends
                yield max(self.clock.now, began + 2 * count)
            for pieces in (a, b):
                pieces[0][1] -= count
                if not pieces[0][1]:
                    pieces.pop(0)

    def _softmax(self, index: int, start: int, f: Fields) -> Process:
        self.was_raw = False
        lanes = self.config.vector_lanes
        row = (3 * ceil_div(f["bytes"], lanes) + SOFTMAX_ROW
               + SOFTMAX_LEVEL * (lanes - 1).bit_length())
        done = start + f["count"] * row + SOFTMAX_END
        self.free = self.steps_end = done - FIRST_READ - MAP_WRITE + MAP_READ
        self._add_write(_Write(index, done, end=done))
        yield from ()
