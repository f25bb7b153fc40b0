"""MATMUL: tiles one ahead, a vector a cycle."""

from .events import Condition

__all__ = ["MatmulUnit"]

SPAD_LATENCY, ACC_LATENCY, ACT_DELAY = 4, 4, 2      # SPAD_LATENCY: from when a vector goes
UPDATE_DISTANCE = 4
COLUMN_GROUP = 2
MULTIPLIER_LATENCY = {"portable": 1, "lut": 3, "ecp5": 4, "ecp5_lut": 2, "ice40": 2}
FIRST_VECTOR = 5        # from when an instruction is accepted, if nothing is in its way
AHEAD = 2               # vectors that are still to be requested when the loops go on


class MatmulUnit:
    """MATMUL and SYNC_MATMUL.

    An instruction is accepted when the tile loader has begun with the last tile of the one before
    and no other waits for the loops.
    """

    def __init__(self, clock, config, banks, unit):
        self.clock, self.config, self.banks, self.unit = clock, config, banks, unit
        self.handed, self.accepted, self.running = [], [], []
        self.tiles_free = self.loops_free = self.idle = True
        self.swapped = 0            # the first vector of the last tile was requested
        self.last = -1              # the last vector was
        self.undone = 0
        multiplier = MULTIPLIER_LATENCY[config.multiplier]
        self.drain = (SPAD_LATENCY + ACT_DELAY + config.rows + config.cols // COLUMN_GROUP
                      + multiplier + ACC_LATENCY - 1)
        self.changed = Condition(clock)
        for process in (self._accept(), self._take(), self._run()):
            clock.start(process)

    def hand(self, index, name, fields):
        """Take an instruction in this cycle."""
        self.handed.append((index, name, fields, self.clock.now + 1))
        self._tell()

    def _tell(self):
        self.changed.changed(self.clock.now)

    def _set(self, name):
        setattr(self, name, True)
        self._tell()

    def _done(self, index, cycle):
        self.undone -= 1
        self._tell()

    def _ends(self, index, cycle):
        self.unit.done(index, cycle)
        self.clock.at(cycle + 1, self._done, index, cycle)

    def _accept(self):
        while True:
            while not self.handed:
                yield self.changed
            index, name, fields, held = self.handed.pop(0)
            yield held
            if name == "SYNC_MATMUL":
                while self.undone:
                    yield self.changed
                self.undone += 1
                self._ends(index, self.clock.now + 1)
            else:
                while not (self.tiles_free and self.loops_free):
                    yield self.changed
                self.undone += 1
                self.tiles_free = self.loops_free = False
                self.accepted.append((index, fields, self.clock.now))
                self._tell()
            self.unit.consumed(self.clock.now + 1)

    def _take(self):
        while True:
            while not (self.accepted and self.idle):
                yield self.changed
            index, fields, accepted = self.accepted.pop(0)
            taken = max(accepted + 1, self.clock.now)
            yield taken
            self.idle = False
            self.clock.at(taken + 1, self._set, "loops_free")
            load = max(accepted, self.swapped)
            if fields["hold"] or fields["row_count"] * fields["chunk_count"] == 1:
                self.clock.at(load + 2, self._set, "tiles_free")
            self.running.append((index, fields, max(taken + 2, accepted + FIRST_VECTOR), load))
            self._tell()

    def _run(self):
        rows, banks = self.config.rows, self.banks
        while True:
            while not self.running:
                yield self.changed
            index, f, first, load = self.running.pop(0)
            passes = f["row_count"] * f["chunk_count"]
            for number in range(passes):
                is_last = number == passes - 1
                if not (f["hold"] and number):
                    first = max(first, self.last + 1, load + rows)
                    self.swapped = load = first
                    if number == passes - 2 and not f["hold"]:
                        self.clock.at(load + 2, self._set, "tiles_free")
                yield max(first, self.last + 1)
                began = self.clock.now
                pieces = banks.pieces(self._vectors(f, *divmod(number, f["chunk_count"])))
                if is_last:
                    yield from self._all_but_the_end(pieces)
                yield from banks.stream(banks.reads, pieces)
                self.last = self.clock.now - 1
                if f["hold"]:
                    self.last = max(self.last, began + UPDATE_DISTANCE - 1)
            self._ends(index, self.last + self.drain)

    def _all_but_the_end(self, pieces):
        """What is left for the end stays in ``pieces``; the next instruction may be taken then."""
        count, whole = pieces[-1][1], sum(count for _, count in pieces)
        kept = min(AHEAD, count)
        pieces[-1][1] -= kept
        if whole > kept:
            yield from self.banks.stream(self.banks.reads, [p for p in pieces if p[1]])
        pieces[:] = [[pieces[-1][0], kept]]
        self._set("idle")

    @staticmethod
    def _vectors(f, row, chunk):
        addr = f["act_addr"] + row * f["row_pitch"] + chunk * f["chunk_pitch"]
        for y in range(f["y_count"]):
            yield addr + y * f["y_pitch"], f["x_pitch"], f["x_count"] + f["lead"]
