"""The instruction set as one table: encoder, decoder, disassembler, checker and docs read it.

An instruction is 32 bytes, little-endian; bit *n* of the table is bit *n* % 8 of byte *n* // 8.
Bits that an instruction does not name are reserved and must be zero.
"""

import dataclasses
import enum

from .config import UNITS

__all__ = ["INSTRUCTION_BYTES", "ISA_VERSION", "TABLE_BYTES", "UNITS", "ErrorCode", "Field",
           "Instruction", "INSTRUCTIONS", "BY_OPCODE", "BY_NAME", "SEQUENCER", "MapOp", "Mode",
           "encode", "decode"]

INSTRUCTION_BYTES = 32
ISA_VERSION = 3
TABLE_BYTES = 1024
"""What TABLE reads: an int32 for each value of a byte."""
SEQUENCER = len(UNITS)
"""What the error record names as the unit of an error that fetching met."""


class Mode(enum.IntEnum):
    """How DRAIN and MAP turn a value into an output; see the numerics page. MAP has no RAW."""

    TFL2 = 0        # double rounding, TensorFlow Lite's default
    TFL1 = 1        # single rounding
    AWAY = 2        # half away from zero, for average pooling
    RAW = 3         # accumulator plus bias as int32, little-endian


class MapOp(enum.IntEnum):
    """What MAP makes of the table entries of its operands."""

    A = 0           # table A's alone
    ADD = 1         # their sum modulo 2^32
    MULTIPLY = 2    # the product of their low 16 bits


class ErrorCode(enum.IntEnum):
    """What the error record holds in ``code``.

    ``doc`` says what it means, ``where`` what the record's address is.
    """

    def __new__(cls, value, doc, where):
        code = int.__new__(cls, value)
        code._value_ = value
        code.doc = doc
        code.where = where
        return code

    NONE = 0, "no error", "0"
    ILLEGAL_OPCODE = 1, "no such instruction", "host address of the instruction"
    RESERVED_BITS = (2, "a reserved bit is set, or a unit names itself in wait or signal",
                     "host address of the instruction")
    BAD_FIELD = (3, "a count of zero, or a value outside its range",
                 "host address of the instruction")
    SPAD_BOUNDS = 4, "reaches past the scratchpad", "the address field of the instruction"
    WGT_BOUNDS = (5, "reaches past the weight buffer",
                  "the address field of the instruction: bytes for LOAD_WGT, tiles for MATMUL")
    ACC_BOUNDS = 6, "reaches past the accumulators", "acc_addr"
    HOST_WINDOW = (7, "reaches outside every window with the needed permission",
                   "MEM_BASE + host_addr, or the host address of the instruction in fetching")
    BUS_SLVERR = 8, "host memory answered SLVERR", "host address of the beat or burst"
    BUS_DECERR = 9, "host memory answered DECERR", "host address of the beat or burst"
    WATCHDOG = 10, "nothing moved for WATCHDOG cycles", "0"
    TOKEN_OVERFLOW = 11, "more than 255 tokens of one kind were waiting", "0"


@dataclasses.dataclass(frozen=True)
class Field:
    """Bits ``offset`` to ``offset + width - 1`` of an instruction."""

    name: str
    offset: int
    width: int
    doc: str
    signed: bool = False


@dataclasses.dataclass(frozen=True)
class Instruction:
    """One instruction: its opcode, the unit that executes it, its fields and what it does."""

    name: str
    opcode: int
    unit: int
    doc: str
    fields: tuple

    def field(self, name):
        """The field called ``name``."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(f"{self.name} has no field {name!r}")

    @property
    def reserved_mask(self):
        """The bits, as one 256-bit integer, that must be zero."""
        used = (1 << 8 * INSTRUCTION_BYTES) - 1
        for field in self.fields:
            used &= ~(((1 << field.width) - 1) << field.offset)
        # a unit neither waits for itself nor signals itself
        return used | 1 << self.field("wait").offset + self.unit \
            | 1 << self.field("signal").offset + self.unit


_LOAD, _MATMUL, _VECTOR, _STORE = range(4)


def _each(row):
    return Field("each", 248, 1, f"take the tokens of wait and give those of signal for every "
                                 f"{row}, as if each were an instruction of its own")


_HEADER = (
    Field("opcode", 0, 8, "which instruction"),
    Field("wait", 8, 4, "units whose token this takes before it starts: bit 0 LOAD, 1 MATMUL, "
                        "2 VECTOR, 3 STORE"),
    Field("signal", 12, 4, "units that get a token when this is done"),
)


def _copy(local):
    return _HEADER + (
        Field("count", 16, 16, "rows of the copy, at least 1"),
        Field("host_addr", 32, 32, "byte address in host memory of the first row, relative to "
                                   "MEM_BASE"),
        Field("host_pitch", 64, 32, "bytes from one row to the next in host memory"),
        Field("local_addr", 96, 24, f"byte address in the {local} of the first row"),
        Field("local_pitch", 128, 24, f"bytes from one row to the next in the {local}"),
        Field("bytes", 160, 24, "bytes of a row, at least 1"),
        _each("row"),
    )


INSTRUCTIONS = (
    Instruction("LOAD", 0x10, _LOAD, "Copies from host memory into the scratchpad.",
                _copy("scratchpad")),
    Instruction("LOAD_WGT", 0x11, _LOAD, "Copies from host memory into the weight buffer.",
                _copy("weight buffer")),
    Instruction("FILL", 0x12, _LOAD, "Writes one value all over a region of the scratchpad.",
                _HEADER + (
        Field("count", 16, 16, "rows of the region, at least 1"),
        Field("local_addr", 96, 24, "byte address in the scratchpad of the first row"),
        Field("local_pitch", 128, 24, "bytes from one row to the next"),
        Field("bytes", 160, 24, "bytes of a row, at least 1"),
        Field("value", 184, 8, "the byte to write"),
    )),
    Instruction("MATMUL", 0x20, _MATMUL,
                "For each kernel row r and chunk c, one pass: the tile wgt_addr + r * chunk_count "
                "+ c is multiplied with the vectors at act_addr + r * row_pitch + c * chunk_pitch "
                "+ y * y_pitch + x * x_pitch, and position y * x_count + x of the result goes to "
                "accumulator row acc_addr + y * x_count + x. With depthwise set, column k of the "
                "result is instead the sum over taps j from 0 to lead of line rows - 1 - lead + j "
                "of the tile in column k, times byte k of the vector at position x + j. With apart "
                "set, kernel row r goes to accumulator rows acc_addr + r * x_count + x, and its "
                "first pass is like that of an instruction.",
                _HEADER + (
        Field("maximum", 16, 1, "combine passes by maximum instead of sum"),
        Field("accumulate", 17, 1, "combine the first pass, too, with what the accumulators hold; "
                                   "otherwise it overwrites them"),
        Field("hold", 18, 1, "use the tile wgt_addr in every pass"),
        Field("depthwise", 19, 1, "each column filters its own byte of the vectors along x"),
        Field("lead", 20, 6, "taps of a pass less one: below the array's rows, and 0 unless "
                             "depthwise is set"),
        Field("apart", 26, 1, "each kernel row has accumulators of its own; y_count is 1"),
        Field("act_addr", 32, 24, "byte address in the scratchpad of the first vector"),
        Field("acc_addr", 56, 16, "first accumulator row"),
        Field("wgt_addr", 72, 16, "first tile, in tiles"),
        Field("row_count", 88, 16, "kernel rows, at least 1"),
        Field("row_pitch", 104, 24, "bytes from one kernel row to the next"),
        Field("chunk_count", 128, 16, "chunks in a kernel row, at least 1"),
        Field("chunk_pitch", 144, 24, "bytes from one chunk to the next"),
        Field("y_count", 168, 16, "rows of positions, at least 1"),
        Field("y_pitch", 184, 24, "bytes from one row of positions to the next"),
        Field("x_count", 208, 16, "positions in a row, at least 1"),
        Field("x_pitch", 224, 24, "bytes from one position to the next"),
        _each("kernel row"),
        Field("blank", 249, 6, "lines at the beginning of a tile in whose place zeros are taken: "
                               "below the array's rows, and 0 if depthwise is set"),
    )),
    Instruction("PARAMS", 0x30, _VECTOR,
                "Reads bias, multiplier and shift of channels of the DRAINs that follow into the "
                "places from channel on, of which there are param_channels. Bias is one int32 a "
                "channel at bias_addr. With per_channel set, eight bytes a channel at scale_addr "
                "hold the multiplier (u32, bit 31 ignored) and the shift (u8, bits 6 and 7 "
                "ignored; then three bytes ignored); otherwise every channel takes the multiplier "
                "and shift of the instruction.", _HEADER + (
        Field("per_channel", 16, 1, "multiplier and shift come from scale_addr"),
        Field("bias_addr", 32, 24, "byte address in the scratchpad of the biases"),
        Field("scale_addr", 56, 24, "byte address in the scratchpad of multipliers and shifts"),
        Field("channels", 80, 8, "channels to read, 1 to param_channels - channel"),
        Field("channel", 88, 8, "place of the first, a multiple of cols below param_channels"),
        Field("multiplier", 96, 32, "multiplier of all channels, below 2^31"),
        Field("shift", 128, 6, "shift of all channels, 0 to 62"),
    )),
    Instruction("DRAIN", 0x31, _VECTOR,
                "For each position, takes accumulator row acc_addr + y * acc_pitch + x, adds the "
                "biases, requantises, adds zero_point, clamps, and writes channels bytes to "
                "out_addr + y * y_pitch + x * x_pitch in the scratchpad. In mode RAW it writes "
                "accumulator plus bias as channels int32 instead. Parameters are those of the "
                "places from channel on; with apart set, from channel + y * cols on.", _HEADER + (
        Field("mode", 16, 2, "0 TFL2, 1 TFL1, 2 AWAY, 3 RAW"),
        Field("apart", 18, 1, "each row of positions has parameters of its own"),
        Field("out_addr", 32, 24, "byte address in the scratchpad of the first output"),
        Field("acc_addr", 56, 16, "first accumulator row"),
        Field("acc_pitch", 72, 16, "accumulator rows from one row of positions to the next"),
        Field("y_count", 88, 16, "rows of positions, at least 1"),
        Field("y_pitch", 104, 24, "bytes from one row of outputs to the next"),
        Field("x_count", 128, 16, "positions in a row, at least 1"),
        Field("x_pitch", 144, 24, "bytes from one output to the next"),
        Field("channels", 168, 8, "channels to write, 1 to cols"),
        Field("zero_point", 176, 8, "zero point of the output", signed=True),
        Field("clamp_min", 184, 8, "least output", signed=True),
        Field("clamp_max", 192, 8, "greatest output, at least clamp_min", signed=True),
        Field("channel", 200, 8, "place of the first channel's parameters, a multiple of cols; all "
                                 "are below param_channels"),
        _each("row of positions"),
    )),
    Instruction("TABLE", 0x32, _VECTOR,
                "Reads table A or B for the MAPs and SOFTMAXes that follow: 256 int32, the first "
                "for byte -128, the last for byte 127. The multiplier and shift are those of the "
                "MAPs that follow; PARAMS and DRAIN neither change nor use them.", _HEADER + (
        Field("table", 16, 1, "0 table A, 1 table B"),
        Field("table_addr", 32, 24, "byte address in the scratchpad of the 1024 bytes"),
        Field("multiplier", 96, 32, "multiplier of MAPs, below 2^31"),
        Field("shift", 128, 6, "shift of MAPs, 0 to 62"),
    )),
    Instruction("MAP", 0x33, _VECTOR,
                "For each byte i of each row r, takes the entries A[a] and B[b] for the bytes at "
                "a_addr + r * a_pitch + i and b_addr + r * b_pitch + i, makes an int32 of them by "
                "op, requantises it with TABLE's multiplier and shift, adds zero_point, clamps, "
                "and writes a byte to out_addr + r * out_pitch + i. Bytes of the output that are "
                "an operand's, too, must be the same ones: address and pitch alike, and rows apart "
                "(or one row). Op 2 multiplies the low 16 bits of either entry, as signed numbers.",
                _HEADER + (
        Field("mode", 16, 2, "0 TFL2, 1 TFL1, 2 AWAY; 3 is refused"),
        Field("op", 18, 2, "0 A[a], 1 A[a] + B[b] modulo 2^32, 2 A[a] * B[b]; 3 is refused"),
        Field("out_addr", 32, 24, "byte address in the scratchpad of the first row of the output"),
        Field("a_addr", 56, 24, "byte address in the scratchpad of the first row of operand a"),
        Field("count", 88, 16, "rows, at least 1"),
        Field("out_pitch", 104, 24, "bytes from one row of the output to the next"),
        Field("a_pitch", 128, 24, "bytes from one row of operand a to the next; 0 repeats a row"),
        Field("bytes", 152, 24, "bytes of a row, at least 1"),
        Field("zero_point", 176, 8, "zero point of the output", signed=True),
        Field("clamp_min", 184, 8, "least output", signed=True),
        Field("clamp_max", 192, 8, "greatest output, at least clamp_min", signed=True),
        Field("b_addr", 200, 24, "byte address of the first row of operand b; op 0 has none"),
        Field("b_pitch", 224, 24, "bytes from one row of operand b to the next"),
    )),
    Instruction("SOFTMAX", 0x34, _VECTOR,
                "For each row, with max its greatest byte and e = A[x - max + 127] for each byte "
                "x: S is the sum of (e + 2^11) >> 12, modulo 2^32, and 1 if that is 0; m is the "
                "reciprocal of S * 2^clz(S) as the reference kernel of SOFTMAX takes it, by three "
                "Newton steps; the output is e requantised with m and shift 66 - clz(S), at most "
                "62, in mode TFL2, minus 128, clamped to a byte. (S of 2^28 and more, where that "
                "limit acts, is more than the kernel takes.) The output may be the operand, "
                "address and pitch alike and rows apart; otherwise they must not overlap. TABLE's "
                "multiplier and shift keep their values.", _HEADER + (
        Field("out_addr", 32, 24, "byte address in the scratchpad of the first row of the output"),
        Field("a_addr", 56, 24, "byte address in the scratchpad of the first row of the operand"),
        Field("count", 88, 16, "rows, at least 1"),
        Field("out_pitch", 104, 24, "bytes from one row of the output to the next"),
        Field("a_pitch", 128, 24, "bytes from one row of the operand to the next"),
        Field("bytes", 152, 24, "bytes of a row, at least 1"),
    )),
    Instruction("STORE", 0x40, _STORE, "Copies from the scratchpad into host memory.",
                _copy("scratchpad")),
    Instruction("SYNC_LOAD", 0x1F, _LOAD, "Takes and gives tokens only.", _HEADER),
    Instruction("SYNC_MATMUL", 0x2F, _MATMUL, "Takes and gives tokens only.", _HEADER),
    Instruction("SYNC_VECTOR", 0x3F, _VECTOR, "Takes and gives tokens only.", _HEADER),
    Instruction("SYNC_STORE", 0x4F, _STORE, "Takes and gives tokens only.", _HEADER),
)

BY_OPCODE = {instruction.opcode: instruction for instruction in INSTRUCTIONS}
BY_NAME = {instruction.name: instruction for instruction in INSTRUCTIONS}


def encode(name, **values):
    """One instruction as 32 bytes. Fields that are not given are zero.

    Raises
    ------
    ValueError
        If there is no such instruction or field, or a value does not fit its field.
    """
    if name not in BY_NAME:
        raise ValueError(f"no instruction {name!r}; there are {', '.join(BY_NAME)}")
    instruction = BY_NAME[name]
    word = instruction.opcode
    for key, value in values.items():
        try:
            field = instruction.field(key)
        except KeyError as error:
            raise ValueError(error.args[0]) from None
        value = int(value)
        low, high = (-(1 << field.width - 1), (1 << field.width - 1) - 1) if field.signed \
            else (0, (1 << field.width) - 1)
        if not low <= value <= high:
            raise ValueError(f"{name}.{key} must be from {low} to {high}, not {value}")
        word |= (value & (1 << field.width) - 1) << field.offset
    return word.to_bytes(INSTRUCTION_BYTES, "little")


def decode(raw):
    """``(Instruction, {field: value})`` of 32 bytes; the instruction is ``None`` if unknown."""
    word = int.from_bytes(raw, "little")
    instruction = BY_OPCODE.get(word & 0xFF)
    if instruction is None:
        return None, {}
    values = {}
    for field in instruction.fields:
        value = word >> field.offset & (1 << field.width) - 1
        if field.signed and value >> field.width - 1:
            value -= 1 << field.width
        values[field.name] = value
    return instruction, values
