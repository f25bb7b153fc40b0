"""Random programs: legal ones without races, and ones with a single illegal instruction."""

import random

from support.ordering import with_tokens
from weft.control import isa
from weft.control.isa import TABLE_BYTES, MapOp, Mode
from weft_host.program import Program, Tensor, Window
from weft_host.validate import check_program

__all__ = ["MEMORY_BYTES", "random_program", "illegal_programs"]

MEMORY_BYTES = 1 << 16
_CONSTANTS = 0x2000         # where constants begin; instructions lie before them
_TABLE = 0x2800             # biases, multipliers and shifts, behind the random constants
_ENTRIES = 0x2C00           # two tables
_IO = 0x4000                # one region for input and output, so that every byte of it is checked
_IO_BYTES = 0x1800
_WORK = 600                 # bytes of a copy, or vectors of a MATMUL, at most


class _Generator:
    """Draws instructions that touch only what has been written before.

    All on-chip accesses lie in one part of each memory, which is filled first: at its start, its
    end, across the middle (where a bank ends), or anywhere.
    """

    def __init__(self, config, seed):
        self.config = config
        self.draw = random.Random(f"{seed} {config.fingerprint}")
        self.spad, self.spad_end = self._part(config.spad_bytes, 1536)
        tiles = min(config.wgt_tiles, max(2, 2048 // config.tile_bytes))
        self.tile, self.tile_end = self._part(config.wgt_tiles, tiles)
        self.acc, self.acc_end = self._part(config.acc_rows, 48)
        self.has_tables = self.spad_end - self.spad >= TABLE_BYTES
        self.steps = []

    def _part(self, size, wanted):
        wanted = min(size, wanted)
        room = size - wanted
        start = self.draw.choice((0, room, room // 2, self.draw.randint(0, room)))
        return start, start + wanted

    def _small(self, limit):
        """1 to ``limit``, small values and the limit itself more often."""
        limit = max(1, limit)
        return self.draw.choice((1, min(2, limit), limit, self.draw.randint(1, limit),
                                 self.draw.randint(1, min(limit, 9))))

    def _copy_shape(self, room, other_room):
        """(count, bytes, pitch, pitch) that fit both rooms."""
        draw = self.draw
        size = self._small(min(room, other_room, _WORK))
        count = self._small(min(_WORK // size, 12))
        pitches = []
        for space in (room, other_room):
            limit = (space - size) // (count - 1) if count > 1 else 1 << 20
            count_ok = min(limit, draw.choice((size, size + 1, size + draw.randint(0, 40))))
            pitches.append(count_ok)
        return count, size, *pitches

    def _place(self, low, high, extent):
        return self.draw.choice((low, high - extent, self.draw.randint(low, high - extent)))

    def load(self):
        low, high = self.draw.choice(((_CONSTANTS, _TABLE), (_IO, _IO + _IO_BYTES)))
        self._copy("LOAD", low, high, self.spad, self.spad_end)

    def load_wgt(self):
        tile = self.config.tile_bytes
        self._copy("LOAD_WGT", _CONSTANTS, _TABLE, self.tile * tile, self.tile_end * tile)

    def store(self):
        self._copy("STORE", _IO, _IO + _IO_BYTES, self.spad, self.spad_end)

    def _copy(self, name, host_low, host_high, low, high):
        count, size, host_pitch, local_pitch = self._copy_shape(host_high - host_low, high - low)
        if name == "STORE" and count > 1 and host_pitch < size:
            count = 1       # which row wins would be the bus's choice
        local = self._place(low, high, (count - 1) * local_pitch + size)
        host = self._place(host_low, host_high, (count - 1) * host_pitch + size)
        self.steps.append((name, dict(count=count, bytes=size, host_addr=host, local_addr=local,
                                      host_pitch=host_pitch, local_pitch=local_pitch)))

    def fill(self):
        room = self.spad_end - self.spad
        count, size, pitch, _ = self._copy_shape(room, room)
        self.steps.append(("FILL", dict(
            count=count, bytes=size, local_pitch=pitch, value=self.draw.randrange(256),
            local_addr=self._place(self.spad, self.spad_end, (count - 1) * pitch + size))))

    def _pitches(self, counts, room):
        """A pitch for each count so that all together reach at most ``room`` elements."""
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
        y = 1 if everything else self._small(min(lines, 8))
        x = lines if everything else self._small(lines // y)
        hold = draw.random() < 0.2
        passes = max(1, _WORK // (x * y))
        tiles = self.tile_end - self.tile
        row = self._small(min(passes, 4 if hold else tiles, 8))
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
            accumulate=0 if everything else draw.randrange(2),
            act_addr=self._place(self.spad, self.spad_end, reach),
            acc_addr=self._place(self.acc, self.acc_end, y * x),
            wgt_addr=self._place(self.tile, self.tile_end, used),
            row_count=row, row_pitch=pitches[0], chunk_count=chunk, chunk_pitch=pitches[1],
            y_count=y, y_pitch=pitches[2], x_count=x, x_pitch=pitches[3])))

    def params(self, everything=False):
        draw = self.draw
        cols = min(self.config.cols, (self.spad_end - self.spad) // 12)
        channels = cols if everything else self._small(cols)
        size = 12 * cols
        at = self._place(self.spad, self.spad_end, size)
        if everything or draw.random() < 0.7:   # otherwise whatever bytes lie there
            self.steps.append(("LOAD", dict(count=1, bytes=size, host_addr=_TABLE, local_addr=at)))
        self.steps.append(("PARAMS", dict(
            per_channel=draw.randrange(2), bias_addr=at, scale_addr=at + 4 * cols,
            channels=channels, multiplier=draw.choice((0, 1 << 30, (1 << 31) - 1,
                                                       draw.randrange(1 << 30, 1 << 31))),
            shift=draw.choice((0, 1, 30, 31, 32, 62, draw.randint(33, 48))))))

    def drain(self):
        draw = self.draw
        mode = draw.choice(list(Mode))
        channels = self._small(min(self.config.cols, (self.spad_end - self.spad) // 4))
        size = channels * (4 if mode == Mode.RAW else 1)
        lines = self.acc_end - self.acc
        y = self._small(min(8, lines))
        x = self._small(min(lines, 16))
        acc_pitch = min((lines - x) // max(1, y - 1), draw.choice((0, 1, x, draw.randint(0, 20))))
        room = self.spad_end - self.spad - size
        y_pitch, x_pitch = self._pitches([y, x], room)
        if draw.random() < 0.5 and (y * x - 1) * size <= room:      # dense, as layers do
            y_pitch, x_pitch = x * size, size
        reach = (y - 1) * y_pitch + (x - 1) * x_pitch + size
        low, high = sorted((draw.randint(-128, 127), draw.randint(-128, 127)))
        if draw.random() < 0.7:
            low, high = -128, 127
        self.steps.append(("DRAIN", dict(
            mode=mode, channels=channels, y_count=y, x_count=x, y_pitch=y_pitch, x_pitch=x_pitch,
            acc_pitch=acc_pitch, zero_point=draw.randint(-128, 127), clamp_min=low, clamp_max=high,
            out_addr=self._place(self.spad, self.spad_end, reach),
            acc_addr=self._place(self.acc, self.acc_end, (y - 1) * acc_pitch + x))))

    def table(self, which=None):
        draw = self.draw
        at = self._place(self.spad, self.spad_end, TABLE_BYTES)
        if which is not None or draw.random() < 0.8:    # otherwise whatever bytes lie there
            self.steps.append(("LOAD", dict(
                count=1, bytes=TABLE_BYTES, local_addr=at,
                host_addr=_ENTRIES + draw.choice((0, TABLE_BYTES)))))
        self.steps.append(("TABLE", dict(
            table=draw.randrange(2) if which is None else which, table_addr=at,
            multiplier=draw.choice((0, (1 << 31) - 1, draw.randrange(1 << 30, 1 << 31))),
            shift=draw.choice((0, 31, 62, draw.randint(32, 56), draw.randint(44, 56))))))

    def map(self, softmax=False):
        """The output is apart from the operands, or lies on them exactly."""
        draw, lanes = self.draw, self.config.vector_lanes
        size = self._small(min(self.spad_end - self.spad, _WORK, 6 * lanes + 40))
        count = self._small(min(_WORK // size, 8))

        def place():
            pitch, = self._pitches([count], self.spad_end - self.spad - size)
            if draw.random() < 0.5 and count * size <= self.spad_end - self.spad:   # dense
                pitch = size
            return self._place(self.spad, self.spad_end, (count - 1) * pitch + size), pitch

        operands = [place() for _ in range(1 if softmax else 2)]
        out = draw.choice((place(), draw.choice(operands)))
        if any(self._meet(out, operand, count, size) for operand in operands) and out[1] < size:
            count = 1
        operands = [out if self._meet(out, operand, count, size) else operand
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

    def _meet(self, one, other, count, size):
        """Whether rows from (address, pitch) may have bytes in common."""
        return all(a[0] < b[0] + (count - 1) * b[1] + size for a, b in ((one, other), (other, one)))

    def softmax(self):
        self.map(softmax=True)

    def sync(self):
        self.steps.append((self.draw.choice(("SYNC_LOAD", "SYNC_MATMUL", "SYNC_VECTOR",
                                             "SYNC_STORE")), {}))

    def prologue(self):
        """Write everything that the program may read."""
        for name, low, high in (("LOAD", self.spad, self.spad_end),
                                ("LOAD_WGT", self.tile * self.config.tile_bytes,
                                 self.tile_end * self.config.tile_bytes)):
            while low < high:
                size = min(high - low, _TABLE - _CONSTANTS)
                self.steps.append((name, dict(count=1, bytes=size, host_addr=_CONSTANTS,
                                              local_addr=low)))
                low += size
        self.matmul(everything=True)
        self.params(everything=True)
        if self.has_tables:
            self.table(0)
            self.table(1)

    def epilogue(self):
        """Make the state of the accumulators visible, as much of it as fits."""
        at = self.spad
        cols = min(self.config.cols, (self.spad_end - at) // 4)
        fits = max(1, min(self.acc_end - self.acc, (self.spad_end - at) // (4 * cols), 16))
        self.steps.append(("DRAIN", dict(
            mode=Mode.RAW, channels=cols, y_count=1, x_count=fits, x_pitch=4 * cols,
            out_addr=at, acc_addr=self.acc)))
        self.steps.append(("STORE", dict(
            count=1, bytes=self.spad_end - self.spad, host_addr=_IO, local_addr=self.spad)))

    def constants(self):
        """Random bytes with many extremes, then biases, scales and tables for useful outputs."""
        draw = self.draw
        raw = bytearray(draw.choice((0x80, 0x7F, 0x00, 0xFF)) if draw.random() < 0.1
                        else draw.randrange(256) for _ in range(_TABLE - _CONSTANTS))
        for _ in range(self.config.cols):
            raw += draw.randint(-5000, 5000).to_bytes(4, "little", signed=True)
        for _ in range(self.config.cols):
            raw += draw.randrange(1 << 32).to_bytes(4, "little")
            raw += bytes([draw.choice((30, 31, 32, draw.randint(33, 48))) | draw.randrange(4) << 6])
            raw += draw.randbytes(3)
        raw += bytes(_ENTRIES - _CONSTANTS - len(raw))
        decay = draw.uniform(0.01, 0.5)         # an exponential, then the operand of a sum
        raw += b"".join(round((2 ** 31 - 1) * 2.0 ** (decay * (entry - 255))).to_bytes(4, "little")
                        for entry in range(256))
        slope, zero = draw.randrange(1 << 22), draw.randint(-128, 127)
        raw += b"".join(((entry - zero) * slope).to_bytes(4, "little", signed=True)
                        for entry in range(-128, 128))
        return bytes(raw)

    def program(self, instructions):
        """The program of the given instructions."""
        constants = self.constants()
        region = dict(offset=_IO, shape=(_IO_BYTES,), dtype="int8")
        return Program(
            config=self.config, instructions=instructions, memory_bytes=MEMORY_BYTES,
            image=((_CONSTANTS, constants),),
            inputs=(Tensor(name="before", **region),), outputs=(Tensor(name="after", **region),),
            windows=(Window(0, _CONSTANTS + len(constants)),
                     Window(_IO, _IO_BYTES, True, True)))


def random_program(config, seed, length=None):
    """A program whose result does not depend on timing; the same for the same arguments.

    It needs ``MEMORY_BYTES`` of memory. Its only input ``before`` and its only output ``after`` are
    the same bytes of memory, so that bytes that are not written are checked, too. What the device
    held before does not matter.

    Parameters
    ----------
    config : :class:`weft.config.Config`
    seed : :class:`int`
    length : :class:`int`
        Random instructions between those that define all state and those that show it.
    """
    generator = _Generator(config, seed)
    generator.prologue()
    draw = generator.draw
    kinds = (generator.load, generator.load_wgt, generator.store, generator.fill, generator.matmul,
             generator.matmul, generator.params, generator.drain, generator.drain, generator.sync)
    if generator.has_tables:
        kinds += (generator.table, generator.map, generator.map, generator.softmax)
    for _ in range(draw.randint(5, 40) if length is None else length):
        draw.choice(kinds)()
    generator.epilogue()
    return generator.program(with_tokens(config, generator.steps, MEMORY_BYTES))


def _mutations(draw, raw):
    """Variants of an instruction, each with one field or one unnamed bit changed."""
    instruction, _ = isa.decode(raw)
    word = int.from_bytes(raw, "little")
    for field in instruction.fields:
        mask = (1 << field.width) - 1
        for value in {0, mask, mask >> 1, draw.randint(0, mask), draw.randint(0, mask)}:
            yield word & ~(mask << field.offset) | value << field.offset
    reserved = [bit for bit in range(256) if instruction.reserved_mask >> bit & 1]
    for bit in draw.sample(reserved, min(4, len(reserved))):
        yield word ^ 1 << bit


def illegal_programs(config, seed):
    """Programs with one instruction that must be refused, every field of every one in turn.

    Before it comes a STORE that must happen, after it a STORE that must not. Tokens of the
    refused instruction do not matter.
    """
    generator = _Generator(config, seed)
    draw = generator.draw
    kinds = ("load", "load_wgt", "fill", "matmul", "params", "drain", "store")
    for kind in (*kinds, *(("table", "map", "softmax") if generator.has_tables else ())):
        getattr(generator, kind)()
    legal = [isa.encode(name, **values) for name, values in generator.steps]
    legal += [isa.encode(f"SYNC_{unit}") for unit in isa.UNITS]
    size = min(64, config.spad_bytes // 2)
    before = [
        isa.encode("LOAD", count=1, bytes=size, host_addr=_CONSTANTS + 3, local_addr=1,
                   signal=1 << isa.UNITS.index("STORE")),
        isa.encode("STORE", count=1, bytes=size, host_addr=_IO + 5, local_addr=1,
                   wait=1 << isa.UNITS.index("LOAD")),
    ]
    after = [isa.encode("STORE", count=1, bytes=size, host_addr=_IO + 200, local_addr=1)]
    for raw in legal:
        for word in _mutations(draw, raw):
            bad = word.to_bytes(isa.INSTRUCTION_BYTES, "little")
            program = generator.program(b"".join((*before, bad, *after)))
            if check_program(program):
                yield program
