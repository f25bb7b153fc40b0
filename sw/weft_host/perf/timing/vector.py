"""VECTOR: what its parts take; see the page on the block for the constants."""

from weft.spec.isa import Mode

from .events import Condition

__all__ = ["VectorUnit"]

TABLE_ENTRIES, WORD = 256, 4
FIRST_READ = 2          # start to the first read of the scratchpad
PARAMS_READ, TABLE_READ = 6, 7      # the cycle after the last read to the next instruction's start
PARAMS_END, TABLE_END = 9, 10       # the same to done
MAP_WRITE = 26          # the read of a step to its write
MAP_READ = 5            # the cycle after the last read to where the next instruction may start
DRAIN_WRITE, RAW_SHORTER = 23, 10   # start to the first write
ROW_READ = 6            # request of the last accumulator row to the next instruction's start
SOFTMAX_ROW, SOFTMAX_LEVEL, SOFTMAX_END = 82, 2, 21
SYNC_END = 5
IN_WRITER = 2           # instructions that the writer knows of


class VectorUnit:
    """All of VECTOR's instructions; the writer ends them one after the other."""

    def __init__(self, clock, config, banks, unit):
        self.clock, self.config, self.banks, self.unit = clock, config, banks, unit
        self.work, self.jobs = [], []
        self.free = 0               # no part but the writer is in work
        self.undone = 0
        self.steps_end = self.done_at = 0
        self.was_raw = False
        self.changed = Condition(clock)
        clock.start(self._issue())
        clock.start(self._write())

    def hand(self, index, name, fields):
        """Take an instruction in this cycle."""
        self.work.append((index, name, fields, self.clock.now + 1))
        self.changed.changed(self.clock.now)

    def _issue(self):
        clock = self.clock
        while True:
            while not self.work:
                yield self.changed
            index, name, f, held = self.work.pop(0)
            while self.undone > (IN_WRITER - 1 if name in ("DRAIN", "SYNC_VECTOR") else 0):
                yield self.changed
            yield max(held, self.free) + 1      # decided a cycle before
            start = clock.now
            self.unit.consumed(start + 1)
            self.undone += 1
            yield from getattr(self, f"_{name.lower()}")(index, start, f)

    def _job(self, index, start, pieces=(), demand=1.0, end=0):
        """Hand the writer what to write from ``start`` on; done not before ``end``, once known."""
        job = {"index": index, "start": start, "pieces": pieces, "demand": demand, "end": end}
        self.jobs.append(job)
        self.changed.changed(self.clock.now)
        return job

    def _write(self):
        clock, banks = self.clock, self.banks
        while True:
            while not self.jobs:
                yield self.changed
            job = self.jobs.pop(0)
            yield job["start"]
            yield from banks.stream(banks.writes, job["pieces"], job["demand"])
            while job["end"] is None:
                yield self.changed
            self.done_at = max(clock.now, job["end"], self.done_at + 1)
            self.unit.done(job["index"], self.done_at)
            clock.at(self.done_at + 1, self._ended)

    def _ended(self):
        self.undone -= 1
        self.changed.changed(self.clock.now)

    def _reads(self, rows, demand=1.0):
        yield from self.banks.stream(self.banks.reads, self.banks.pieces(rows), demand)

    def _sync_vector(self, index, start, f):
        self._job(index, start, end=start + SYNC_END)
        yield start

    def _params(self, index, start, f):
        rows = [(f["bias_addr"], WORD, f["channels"])]
        if f["per_channel"]:
            rows.append((f["scale_addr"], WORD, 2 * f["channels"]))
        yield start + FIRST_READ
        yield from self._reads(rows)
        self.free = self.clock.now + PARAMS_READ
        self._job(index, self.clock.now, end=self.clock.now + PARAMS_END)

    def _table(self, index, start, f):
        yield start + FIRST_READ
        yield from self._reads([(f["table_addr"], WORD, TABLE_ENTRIES)])
        self.free = self.clock.now + TABLE_READ
        self._job(index, self.clock.now, end=self.clock.now + TABLE_END)

    def _drain(self, index, start, f):
        lanes = self.config.vector_lanes
        raw = f["mode"] == Mode.RAW
        row = f["channels"] if raw else -(-f["channels"] // lanes)
        positions = f["x_count"] * f["y_count"]
        if raw != self.was_raw:
            self.was_raw = raw
            while self.undone > 1:
                yield self.changed
        first = max(start, self.clock.now, self.steps_end)
        self.free = first + (positions - 1) * row + ROW_READ
        self.steps_end = first + positions * row
        pieces = self.banks.pieces((f["out_addr"] + y * f["y_pitch"], f["x_pitch"] / row,
                                    f["x_count"] * row) for y in range(f["y_count"]))
        self._job(index, first + DRAIN_WRITE - (RAW_SHORTER if raw else 0), pieces)
        yield start

    def _map(self, index, start, f):
        self.was_raw = False
        lanes, operands = self.config.vector_lanes, "ab" if f["op"] else "a"
        steps = -(-f["bytes"] // lanes)
        rows = {which: [(f[f"{which}_addr"] + row * f[f"{which}_pitch"], lanes, steps)
                        for row in range(f["count"])] for which in operands}
        out = self.banks.pieces((f["out_addr"] + row * f["out_pitch"], lanes, steps)
                                for row in range(f["count"]))
        share = 1 / len(operands)
        job = self._job(index, start + FIRST_READ + MAP_WRITE + len(operands) - 1, out, share,
                        end=None)
        yield start + FIRST_READ
        pieces = [self.banks.pieces(rows[which]) for which in operands]
        if len(pieces) == 1:
            yield from self.banks.stream(self.banks.reads, pieces[0])
        else:
            # both operands go at the pace of the slower one
            yield from self._by_turns(*pieces)
        self.free = self.steps_end = self.clock.now + MAP_READ
        job["end"] = self.clock.now + MAP_WRITE
        self.changed.changed(self.clock.now)

    def _by_turns(self, a, b):
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

    def _softmax(self, index, start, f):
        self.was_raw = False
        lanes = self.config.vector_lanes
        row = 3 * -(-f["bytes"] // lanes) + SOFTMAX_ROW \
            + SOFTMAX_LEVEL * (lanes - 1).bit_length()
        done = start + f["count"] * row + SOFTMAX_END
        self.free = self.steps_end = done - FIRST_READ - MAP_WRITE + MAP_READ
        self._job(index, done, end=done)
        yield start
