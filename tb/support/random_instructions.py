"""Random instructions that access only memory that has been written before."""

import random

from weft.spec.isa import TABLE_BYTES, MapOp, Mode

__all__ = ["CONSTANTS", "ENTRIES", "IO", "IO_BYTES", "PARAMETERS", "RandomInstructions"]

CONSTANTS = 0x2000      # start of the constants; instructions are below
PARAMETERS = 0x2800     # biases, multipliers and shifts, after the random constants
ENTRIES = 0x2C00        # two tables
IO = 0x4000             # one region for input and output, so that all of its bytes are checked
IO_BYTES = 0x1800
WORK = 600              # maximum of the bytes of a copy and of the vectors of a MATMUL


class RandomInstructions:
    """Generator of instructions that access only memory that has been written before.

    All on-chip accesses are in one part of each memory, which is filled first. The part is at the
    start or the end of the memory, across the middle (a boundary of banks), or anywhere.
    """

    def __init__(self, config, seed):
        self.config = config
        self.draw = random.Random(f"{seed} {config.fingerprint}")
        self.spad, self.spad_end = self._part(config.spad_bytes, 1536)
        tiles = min(config.wgt_tiles, max(2, 2048 // config.tile_bytes))
        self.tile, self.tile_end = self._part(config.wgt_tiles, tiles)
        self.acc, self.acc_end = self._part(config.acc_rows, 48)
        # maximum of the channels of one PARAMS
        self.channels = min(config.param_channels, (self.spad_end - self.spad) // 12,
                            (ENTRIES - PARAMETERS) // 12)
        if self.channels >= config.cols:
            self.channels = self.channels // config.cols * config.cols
        self.has_tables = self.spad_end - self.spad >= TABLE_BYTES
        self.steps = []

    def _part(self, size, wanted):
        wanted = min(size, wanted)
        room = size - wanted
        start = self.draw.choice((0, room, room // 2, self.draw.randint(0, room)))
        return start, start + wanted

    def _small(self, limit):
        """Draw from 1 to ``limit``, small values and the limit itself more often."""
        limit = max(1, limit)
        return self.draw.choice((1, min(2, limit), limit, self.draw.randint(1, limit),
                                 self.draw.randint(1, min(limit, 9))))

    def _each(self):
        return int(self.draw.random() < 0.3 and not self.config.compact)

    def _copy_shape(self, room, other_room):
        """Draw (count, bytes, pitch, pitch) that fit into both regions."""
        draw = self.draw
        size = self._small(min(room, other_room, WORK))
        count = self._small(min(WORK // size, 12))
        pitches = []
        for space in (room, other_room):
            limit = (space - size) // (count - 1) if count > 1 else 1 << 20
            count_ok = min(limit, draw.choice((size, size + 1, size + draw.randint(0, 40))))
            pitches.append(count_ok)
        return count, size, *pitches

    def _address(self, low, high, extent):
        return self.draw.choice((low, high - extent, self.draw.randint(low, high - extent)))

    def load(self):
        low, high = self.draw.choice(((CONSTANTS, PARAMETERS), (IO, IO + IO_BYTES)))
        self._copy("LOAD", low, high, self.spad, self.spad_end)

    def load_wgt(self):
        tile = self.config.tile_bytes
        self._copy("LOAD_WGT", CONSTANTS, PARAMETERS, self.tile * tile, self.tile_end * tile)

    def store(self):
        self._copy("STORE", IO, IO + IO_BYTES, self.spad, self.spad_end)

    def _copy(self, name, host_low, host_high, low, high):
        count, size, host_pitch, local_pitch = self._copy_shape(host_high - host_low, high - low)
        if name == "STORE" and count > 1 and host_pitch < size:
            count = 1       # the order of overlapping writes would be undefined
        local = self._address(low, high, (count - 1) * local_pitch + size)
        host = self._address(host_low, host_high, (count - 1) * host_pitch + size)
        self.steps.append((name, dict(count=count, bytes=size, host_addr=host, local_addr=local,
                                      host_pitch=host_pitch, local_pitch=local_pitch,
                                      each=self._each())))

    def fill(self):
        room = self.spad_end - self.spad
        count, size, pitch, _ = self._copy_shape(room, room)
        self.steps.append(("FILL", dict(
            count=count, bytes=size, local_pitch=pitch, value=self.draw.randrange(256),
            local_addr=self._address(self.spad, self.spad_end, (count - 1) * pitch + size))))

    def _pitches(self, counts, room):
        """Draw a pitch for each count such that their total reach is at most ``room`` elements."""
        pitches = []
        for count in counts:
            limit = room // (count - 1) if count > 1 else 1 << 16
            pitch = min(limit, self.draw.choice((0, 1, self.config.rows, self.draw.randint(0, 80))))
            pitches.append(pitch)
            room -= (count - 1) * pitch
        return pitches

    def matmul(self, everything=False):
        draw, config = self.draw, self.config
        lines = self.acc_end - self.acc
        apart = not everything and draw.random() < 0.3
        y = 1 if everything or apart else self._small(min(lines, 8))
        x = lines if everything else self._small(lines // y)
        hold = draw.random() < 0.2
        passes = max(1, WORK // (x * y))
        tiles = self.tile_end - self.tile
        row = self._small(min(passes, 4 if hold else tiles, lines // x if apart else 8, 8))
        chunk = self._small(min(passes // row, 4 if hold else tiles // row, 8))
        depthwise = not everything and draw.random() < 0.4
        lead = draw.randrange(config.rows) if depthwise else 0
        counts = [row, chunk, y, x + lead]
        draw.shuffle(order := list(range(4)))
        pitches = [0] * 4
        room = self.spad_end - self.spad - config.rows
        for axis, pitch in zip(order, self._pitches([counts[axis] for axis in order], room)):
            pitches[axis] = pitch
        reach = sum((count - 1) * pitch for count, pitch in zip(counts, pitches)) + config.rows
        used = 1 if hold else row * chunk
        self.steps.append(("MATMUL", dict(
            maximum=int(draw.random() < 0.25), hold=int(hold), depthwise=int(depthwise), lead=lead,
            accumulate=0 if everything else draw.randrange(2), apart=int(apart), each=self._each(),
            blank=0 if depthwise or draw.random() < 0.7 else draw.randrange(config.rows),
            act_addr=self._address(self.spad, self.spad_end, reach),
            acc_addr=self._address(self.acc, self.acc_end, (row if apart else y) * x),
            wgt_addr=self._address(self.tile, self.tile_end, used),
            row_count=row, row_pitch=pitches[0], chunk_count=chunk, chunk_pitch=pitches[1],
            y_count=y, y_pitch=pitches[2], x_count=x, x_pitch=pitches[3])))

    def params(self, everything=False, channel=0):
        """Append a PARAMS of random channels, or of as many as possible from ``channel`` on."""
        draw, cols = self.draw, self.config.cols
        total = self.config.param_channels
        if not everything:
            channel = draw.randrange(total // cols) * cols
        channels = min(self.channels, total - channel)
        if not everything:
            channels = draw.choice((self._small(min(cols, channels)), self._small(channels)))
        size = 12 * self.channels
        at = self._address(self.spad, self.spad_end, size)
        if everything or draw.random() < 0.7:   # otherwise PARAMS reads the present bytes
            self.steps.append(("LOAD", dict(count=1, bytes=size, host_addr=PARAMETERS,
                                            local_addr=at)))
        self.steps.append(("PARAMS", dict(
            per_channel=draw.randrange(2), bias_addr=at, scale_addr=at + 4 * self.channels,
            channel=channel, channels=channels,
            multiplier=draw.choice((0, 1 << 30, (1 << 31) - 1, draw.randrange(1 << 30, 1 << 31))),
            shift=draw.choice((0, 1, 30, 31, 32, 62, draw.randint(33, 48))))))

    def drain(self):
        draw = self.draw
        mode = draw.choice(list(Mode))
        channels = self._small(min(self.config.cols, (self.spad_end - self.spad) // 4))
        size = channels * (4 if mode == Mode.RAW else 1)
        lines = self.acc_end - self.acc
        groups = self.config.param_channels // self.config.cols
        group, apart = draw.randrange(groups), draw.random() < 0.4
        y = self._small(min(8, lines, groups - group if apart else 8))
        x = self._small(min(lines, 16))
        acc_pitch = min((lines - x) // max(1, y - 1), draw.choice((0, 1, x, draw.randint(0, 20))))
        room = self.spad_end - self.spad - size
        y_pitch, x_pitch = self._pitches([y, x], room)
        if draw.random() < 0.5 and (y * x - 1) * size <= room:      # dense, as in layers
            y_pitch, x_pitch = x * size, size
        reach = (y - 1) * y_pitch + (x - 1) * x_pitch + size
        low, high = sorted((draw.randint(-128, 127), draw.randint(-128, 127)))
        if draw.random() < 0.7:
            low, high = -128, 127
        self.steps.append(("DRAIN", dict(
            mode=mode, channels=channels, y_count=y, x_count=x, y_pitch=y_pitch, x_pitch=x_pitch,
            channel=group * self.config.cols, apart=int(apart), each=self._each(),
            acc_pitch=acc_pitch, zero_point=draw.randint(-128, 127), clamp_min=low, clamp_max=high,
            out_addr=self._address(self.spad, self.spad_end, reach),
            acc_addr=self._address(self.acc, self.acc_end, (y - 1) * acc_pitch + x))))

    def slices(self):
        """Append a layer that all four units process in slices, one iteration at a time."""
        draw, config = self.draw, self.config
        tile, groups = config.tile_bytes, config.param_channels // config.cols
        lines, tiles = self.acc_end - self.acc, self.tile_end - self.tile
        count = self._small(min(6, lines, tiles, groups, (PARAMETERS - CONSTANTS) // tile))
        chunk = self._small(min(3, tiles // count, (PARAMETERS - CONSTANTS) // (count * tile)))
        x = self._small(min(lines // count, 5))
        channels = self._small(min(config.cols, (self.spad_end - self.spad) // (count * x)))
        row = x * channels
        reach = count * row
        tile_addr = self._address(self.tile, self.tile_end, count * chunk)
        acc_addr = self._address(self.acc, self.acc_end, count * x)
        row_pitch, chunk_pitch, x_pitch = self._pitches(
            (count, chunk, x), self.spad_end - self.spad - config.rows)
        act = (count - 1) * row_pitch + (chunk - 1) * chunk_pitch + (x - 1) * x_pitch + config.rows
        out_addr = self._address(self.spad, self.spad_end, reach)
        self.steps += [
            ("LOAD_WGT", dict(
                count=count, bytes=chunk * tile, host_pitch=chunk * tile, local_pitch=chunk * tile,
                host_addr=self._address(CONSTANTS, PARAMETERS, count * chunk * tile),
                local_addr=tile_addr * tile, each=1)),
            ("MATMUL", dict(
                act_addr=self._address(self.spad, self.spad_end, act), acc_addr=acc_addr,
                wgt_addr=tile_addr, row_count=count, row_pitch=row_pitch, chunk_count=chunk,
                chunk_pitch=chunk_pitch, y_count=1, x_count=x, x_pitch=x_pitch, each=1, apart=1)),
            ("DRAIN", dict(
                out_addr=out_addr, acc_addr=acc_addr, acc_pitch=x, y_count=count, y_pitch=row,
                x_count=x, x_pitch=channels, channels=channels, clamp_min=-128, clamp_max=127,
                channel=config.cols * draw.randint(0, groups - count), each=1, apart=1)),
            ("STORE", dict(
                count=count, bytes=row, host_pitch=row, local_pitch=row, local_addr=out_addr,
                host_addr=self._address(IO, IO + IO_BYTES, reach), each=draw.randrange(2)))]

    def table(self, which=None):
        draw = self.draw
        at = self._address(self.spad, self.spad_end, TABLE_BYTES)
        if which is not None or draw.random() < 0.8:    # otherwise TABLE reads the present bytes
            self.steps.append(("LOAD", dict(
                count=1, bytes=TABLE_BYTES, local_addr=at,
                host_addr=ENTRIES + draw.choice((0, TABLE_BYTES)))))
        self.steps.append(("TABLE", dict(
            table=draw.randrange(2) if which is None else which, table_addr=at,
            multiplier=draw.choice((0, (1 << 31) - 1, draw.randrange(1 << 30, 1 << 31))),
            shift=draw.choice((0, 31, 62, draw.randint(32, 56), draw.randint(44, 56))))))

    def map(self, softmax=False):
        """Append a MAP or SOFTMAX, whose output is disjoint from its operands or in place."""
        draw, lanes = self.draw, self.config.vector_lanes
        size = self._small(min(self.spad_end - self.spad, WORK, 6 * lanes + 40))
        count = self._small(min(WORK // size, 8))

        def rows():
            pitch, = self._pitches([count], self.spad_end - self.spad - size)
            if draw.random() < 0.5 and count * size <= self.spad_end - self.spad:   # dense
                pitch = size
            return self._address(self.spad, self.spad_end, (count - 1) * pitch + size), pitch

        operands = [rows() for _ in range(1 if softmax else 2)]
        out = draw.choice((rows(), draw.choice(operands)))
        if any(self._overlap(out, operand, count, size) for operand in operands) and out[1] < size:
            count = 1
        operands = [out if self._overlap(out, operand, count, size) else operand
                    for operand in operands]
        fields = {"count": count, "bytes": size}
        for which, (addr, pitch) in zip(("out", "a", "b"), (out, *operands)):
            fields |= {f"{which}_addr": addr, f"{which}_pitch": pitch}
        if softmax:
            self.steps.append(("SOFTMAX", fields))
            return
        low, high = sorted((draw.randint(-128, 127), draw.randint(-128, 127)))
        if draw.random() < 0.7:
            low, high = -128, 127
        self.steps.append(("MAP", fields | dict(
            op=draw.choice(list(MapOp)), mode=draw.randrange(Mode.RAW),
            zero_point=draw.randint(-128, 127), clamp_min=low, clamp_max=high)))

    def _overlap(self, one, other, count, size):
        """Return whether rows from two (address, pitch) may overlap."""
        return all(a[0] < b[0] + (count - 1) * b[1] + size for a, b in ((one, other), (other, one)))

    def softmax(self):
        self.map(softmax=True)

    def sync(self):
        self.steps.append((self.draw.choice(("SYNC_LOAD", "SYNC_MATMUL", "SYNC_VECTOR",
                                             "SYNC_STORE")), {}))
