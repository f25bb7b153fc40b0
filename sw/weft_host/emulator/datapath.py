"""What each instruction does, in numpy: the instruction set's meaning, one method each.

Instructions have been validated. Each is carried out at once and whole; that is how a program
that orders its units with tokens sees the hardware.
"""

import collections

import numpy as np

from weft.spec.isa import TABLE_BYTES, MapOp, Mode
from weft.spec.iterations import iterations

from ..numerics.fixed_point import SUM_BITS, reciprocal
from ..numerics.requantize import requantize, to_int8, wrap32
from .host_memory import copy_blocks

__all__ = ["Datapath"]

_EXACT = 1 << 10        # products of two int8 that a float32 sums without rounding: 2^24 / 2^14
_BLOCK = 1 << 22        # elements that one numpy step handles: bounds the memory it needs


class Datapath:
    """On-chip memories and channel parameters, and the instructions that change them.

    Attributes
    ----------
    spad, wgt : uint8 arrays
        Scratchpad and weight buffer, by byte.
    acc : int32 array of (acc_rows, cols)
        Accumulators.
    bias, multiplier, shift : int64 arrays of (param_channels,)
        What PARAMS have read.
    tables : int64 array of (2, 256)
        Tables A and B.
    map_multiplier, map_shift : :class:`int`
        What the last TABLE set.
    counts : :class:`collections.Counter`
        The performance counters that do not depend on time.
    """

    def __init__(self, config, memory):
        self.config = config
        self.memory = memory
        self.counts: collections.Counter[str] = collections.Counter()
        self.clear_memories()
        self.clear_params()

    def clear_memories(self):
        """Zero scratchpad, weight buffer and accumulators."""
        self.spad = np.zeros(self.config.spad_bytes, np.uint8)
        self.wgt = np.zeros(self.config.wgt_bytes, np.uint8)
        self.acc = np.zeros((self.config.acc_rows, self.config.cols), np.int32)

    def clear_params(self):
        """Zero bias, multiplier and shift of all channels, and the tables."""
        self.bias, self.multiplier, self.shift = np.zeros(
            (3, self.config.param_channels), np.int64)
        self.tables = np.zeros((2, 256), np.int64)
        self.map_multiplier = self.map_shift = 0

    def execute(self, instruction, values, mem_base):
        """Carry out one instruction, or one of its rows.

        Raises
        ------
        BusFault
            If host memory answered with an error. The instruction has then written nothing;
            hardware may have written part of what it would have.
        """
        method = getattr(self, "_" + instruction.name.lower(), None)
        if method is not None:              # SYNC_*: tokens only
            method(mem_base, **{key: value for key, value in values.items()
                                if key not in ("opcode", "wait", "signal", "each")})
        self.counts["INSTRUCTIONS"] += 1

    def _copy_in(self, target, mem_base, count, host_addr, host_pitch, local_addr, local_pitch,
                 size):
        start = mem_base + host_addr
        self.memory.check(start, host_pitch, count, size, "read")
        self.counts["BYTES_READ"] += \
            self.memory.beats(start, host_pitch, count, size) * self.config.bus_bytes
        for rows, columns in copy_blocks(count, size):
            target[local_addr + rows * local_pitch + columns] = \
                self.memory.gather(start, host_pitch, rows, columns)

    def _load(self, mem_base, bytes, **copy):
        self._copy_in(self.spad, mem_base, size=bytes, **copy)

    def _load_wgt(self, mem_base, bytes, **copy):
        self._copy_in(self.wgt, mem_base, size=bytes, **copy)

    def _fill(self, mem_base, count, local_addr, local_pitch, bytes, value):
        for rows, columns in copy_blocks(count, bytes):
            self.spad[local_addr + rows * local_pitch + columns] = value

    def _store(self, mem_base, count, host_addr, host_pitch, local_addr, local_pitch, bytes):
        start = mem_base + host_addr
        self.memory.check(start, host_pitch, count, bytes, "write")
        for rows, columns in copy_blocks(count, bytes):
            self.memory.scatter(start, host_pitch, rows, columns,
                                self.spad[local_addr + rows * local_pitch + columns])
        self.counts["BYTES_WRITTEN"] += count * bytes

    def _tiles(self, numbers):
        """Weights of some tiles as (tile, array row, column); the last row lies first."""
        tile = self.config.tile_bytes
        shape = (-1, self.config.rows, self.config.cols)
        return self.wgt.view(np.int8).reshape(-1, tile)[numbers].reshape(shape)[:, ::-1]

    def _filtered(self, starts, positions, x_pitch, tiles, lead):
        """Depthwise passes as (pass, position, column); columns beyond the vectors are 0."""
        lanes = min(self.config.rows, self.config.cols)
        sums = np.zeros((len(starts), positions.shape[1], self.config.cols), np.float32)
        for tap in range(lead + 1):
            vectors = self.spad.view(np.int8)[starts[:, None, None] + positions + tap * x_pitch
                                              + np.arange(lanes)]
            sums[..., :lanes] += vectors.astype(np.float32) * tiles[:, lead - tap, None, :lanes]
        return sums

    def _matmul(self, mem_base, apart, **fields):
        if not apart:
            self._multiply(**fields)
            return
        for row in iterations(self.config, "MATMUL", dict(fields, apart=1, each=1)):
            self._multiply(**{key: row[key] for key in fields})

    def _multiply(self, maximum, accumulate, hold, depthwise, lead, blank, act_addr, acc_addr,
                  wgt_addr, row_count, row_pitch, chunk_count, chunk_pitch, y_count, y_pitch,
                  x_count, x_pitch):
        acts = self.spad.view(np.int8)
        rows, cols = self.config.rows, self.config.cols
        positions = (np.arange(y_count)[:, None] * y_pitch
                     + np.arange(x_count) * x_pitch).reshape(1, -1, 1)
        count = positions.shape[1]
        target = self.acc[acc_addr:acc_addr + count]
        total = target.astype(np.int64) if accumulate else None
        passes = row_count * chunk_count
        self.counts["MAC_BUSY"] += passes * y_count * (x_count + lead)
        step = max(1, min(_EXACT // rows, _BLOCK // (count * rows)))
        for first in range(0, passes, step):
            index = np.arange(first, min(first + step, passes), dtype=np.int64)
            starts = act_addr + index // chunk_count * row_pitch + index % chunk_count * chunk_pitch
            tiles = self._tiles(wgt_addr + (0 * index if hold else index)).astype(np.float32)
            tiles[:, rows - blank:] = 0
            if depthwise:
                parts = self._filtered(starts, positions, x_pitch, tiles, lead)
                part = parts.max(axis=0) if maximum else parts.sum(axis=0)
            else:
                vectors = acts[starts[:, None, None] + positions + np.arange(rows)]
                vectors = vectors.astype(np.float32)
                part = np.matmul(vectors, tiles).max(axis=0) if maximum else \
                    vectors.transpose(1, 0, 2).reshape(count, -1) @ tiles.reshape(-1, cols)
            part = part.astype(np.int64)
            if maximum and total is not None:
                total = np.maximum(total, part)
            else:
                total = part + (0 if total is None else total)
        target[:] = wrap32(total)

    def _params(self, mem_base, per_channel, bias_addr, scale_addr, channels, channel, multiplier,
                shift):
        places = slice(channel, channel + channels)
        self.bias[places] = self.spad[bias_addr:bias_addr + 4 * channels].view("<i4")
        if per_channel:
            raw = self.spad[scale_addr:scale_addr + 8 * channels]
            self.multiplier[places] = raw.view("<u4")[0::2] & 0x7FFFFFFF
            self.shift[places] = raw[4::8] & 0x3F
        else:
            self.multiplier[places] = multiplier
            self.shift[places] = shift

    def _drain(self, mem_base, mode, out_addr, acc_addr, acc_pitch, y_count, y_pitch, x_count,
               x_pitch, channels, zero_point, clamp_min, clamp_max, apart, channel):
        size = channels * (4 if mode == Mode.RAW else 1)
        step = max(1, _BLOCK // (x_count * size))
        for first in range(0, y_count, step):
            y = np.arange(first, min(first + step, y_count), dtype=np.int64)[:, None]
            x = np.arange(x_count)
            lines = self.acc[acc_addr + y * acc_pitch + x][..., :channels]
            place = channel + (self.config.cols * y[..., None] if apart else 0) \
                + np.arange(channels)
            biased = wrap32(lines.astype(np.int64) + self.bias[place])
            if mode == Mode.RAW:
                out = biased.astype("<i4").view(np.uint8).reshape(*biased.shape[:2], size)
            else:
                scaled = requantize(biased, self.multiplier[place], self.shift[place], mode)
                out = to_int8(scaled, zero_point, clamp_min, clamp_max).view(np.uint8)
            self.spad[(out_addr + y * y_pitch + x * x_pitch)[..., None] + np.arange(size)] = out

    def _table(self, mem_base, table, table_addr, multiplier, shift):
        self.tables[table] = self.spad[table_addr:table_addr + TABLE_BYTES].view("<i4")
        self.map_multiplier, self.map_shift = multiplier, shift

    def _look_up(self, table, index):
        """Entries of a table for bytes of the scratchpad."""
        return self.tables[table][self.spad[index] ^ 0x80]

    def _map(self, mem_base, mode, op, out_addr, a_addr, count, out_pitch, a_pitch, bytes,
             zero_point, clamp_min, clamp_max, b_addr, b_pitch):
        for rows, columns in copy_blocks(count, bytes):
            value = self._look_up(0, a_addr + rows * a_pitch + columns)
            if op != MapOp.A:
                other = self._look_up(1, b_addr + rows * b_pitch + columns)
                value = wrap32(value + other) if op == MapOp.ADD else \
                    value.astype(np.int16).astype(np.int64) * other.astype(np.int16)
            scaled = requantize(value, self.map_multiplier, self.map_shift, mode)
            self.spad[out_addr + rows * out_pitch + columns] = \
                to_int8(scaled, zero_point, clamp_min, clamp_max).view(np.uint8)

    def _softmax(self, mem_base, out_addr, a_addr, count, out_pitch, a_pitch, bytes):
        for row in range(count):
            start = a_addr + row * a_pitch
            acts = self.spad[start:start + bytes].view(np.int8).astype(np.int64)
            exps = self.tables[0][acts - acts.max() + 255]
            total = int((exps + (1 << SUM_BITS - 1) >> SUM_BITS).sum()) % (1 << 32)
            multiplier, power = reciprocal(total or 1)
            scaled = requantize(exps, multiplier, min(62, 54 + power), Mode.TFL2)
            start = out_addr + row * out_pitch
            self.spad[start:start + bytes] = to_int8(scaled, -128, -128, 127).view(np.uint8)
