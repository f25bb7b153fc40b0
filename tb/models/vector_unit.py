"""Model of VECTOR's instructions in Python integers, and random programs for VECTOR."""

import random

import numpy as np

from golden.softmax import get_reciprocal
from weft.spec.isa import TABLE_BYTES, Mode, decode, encode

__all__ = ["VectorModel", "quotient", "random_program", "requantize", "softmax_scale"]


def divide_up(p, s):
    """Return ``p / 2**s``, halves towards plus infinity."""
    return p if s == 0 else (p + (1 << s - 1)) >> s


def divide_away(p, s):
    """Return ``p / 2**s``, halves away from zero."""
    return divide_up(p, s) if p >= 0 else -divide_up(-p, s)


def quotient(a, multiplier, shift, mode):
    """Return the result of a rounding law before the zero point, at full width."""
    p = a * multiplier
    if mode == Mode.AWAY:
        return divide_away(p, shift)
    if mode == Mode.TFL1 or shift < 31:
        return divide_up(p, shift)
    h = divide_up(p, 31)
    t = shift - 31
    return h if t == 0 else (h + (1 << t - 1) - (h < 0)) >> t


def requantize(a, multiplier, shift, mode, zero_point, low, high):
    """Return the int8 that DRAIN writes."""
    return min(max(quotient(a, multiplier, shift, mode) + zero_point, low), high)


def int32(value):
    """Return ``value`` modulo 2^32 as a signed number."""
    return (value + (1 << 31)) % (1 << 32) - (1 << 31)


def softmax_scale(total):
    """Return (multiplier, shift) of a row whose terms add up to ``total`` modulo 2^32."""
    multiplier, bits_over_unit = get_reciprocal(np.array([total or 1]))
    return int(multiplier[0]), min(62, 54 + int(bits_over_unit[0]))


class VectorModel:
    """Model of the memories and parameters of VECTOR.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
    seed : seed of the random contents.

    Attributes
    ----------
    spad : :class:`bytearray`
    acc : list of ``acc_rows`` lists of ``cols`` int32
    params : list of ``(bias, multiplier, shift)``, one per slot; ``None`` if not loaded
    tables : the int32 entries of tables A and B; ``None`` if not loaded
    map_scale : ``(multiplier, shift)`` of MAP
    """

    def __init__(self, config, seed):
        rng = random.Random(f"memories/{seed}")
        self.config = config
        self.spad = bytearray(rng.randbytes(config.spad_bytes))
        self.acc = [[self._accumulator(rng) for _ in range(config.cols)]
                    for _ in range(config.acc_rows)]
        self.params = [None] * config.param_channels
        self.tables = [None, None]
        self.map_scale = None

    def clear(self):
        """Zero parameters and tables."""
        self.params = [(0, 0, 0)] * self.config.param_channels
        self.tables = [[0] * 256, [0] * 256]
        self.map_scale = 0, 0

    def _accumulator(self, rng):
        if rng.random() < 0.2:
            return rng.choice((0, 1, -1, 127, -128, (1 << 31) - 1, -(1 << 31)))
        return rng.randint(-(1 << 31), (1 << 31) - 1) >> rng.randint(0, 31)

    def _word(self, addr):
        return int.from_bytes(self.spad[addr:addr + 4], "little")

    def execute(self, raw):
        """Execute one instruction of 32 bytes."""
        instruction, f = decode(raw)
        if instruction.name == "PARAMS":
            for c in range(f["channels"]):
                multiplier, shift = f["multiplier"], f["shift"]
                if f["per_channel"]:
                    multiplier = self._word(f["scale_addr"] + 8 * c) & 0x7FFFFFFF
                    shift = self._word(f["scale_addr"] + 8 * c + 4) & 0x3F
                self.params[f["channel"] + c] = (int32(self._word(f["bias_addr"] + 4 * c)),
                                                 multiplier, shift)
        if instruction.name == "TABLE":
            self.tables[f["table"]] = [int32(self._word(f["table_addr"] + 4 * i))
                                       for i in range(256)]
            self.map_scale = f["multiplier"], f["shift"]
        if instruction.name == "MAP":
            for row in range(f["count"]):
                self._map(f, *(f[f"{which}_addr"] + row * f[f"{which}_pitch"]
                               for which in ("a", "b", "out")))
        if instruction.name == "SOFTMAX":
            for row in range(f["count"]):
                self._softmax(f["bytes"], f["a_addr"] + row * f["a_pitch"],
                              f["out_addr"] + row * f["out_pitch"])
        if instruction.name == "DRAIN":
            for y in range(f["y_count"]):
                for x in range(f["x_count"]):
                    self._drain(f, f["channel"] + f["apart"] * y * self.config.cols,
                                f["acc_addr"] + y * f["acc_pitch"] + x,
                                f["out_addr"] + y * f["y_pitch"] + x * f["x_pitch"])

    def _drain(self, f, slot, row, addr):
        for c in range(f["channels"]):
            bias, multiplier, shift = self.params[slot + c]
            a = int32(self.acc[row][c] + bias)
            if f["mode"] == Mode.RAW:
                self.spad[addr + 4 * c:addr + 4 * c + 4] = a.to_bytes(4, "little", signed=True)
            else:
                self.spad[addr + c] = 0xFF & requantize(
                    a, multiplier, shift, f["mode"], f["zero_point"], f["clamp_min"],
                    f["clamp_max"])

    def _byte(self, addr):
        return (self.spad[addr] ^ 0x80) - 128

    def _map(self, f, a_addr, b_addr, out_addr):
        for i in range(f["bytes"]):
            value = self.tables[0][self._byte(a_addr + i) + 128]
            if f["op"]:
                other = self.tables[1][self._byte(b_addr + i) + 128]
                low, other_low = ((v + (1 << 15)) % (1 << 16) - (1 << 15) for v in (value, other))
                value = int32(value + other) if f["op"] == 1 else low * other_low
            self.spad[out_addr + i] = 0xFF & requantize(
                value, *self.map_scale, f["mode"], f["zero_point"], f["clamp_min"], f["clamp_max"])

    def _softmax(self, size, a_addr, out_addr):
        row = [self._byte(a_addr + i) for i in range(size)]
        exps = [self.tables[0][x - max(row) + 255] for x in row]
        scale = softmax_scale(sum(e + (1 << 11) >> 12 for e in exps) % (1 << 32))
        for i, e in enumerate(exps):
            self.spad[out_addr + i] = 0xFF & requantize(e, *scale, Mode.TFL2, -128, -128, 127)


def random_program(rng, config, count, *, max_positions=12):
    """Return ``count`` valid instructions; the first ones load all parameters and tables."""
    program = [random_params(rng, config, channels=config.param_channels)]
    tables = config.spad_bytes >= TABLE_BYTES
    if tables:
        program += [random_table(rng, config, table) for table in (0, 1)]
    while len(program) < count:
        kind = rng.random()
        if kind < 0.1:
            program.append(encode("SYNC_VECTOR"))
        elif kind < 0.25:
            program.append(random_params(rng, config))
        elif kind < 0.6 or not tables:
            program.append(random_drain(rng, config, max_positions))
        elif kind < 0.63:
            program.append(random_table(rng, config, rng.randint(0, 1)))
        elif kind < 0.88:
            program.append(random_map(rng, config))
        else:
            program.append(random_map(rng, config, softmax=True))
    return program


def random_table(rng, config, table):
    """Return a TABLE of arbitrary bytes of the scratchpad."""
    return encode("TABLE", table=table, table_addr=rng.randint(0, config.spad_bytes - TABLE_BYTES),
                  multiplier=rng.choice((0, (1 << 31) - 1, rng.getrandbits(31))),
                  shift=rng.choice((0, 31, 62, rng.randint(24, 62), rng.randint(36, 58))))


def random_map(rng, config, *, softmax=False):
    """Return a MAP or a SOFTMAX whose operands are disjoint from the output or equal to it."""
    lanes = config.vector_lanes
    size = rng.choice((1, lanes, lanes + 1, 3 * lanes - 1, rng.randint(1, 40)))
    count = rng.choice((1, 1, rng.randint(2, 6)))

    def rows():
        pitch = rng.choice((0, 1, size, size + 1, size + rng.randint(0, 20)))
        room = config.spad_bytes - (count - 1) * pitch - size
        return rng.choice((0, room, rng.randint(0, room))), pitch

    def overlap(one, other):
        return all(x[0] < y[0] + (count - 1) * y[1] + size for x, y in ((one, other), (other, one)))

    operands = [rows() for _ in range(1 if softmax else 2)]
    out = rng.choice((rows(), rng.choice(operands)))
    if any(overlap(out, operand) for operand in operands) and out[1] < size:
        count = 1
    operands = [out if overlap(out, operand) else operand for operand in operands]
    # unused pitches are random
    fields = {"count": count, "bytes": size}
    for which, (addr, pitch) in zip(("out", "a", "b"), (out, *operands)):
        fields |= {f"{which}_addr": addr,
                   f"{which}_pitch": pitch if count > 1 else rng.getrandbits(24)}
    if softmax:
        return encode("SOFTMAX", **fields)
    low, high = sorted((rng.randint(-128, 127), rng.randint(-128, 127)))
    low, high = rng.choice(((-128, 127), (-128, 127), (low, high)))
    return encode("MAP", op=rng.randint(0, 2), mode=rng.randint(0, 2),
                  zero_point=rng.choice((0, rng.randint(-128, 127))), clamp_min=low,
                  clamp_max=high, **fields)


def random_params(rng, config, channels=None):
    """Return a PARAMS of arbitrary bytes of the scratchpad.

    With ``channels`` it loads the first slots, otherwise random ones.
    """
    channel = 0
    if not channels:
        channel = rng.randrange(config.param_channels // config.cols) * config.cols
        channels = rng.choice((1, config.cols, rng.randint(1, config.cols),
                               rng.randint(1, config.param_channels - channel)))
    per_channel = rng.randint(0, 1)
    return encode(
        "PARAMS", per_channel=per_channel, channels=channels, channel=channel,
        bias_addr=rng.randint(0, config.spad_bytes - 4 * channels),
        scale_addr=rng.randint(0, config.spad_bytes - 8 * channels) if per_channel else
        rng.getrandbits(24),
        multiplier=rng.choice((0, (1 << 31) - 1, rng.getrandbits(31), rng.getrandbits(31))),
        shift=rng.choice((0, 31, 32, 62, rng.randint(0, 62), rng.randint(24, 45))))


def random_drain(rng, config, max_positions):
    """Return a DRAIN whose accumulator rows and outputs may overlap."""
    mode = rng.choice((0, 0, 1, 2, 3))
    channels = rng.choice((1, config.cols, config.cols, rng.randint(1, config.cols)))
    x_count = rng.randint(1, min(max_positions, config.acc_rows))
    y_count = rng.choice((1, rng.randint(1, 4)))
    groups = config.param_channels // config.cols
    group, apart = rng.randrange(groups), rng.randint(0, 1)
    if apart:
        y_count = rng.randint(1, min(groups - group, 6))
    acc_room = config.acc_rows - x_count
    acc_pitch = rng.choice((0, x_count, rng.randint(0, acc_room)))
    acc_pitch = min(acc_pitch, acc_room // max(y_count - 1, 1))
    size = channels * (4 if mode == Mode.RAW else 1)
    room = config.spad_bytes - size
    x_pitch = min(rng.choice((0, 1, size, size + rng.randint(0, 9))), room // max(x_count - 1, 1))
    room -= (x_count - 1) * x_pitch
    y_pitch = min(rng.choice((0, 1, x_count * x_pitch, rng.randint(0, room))),
                  room // max(y_count - 1, 1))
    room -= (y_count - 1) * y_pitch
    low, high = sorted((rng.randint(-128, 127), rng.randint(-128, 127)))
    low, high = rng.choice(((-128, 127), (-128, 127), (low, high), (low, low)))
    return encode(
        "DRAIN", mode=mode, channels=channels, x_count=x_count, y_count=y_count,
        channel=group * config.cols, apart=apart,
        acc_addr=rng.choice((0, rng.randint(0, acc_room - (y_count - 1) * acc_pitch))),
        # unused pitches are random
        acc_pitch=acc_pitch if y_count > 1 else rng.getrandbits(16),
        x_pitch=x_pitch if x_count > 1 else rng.getrandbits(24),
        y_pitch=y_pitch if y_count > 1 else rng.getrandbits(24),
        out_addr=rng.choice((room, rng.randint(0, room))),
        zero_point=rng.choice((-128, 127, 0, rng.randint(-128, 127))),
        clamp_min=low, clamp_max=high)
