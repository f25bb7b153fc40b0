"""Timing of MATMUL: one vector per cycle, each tile loaded during the pass before it."""

from __future__ import annotations

import collections

from weft.spec.config import Config

from .banks import Banks
from .events import Clock, Condition
from .interfaces import Fields, IssueQueue, Process
from .ring import Ring

__all__ = ["MatmulUnit"]

SPAD_LATENCY, ACC_LATENCY, ACT_DELAY = 4, 4, 2      # SPAD_LATENCY: from the request of a vector
UPDATE_DISTANCE = 4     # minimum distance of two updates of an accumulator row, in cycles
COLUMN_GROUP = 2        # columns that an activation passes in one cycle
MULTIPLIER_LATENCY = {"portable": 1, "lut": 3, "ecp5": 4, "ecp5_lut": 2, "ice40": 2}
FIRST_VECTOR = 5        # from the acceptance of an instruction to its first vector, without stalls
AHEAD = 2               # vectors not yet requested when the address loops accept the next block


class MatmulUnit:
    """Timing of MATMUL, MATMUL_RING and SYNC_MATMUL.

    An instruction is accepted when the tile loader has begun with the last tile of the previous
    instruction and no other instruction waits for the address loops.

    Parameters
    ----------
    clock : :class:`Clock`
    config : :class:`weft.spec.config.Config`
    banks : :class:`Banks`
    ring : :class:`Ring`
    queue : :class:`IssueQueue`
    """

    def __init__(self, clock: Clock, config: Config, banks: Banks, ring: Ring,
                 queue: IssueQueue) -> None:
        self.clock, self.config, self.banks, self.ring, self.queue = (
            clock, config, banks, ring, queue)
        self.issued: list[tuple[int, str, Fields, int]] = []
        self.accepted: list[tuple[int, str, Fields, int]] = []
        self.running: list[tuple[int, str, Fields, int, int]] = []
        self.tiles_free = self.loops_free = self.idle = True
        self.swapped = 0            # cycle of the first vector of the last tile
        self.last = -1              # cycle of the last vector
        self.in_flight = 0
        multiplier = MULTIPLIER_LATENCY[config.multiplier]
        self.drain = (SPAD_LATENCY + ACT_DELAY + config.rows + config.cols // COLUMN_GROUP
                      + multiplier + ACC_LATENCY - 1)
        self.was_issued, self.was_accepted, self.was_started = (
            Condition(clock) for _ in range(3))
        self.freed, self.retired = Condition(clock), Condition(clock)
        for process in (self._accept(), self._start(), self._run()):
            clock.start(process)

    def issue(self, index: int, name: str, fields: Fields) -> None:
        """Accept an instruction in the current cycle."""
        self.issued.append((index, name, fields, self.clock.now + 1))
        self.was_issued.notify()

    def _free_tiles(self) -> None:
        self.tiles_free = True
        self.freed.notify()

    def _free_loops(self) -> None:
        self.loops_free = True
        self.freed.notify()

    def _retire(self) -> None:
        self.in_flight -= 1
        self.retired.notify()

    def _end(self, index: int, cycle: int) -> None:
        self.queue.done(index, cycle)
        self.clock.at(cycle + 1, self._retire)

    def _accept(self) -> Process:
        while True:
            while not self.issued:
                yield self.was_issued
            index, name, fields, registered = self.issued.pop(0)
            yield registered
            if name == "SYNC_MATMUL":
                while self.in_flight:
                    yield self.retired
                self.in_flight += 1
                self._end(index, self.clock.now + 1)
            else:
                while not (self.tiles_free and self.loops_free):
                    yield self.freed
                self.in_flight += 1
                self.tiles_free = self.loops_free = False
                self.accepted.append((index, name, fields, self.clock.now))
                self.was_accepted.notify()
            self.queue.accept_from(self.clock.now + 1)

    def _start(self) -> Process:
        while True:
            while not (self.accepted and self.idle):
                yield self.was_accepted         # or the unit has become idle
            index, name, fields, accepted = self.accepted.pop(0)
            started = max(accepted + 1, self.clock.now)
            if started > self.clock.now:
                yield started
            self.idle = False
            self.clock.at(started + 1, self._free_loops)
            load = max(accepted, self.swapped)
            if name == "MATMUL" and (
                    fields["hold"] or fields["row_count"] * fields["chunk_count"] == 1):
                self.clock.at(load + 2, self._free_tiles)
            self.running.append((index, name, fields,
                                 max(started + 2, accepted + FIRST_VECTOR), load))
            self.was_started.notify()

    def _run(self) -> Process:
        tile_cycles, banks = self.config.tile_cycles, self.banks
        while True:
            while not self.running:
                yield self.was_started
            index, name, f, first, load = self.running.pop(0)
            if name == "MATMUL_RING":
                yield from self._run_ring(f, first, load)
                self._end(index, self.last + self.drain)
                continue
            passes = f["row_count"] * f["chunk_count"]
            for number in range(passes):
                is_last = number == passes - 1
                if not (f["hold"] and number):
                    first = max(first, self.last + 1, load + tile_cycles)
                    self.swapped = load = first
                    if number == passes - 2 and not f["hold"]:
                        self.clock.at(load + 2, self._free_tiles)
                began = max(first, self.last + 1, self.clock.now)
                if began > self.clock.now:
                    yield began
                row, chunk = divmod(number, f["chunk_count"])
                pieces = banks.grid_pieces(
                    f["act_addr"] + row * f["row_pitch"] + chunk * f["chunk_pitch"], f["y_count"],
                    f["y_pitch"], f["x_count"] + f["lead"], f["x_pitch"])
                if is_last:
                    yield from self._begin_last_pass(pieces)
                for bank, vectors in pieces:
                    yield banks.reads[bank].begin(vectors, 1.0)
                self.last = self.clock.now - 1
                if f["hold"]:
                    self.last = max(self.last, began + UPDATE_DISTANCE - 1)
            self._end(index, self.last + self.drain)

    def _run_ring(self, f: Fields, first: int, load: int) -> Process:
        """Run the passes of a MATMUL_RING, as many at once as there are tiles.

        Parameters
        ----------
        f : fields of the instruction.
        first : earliest cycle of the first vector.
        load : cycle before the earliest one in which a line of the first tile is read.
        """
        clock, ring, vectors = self.clock, self.ring, f["x_count"]
        left, period = f["row_count"] * f["chunk_count"], self.config.tile_cycles
        shares = self._bank_shares(f)
        while left:
            while not ring.tiles:
                yield ring.filled
            count = min(left, len(ring.tiles))
            left -= count
            began = -1
            for _ in range(count):
                load = max(load, ring.tiles.popleft() - 1)
                ring.release(load + 1)
                before, load = load, max(first, self.last + 1, load + period)
                self.last = load + vectors - 1
                if began < 0:
                    began = load
            self.swapped = load
            if not left:
                clock.at(before + 2, self._free_tiles)
                clock.at(load + max(0, vectors - AHEAD), self._free_address_loops)
            yield from self._read_vectors(shares, began, count * vectors)

    def _bank_shares(self, f: Fields) -> dict[int, float]:
        """Return the share of each bank in the vectors of a MATMUL_RING."""
        shares: dict[int, float] = collections.defaultdict(float)
        rows = f["row_count"] if f["row_pitch"] else 1
        total = rows * f["chunk_count"] * f["x_count"]
        for row in range(rows):
            for bank, count in self.banks.grid_pieces(
                    f["act_addr"] + row * f["row_pitch"], f["chunk_count"], f["chunk_pitch"],
                    f["x_count"], f["x_pitch"]):
                shares[bank] += count / total
        return shares

    def _read_vectors(self, shares: dict[int, float], began: int, vectors: int) -> Process:
        """Read vectors from cycle ``began`` to cycle ``self.last``, and delay the latter."""
        if began > self.clock.now:
            yield began
        cycles = self.last - self.clock.now + 1
        streams = []
        for bank, share in shares.items():
            count = max(1, round(vectors * share))
            streams.append(self.banks.reads[bank].begin(
                count, min(1.0, (count - 1) / (cycles - 1)) if count > 1 < cycles else 1.0))
        yield from streams
        self.last = max(self.last, self.clock.now - 1)

    def _free_address_loops(self) -> None:
        self.idle = True
        self.was_accepted.notify()

    def _begin_last_pass(self, pieces: list[list[int]]) -> Process:
        """Read all vectors but the last few, then free the address loops for the next instruction.

        The vectors that are not read yet stay in ``pieces``.
        """
        count, total = pieces[-1][1], sum(count for _, count in pieces)
        kept = min(AHEAD, count)
        pieces[-1][1] -= kept
        if total > kept:
            for bank, vectors in pieces:
                if vectors:
                    yield self.banks.reads[bank].begin(vectors, 1.0)
        pieces[:] = [[pieces[-1][0], kept]]
        self._free_address_loops()
