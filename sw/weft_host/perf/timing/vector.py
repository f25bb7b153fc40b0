"""Timing of VECTOR. ``docs/blocks/vector.md`` describes the pipelines behind the constants."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterable, Sequence

from weft.spec.config import Config
from weft.spec.integers import ceil_div
from weft.spec.isa import Mode

from .banks import BankPort, Banks
from .events import Clock, Condition
from .fixed_point import BETWEEN, FIXED_POINT, Access, schedule
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

    The instruction is not done before cycle ``end``, which is None while it is unknown, and not
    before ``tail`` cycles have passed since the cycle after the last write. Writes to several banks
    are made one after another, or at once with ``together``.
    """

    index: int
    start: int
    pieces: Sequence[Sequence[int]] = ()
    demand: float = 1.0
    end: int | None = 0
    tail: int = 0
    together: bool = False


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
        self.fixed_point = False    # the instruction in progress is a fixed-point one
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
            overlaps = name in ("DRAIN", "SYNC_VECTOR") and not self.fixed_point
            while self.in_flight > (WRITER_DEPTH - 1 if overlaps else 0):
                yield self.retired
            yield max(registered, self.free) + 1    # the decision is registered
            start = self.clock.now
            self.queue.accept_from(start + 1)
            self.in_flight += 1
            self.fixed_point = name in FIXED_POINT
            if self.fixed_point:
                yield from self._fixed_point(name, index, start, fields)
            else:
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
            if write.together:
                yield from self._begin(banks.writes, write.pieces, write.demand)
            else:
                for bank, count in write.pieces:
                    yield banks.writes[bank].begin(count, write.demand)
            while write.end is None:
                yield self.written
            self.done_at = max(clock.now + write.tail, write.end, self.done_at + 1)
            if self.fixed_point:
                self.free = self.done_at + BETWEEN - 1
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

    def _fixed_point(self, name: str, index: int, start: int, f: Fields) -> Process:
        self.was_raw = False
        plan = schedule(self.config, name, f)
        pieces = self._pieces(plan.writes)
        demand = sum(count for _, count in pieces) / (plan.last_write - plan.first_write + 1)
        write = _Write(index, start + plan.first_write, pieces, demand, end=None,
                       tail=plan.done - plan.last_write - 1, together=True)
        self._add_write(write)
        if plan.reads:
            yield start + FIRST_READ
            pieces = self._pieces(plan.reads)
            yield from self._begin(self.banks.reads, pieces, sum(count for _, count in pieces)
                                   / max(1, plan.reads_end - FIRST_READ))
        late = max(0, self.clock.now - start - plan.reads_end - plan.slack)
        write.end = start + plan.done + late
        self.written.notify()

    def _pieces(self, accesses: Iterable[Access]) -> list[list[int]]:
        """Return the banks of accesses, and the number of accesses to each of them."""
        counts: dict[int, int] = collections.Counter()
        for access in accesses:
            for bank, count in self.banks.grid_pieces(access.addr, access.rows, access.row_pitch,
                                                      access.count, access.pitch):
                counts[bank] += count
        return [[bank, count] for bank, count in counts.items()]

    def _begin(self, ports: Sequence[BankPort], pieces: Sequence[Sequence[int]],
               demand: float) -> list[Condition]:
        """Begin all accesses at once, ``demand`` per cycle in total, and return their ends."""
        total = sum(count for _, count in pieces)
        return [ports[bank].begin(count, min(1.0, demand) * count / total)
                for bank, count in pieces]
