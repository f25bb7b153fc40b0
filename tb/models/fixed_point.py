"""Model of VECTOR with the fixed-point instructions, and random programs for them."""


import numpy as np

from models.vector_unit import VectorModel
from weft.spec.fixed_point_instructions import (
    NUMBER_BYTES,
    RECORD_BYTES,
    ComputeOp,
    InputType,
    OperandType,
    OutputType,
    Reduction,
    Scale,
    SolveOp,
)
from weft.spec.isa import decode, encode
from weft_host.emulator.compute import compute, drain_planes, solve
from weft_host.program.fixed_point_fields import fixed_point_reason

__all__ = ["FixedPointModel", "FixedPointPrograms"]

INT32 = 1 << 31
INPUT_BYTES = {InputType.INT32: 4, InputType.UINT16: 2, InputType.INT8: 1, InputType.INT16: 2}
OUTPUT_BYTES = {OutputType.NONE: 0, OutputType.INT32: 4, OutputType.UINT16: 2, OutputType.INT8: 1,
                OutputType.PLANES: 1, OutputType.INT16: 2}
VECTOR_BYTES = {OperandType.INT32: 4, OperandType.UINT16: 2}
ROW_BYTES = {OperandType.ROW: 4, OperandType.FACTOR: 8}


class FixedPointModel(VectorModel):
    """Model of the memories and parameters of VECTOR, with the emulator's fixed-point part."""

    def execute(self, raw):
        """Execute one instruction of 32 bytes."""
        instruction, f = decode(raw)
        spad = np.frombuffer(self.spad, np.uint8)
        if instruction.name == "COMPUTE":
            compute(spad, f)
        elif instruction.name == "SOLVE":
            solve(spad, f)
        elif instruction.name == "DRAIN_PLANES":
            drain_planes(spad, np.array(self.acc, np.int64), f)
        else:
            super().execute(raw)


class FixedPointPrograms:
    """Random fixed-point instructions, each with operands in memory of its own.

    Parameters
    ----------
    rng : :class:`random.Random`
    config : :class:`weft.spec.config.Config`
    spad : :class:`bytearray`
        Scratchpad, into which the operands are written.
    """

    def __init__(self, rng, config, spad):
        self.rng, self.config, self.spad = rng, config, spad
        self.end = 0

    def number(self, bits=32):
        """Return a signed number, often an extreme one or a small one."""
        most = 1 << bits - 1
        if self.rng.random() < 0.25:
            return self.rng.choice((0, 1, -1, most - 1, -most, -most + 1, 32639, 32640, -32640))
        shift = self.rng.choice((0, 0, self.rng.randrange(bits)))
        return self.rng.randint(-most, most - 1) >> shift

    def shift(self):
        """Return an int32 that is often a useful shift."""
        if self.rng.random() < 0.15:
            return self.rng.choice((INT32 - 1, -INT32, 63, 64, 62, -1, -64, 127, 256, -256))
        return self.rng.randint(-3, 63)

    def block(self, rows, size, write=None):
        """Reserve rows of ``size`` bytes, and return their address and pitch."""
        pitch = size + self.rng.choice((0, 0, self.rng.randint(0, 9)))
        addr = self.end + self.rng.randint(0, 5)
        self.end = addr + (rows - 1) * pitch + size
        assert self.end <= len(self.spad), "the scratchpad is full"
        for row in range(rows if write else 0):
            self.spad[addr + row * pitch:addr + row * pitch + size] = write()
        return addr, pitch if rows > 1 else self.rng.choice((pitch, self.rng.getrandbits(16)))

    def words(self, count, draw):
        """Return ``count`` int32 as bytes."""
        return b"".join((draw() & 0xFFFFFFFF).to_bytes(4, "little") for _ in range(count))

    def compute(self, **fixed):
        """Return a random COMPUTE, with the given fields."""
        rng = self.rng
        while True:
            f = {"op": rng.choice((0, 0, 0, *ComputeOp)), "a_type": rng.choice(tuple(InputType)),
                 "b_type": rng.choice(tuple(OperandType)),
                 "out_type": rng.choice(tuple(OutputType)),
                 "reduce": rng.choice((0, 0, *Reduction)), "row_shift": rng.random() < 0.2,
                 "shift": rng.choice((0, 0, 62, 63, -64, rng.randint(4, 24), rng.randint(-5, 63))),
                 "elements_count": rng.choice((1, 2, 3, rng.randint(1, 40), rng.randint(1, 20)))}
            if f["op"] == ComputeOp.ROTATE:
                f |= {"a_type": 0, "b_type": 1, "out_type": 1}
            if f["reduce"] == Reduction.SQUARES:
                f |= {"op": 0, "b_type": 0, "out_type": 0, "shift": 0}
            f |= fixed
            if not fixed_point_reason(self.config, "COMPUTE", f | {"count": 1}):
                break
        rows, elements = rng.choice((1, 2, rng.randint(1, 5))), f["elements_count"]
        # the sum of both products of ROTATE must not exceed 2^62
        half = f["op"] == ComputeOp.ROTATE
        f["count"] = rows
        size = INPUT_BYTES[f["a_type"]] * elements
        f["a_addr"], f["a_pitch"] = self.block(
            rows, size, lambda: self.words(-(-size // 4), self.number)[:size])
        b_type = f["b_type"]
        if b_type in VECTOR_BYTES:
            b_size = VECTOR_BYTES[b_type] * elements
            f["b_addr"], f["b_pitch"] = self.block(rows, b_size, lambda: self.words(
                -(-b_size // 4), lambda: self.number(31 if half else 32))[:b_size])
        elif b_type in ROW_BYTES:
            f["b_addr"], f["b_pitch"] = self.block(rows, ROW_BYTES[b_type], lambda: (
                self.words(1, self.number) + self.words(1, self.shift))[:ROW_BYTES[b_type]])
        if f["row_shift"]:
            f["row_addr"] = self.block(1, RECORD_BYTES * rows, lambda: b"".join(
                self.words(1, self.shift) + rng.randbytes(12) for _ in range(rows)))[0]
        out_size = OUTPUT_BYTES[f["out_type"]]
        if out_size and f["out_type"] != OutputType.PLANES and rng.random() < 0.3 and (
                out_size == INPUT_BYTES[f["a_type"]]):
            f["out_addr"], f["out_pitch"] = f["a_addr"], f["a_pitch"]
        elif out_size:
            f["out_addr"], f["out_pitch"] = self.block(rows, out_size * elements)
            if f["out_type"] == OutputType.PLANES:
                f["plane_pitch"] = self.end - f["out_addr"] + rng.randint(0, 4)
                self.end += f["plane_pitch"]
        if f["reduce"]:
            f["row_addr"] = self.block(1, RECORD_BYTES * rows)[0]
        return encode("COMPUTE", **f)

    def solve(self, op=None):
        """Return a random SOLVE."""
        rng = self.rng
        op = rng.choice(tuple(SolveOp)) if op is None else op
        rows = rng.randint(1, 3)
        constant = rng.choice((0, 1, (1 << 64) - 1, rng.getrandbits(64) >> rng.randrange(64)))
        if op == SolveOp.MEAN:
            constant = max(1, constant)

        def record():
            value = rng.choice((0, 1, -1, rng.getrandbits(79) >> rng.randrange(79),
                                -rng.getrandbits(48), (1 << rng.randint(0, 79)) - 1))
            if op == SolveOp.MEAN and rng.random() < 0.7:     # the result fits into an int32
                value = self.number() * constant + rng.randrange(constant) - constant // 2
            # the last bytes have no effect
            value = (value % (1 << 8 * NUMBER_BYTES)).to_bytes(NUMBER_BYTES, "little")
            return value + rng.randbytes(RECORD_BYTES - NUMBER_BYTES)

        f = {"op": op, "count": rows, "constant": constant}
        f["a_addr"], f["a_pitch"] = self.block(rows, RECORD_BYTES, record)
        size = 4 if op in (SolveOp.MEAN, SolveOp.EXPONENT) else 8
        f["out_addr"], f["out_pitch"] = self.block(rows, size)
        if op == SolveOp.SCALE:
            f["b_addr"], f["b_pitch"] = self.block(rows, 2)
        return encode("SOLVE", **f)

    def drain_planes(self, **fixed):
        """Return a random DRAIN_PLANES."""
        rng, config = self.rng, self.config
        f = {"scale": rng.choice(tuple(Scale)), "add": rng.randint(0, 1),
             "pre_shift": rng.choice((0, 0, 1, 8, rng.randint(0, 62))),
             "channels": rng.choice((config.cols, rng.randint(1, config.cols))),
             "x_count": rng.randint(1, 4), "y_count": rng.randint(1, 4)} | fixed
        rows = f["y_count"]
        f["exponent"] = f["scale"] == Scale.CHANNELS and rng.randint(0, 1)
        f["shift"] = rng.randint(0 if f["scale"] == Scale.VECTOR else -30, 40)
        room = config.acc_rows - 2 * f["x_count"]
        f["acc_pitch"] = rng.randint(0, room // max(1, rows - 1)) if rows > 1 else 0
        f["acc_addr"] = rng.randint(0, room - (rows - 1) * f["acc_pitch"])
        size = 4 * f["channels"]
        f["x_pitch"] = size + rng.randint(0, 5)
        f["y_pitch"] = f["x_count"] * f["x_pitch"] + rng.randint(0, 5)
        f["out_addr"] = self.block(1, rows * f["y_pitch"], lambda: self.words(
            rows * f["y_pitch"] // 4 + 1, self.number)[:rows * f["y_pitch"]])[0]
        if f["scale"] == Scale.VECTOR:
            f["b_addr"], f["b_pitch"] = self.block(
                rows, 2 * f["channels"], lambda: rng.randbytes(2 * f["channels"]))
        elif f["scale"] == Scale.CHANNELS:
            f["b_addr"], f["b_pitch"] = self.block(
                rows, 8 * f["channels"], lambda: self.words(2 * f["channels"], self.number))
        if f["exponent"]:
            f["row_addr"] = self.block(1, 16 * f["x_count"], lambda: self.words(
                4 * f["x_count"], self.shift))[0]
        assert not fixed_point_reason(config, "DRAIN_PLANES", f)
        return encode("DRAIN_PLANES", **f)
