"""Table of all instructions.

Encoder, decoder, disassembler, hardware checks, C header and documentation are generated from
:data:`INSTRUCTIONS`. The ``doc`` texts appear in the documentation.
"""

from .config import UNITS
from .instruction_format import HEADER, Field, Instruction

__all__ = ["INSTRUCTIONS"]

_LOAD, _MATMUL, _VECTOR, _STORE = range(len(UNITS))


def _each(iteration: str) -> Field:
    return Field("each", 248, 1, f"execute each {iteration} as an instruction of its own, which "
                                 "takes the tokens of wait and gives the tokens of signal")


def _copy(local: str) -> tuple[Field, ...]:
    return (
        *HEADER,
        Field("count", 16, 16, "rows of the copy, at least 1"),
        Field("host_addr", 32, 32, "byte address of the first row in host memory, relative to "
                                   "MEM_BASE"),
        Field("host_pitch", 64, 32, "bytes from one row to the next in host memory"),
        Field("local_addr", 96, 24, f"byte address of the first row in the {local}"),
        Field("local_pitch", 128, 24, f"bytes from one row to the next in the {local}"),
        Field("bytes", 160, 24, "bytes of a row, at least 1"),
        _each("row"),
    )


INSTRUCTIONS: tuple[Instruction, ...] = (
    Instruction("LOAD", 0x10, _LOAD, "Copies from host memory into the scratchpad.",
                _copy("scratchpad")),
    Instruction("LOAD_WGT", 0x11, _LOAD, "Copies from host memory into the weight buffer.",
                _copy("weight buffer")),
    Instruction("FILL", 0x12, _LOAD, "Fills a region of the scratchpad with one value.", (
        *HEADER,
        Field("count", 16, 16, "rows of the region, at least 1"),
        Field("local_addr", 96, 24, "byte address of the first row in the scratchpad"),
        Field("local_pitch", 128, 24, "bytes from one row to the next"),
        Field("bytes", 160, 24, "bytes of a row, at least 1"),
        Field("value", 184, 8, "value of each byte"),
    )),
    Instruction("MATMUL", 0x20, _MATMUL,
                "Multiplies vectors of activations by tiles of weights and accumulates the "
                "results. It executes one pass for each kernel row r and chunk c, with r as the "
                "outer loop. A pass multiplies the vectors at act_addr + r * row_pitch + c * "
                "chunk_pitch + y * y_pitch + x * x_pitch by tile wgt_addr + r * chunk_count + c. "
                "The result for position (y, x) is combined with accumulator row acc_addr + y * "
                "x_count + x. With depthwise set, column k of the result is instead the sum, over "
                "the taps j from 0 to lead, of line rows - 1 - lead + j of the tile in column k "
                "times byte k of the vector at position x + j. With apart set, the results of "
                "kernel row r go to accumulator rows acc_addr + r * x_count + x, and the first "
                "pass of every kernel row overwrites or combines as accumulate selects.", (
        *HEADER,
        Field("maximum", 16, 1, "combine passes by maximum instead of sum"),
        Field("accumulate", 17, 1, "combine the first pass with the values in the accumulators, "
                                   "as all later passes do; otherwise it overwrites them"),
        Field("hold", 18, 1, "use tile wgt_addr in every pass"),
        Field("depthwise", 19, 1, "each column filters its own byte of the vectors along x"),
        Field("lead", 20, 6, "taps of a pass minus 1: less than the number of array rows, and 0 "
                             "unless depthwise is set"),
        Field("apart", 26, 1, "each kernel row has accumulators of its own; y_count must be 1"),
        Field("act_addr", 32, 24, "byte address of the first vector in the scratchpad"),
        Field("acc_addr", 56, 16, "first accumulator row"),
        Field("wgt_addr", 72, 16, "index of the first tile in the weight buffer"),
        Field("row_count", 88, 16, "kernel rows, at least 1"),
        Field("row_pitch", 104, 24, "bytes from one kernel row to the next"),
        Field("chunk_count", 128, 16, "chunks of a kernel row, at least 1"),
        Field("chunk_pitch", 144, 24, "bytes from one chunk to the next"),
        Field("y_count", 168, 16, "rows of positions, at least 1"),
        Field("y_pitch", 184, 24, "bytes from one row of positions to the next"),
        Field("x_count", 208, 16, "positions in a row, at least 1"),
        Field("x_pitch", 224, 24, "bytes from one position to the next"),
        _each("kernel row"),
        Field("blank", 249, 6, "lines at the start of each tile that are replaced by zeros: less "
                               "than the number of array rows, and 0 if depthwise is set"),
    )),
    Instruction("PARAMS", 0x30, _VECTOR,
                "Reads bias, multiplier and shift of output channels into parameter slots for "
                "subsequent DRAINs. The field channel is the index of the slot for the first "
                "channel; the next channels go to the next slots. There are param_channels slots. "
                "The biases are consecutive int32 at bias_addr. With per_channel set, eight bytes "
                "for each channel at scale_addr contain the multiplier (u32, bit 31 ignored), the "
                "shift (u8, bits 6 and 7 ignored) and three ignored bytes; otherwise the fields "
                "multiplier and shift apply to every channel.", (
        *HEADER,
        Field("per_channel", 16, 1, "read multipliers and shifts from scale_addr"),
        Field("bias_addr", 32, 24, "byte address of the biases in the scratchpad"),
        Field("scale_addr", 56, 24, "byte address of multipliers and shifts in the scratchpad"),
        Field("channels", 80, 8, "channels to read, 1 to param_channels - channel"),
        Field("channel", 88, 8, "parameter slot of the first channel, a multiple of cols below "
                                "param_channels"),
        Field("multiplier", 96, 32, "multiplier of all channels, below 2^31"),
        Field("shift", 128, 6, "shift of all channels, 0 to 62"),
    )),
    Instruction("DRAIN", 0x31, _VECTOR,
                "Requantises accumulators and writes them to the scratchpad. For each position "
                "(y, x), it reads accumulator row acc_addr + y * acc_pitch + x, adds the biases, "
                "requantises, adds zero_point, clamps, and writes as many bytes as channels to "
                "out_addr + y * y_pitch + x * x_pitch. In mode RAW, it only adds the biases, and "
                "writes an int32 for each channel instead of a byte. The parameters of the "
                "channels come from consecutive slots, from slot channel on; with apart set, from "
                "slot channel + y * cols on.", (
        *HEADER,
        Field("mode", 16, 2, "0 TFL2, 1 TFL1, 2 AWAY, 3 RAW"),
        Field("apart", 18, 1, "each row of positions has parameter slots of its own"),
        Field("out_addr", 32, 24, "byte address of the first output in the scratchpad"),
        Field("acc_addr", 56, 16, "first accumulator row"),
        Field("acc_pitch", 72, 16, "accumulator rows from the start of one row of positions to the "
                                   "start of the next"),
        Field("y_count", 88, 16, "rows of positions, at least 1"),
        Field("y_pitch", 104, 24, "bytes from one row of outputs to the next"),
        Field("x_count", 128, 16, "positions in a row, at least 1"),
        Field("x_pitch", 144, 24, "bytes from one output to the next"),
        Field("channels", 168, 8, "channels to write, 1 to cols"),
        Field("zero_point", 176, 8, "zero point of the output", signed=True),
        Field("clamp_min", 184, 8, "smallest output", signed=True),
        Field("clamp_max", 192, 8, "largest output, at least clamp_min", signed=True),
        Field("channel", 200, 8, "parameter slot of the first channel, a multiple of cols; all "
                                 "slots that are used are below param_channels"),
        _each("row of positions"),
    )),
    Instruction("TABLE", 0x32, _VECTOR,
                "Reads table A or B for subsequent MAPs and SOFTMAXes. A table has 256 int32 "
                "entries, the first for byte -128, the last for byte 127. The fields multiplier "
                "and shift apply to subsequent MAPs; PARAMS and DRAIN neither change nor use "
                "them.", (
        *HEADER,
        Field("table", 16, 1, "0 table A, 1 table B"),
        Field("table_addr", 32, 24, "byte address of the 1024 bytes in the scratchpad"),
        Field("multiplier", 96, 32, "multiplier of MAPs, below 2^31"),
        Field("shift", 128, 6, "shift of MAPs, 0 to 62"),
    )),
    Instruction("MAP", 0x33, _VECTOR,
                "Maps bytes through table A, or pairs of bytes through tables A and B. For each "
                "byte i of each row r, it looks up entry A[a] for the byte a at a_addr + r * "
                "a_pitch + i and entry B[b] for the byte b at b_addr + r * b_pitch + i. It "
                "combines the entries by op into an int32, requantises it with the multiplier and "
                "shift of TABLE, adds zero_point, clamps, and writes a byte to out_addr + r * "
                "out_pitch + i. Op 2 multiplies the low 16 bits of both entries as signed numbers. "
                "The output may overlap an operand only if both have the same address and pitch, "
                "and if their rows do not overlap one another (or there is only one row).", (
        *HEADER,
        Field("mode", 16, 2, "0 TFL2, 1 TFL1, 2 AWAY; 3 is refused"),
        Field("op", 18, 2, "0 A[a], 1 A[a] + B[b] modulo 2^32, 2 A[a] * B[b]; 3 is refused"),
        Field("out_addr", 32, 24, "byte address of the first row of the output in the scratchpad"),
        Field("a_addr", 56, 24, "byte address of the first row of operand a in the scratchpad"),
        Field("count", 88, 16, "rows, at least 1"),
        Field("out_pitch", 104, 24, "bytes from one row of the output to the next"),
        Field("a_pitch", 128, 24, "bytes from one row of operand a to the next; 0 repeats a row"),
        Field("bytes", 152, 24, "bytes of a row, at least 1"),
        Field("zero_point", 176, 8, "zero point of the output", signed=True),
        Field("clamp_min", 184, 8, "smallest output", signed=True),
        Field("clamp_max", 192, 8, "largest output, at least clamp_min", signed=True),
        Field("b_addr", 200, 24, "byte address of the first row of operand b in the scratchpad; "
                                 "unused with op 0"),
        Field("b_pitch", 224, 24, "bytes from one row of operand b to the next"),
    )),
    Instruction("SOFTMAX", 0x34, _VECTOR,
                "Computes the softmax of each row of bytes. Let max be the largest byte of the "
                "row, and e = A[x - max + 127] the entry of table A for each byte x. S is the sum "
                "of (e + 2^11) >> 12 modulo 2^32, or 1 if that is 0. The multiplier m is the "
                "reciprocal of S * 2^clz(S) as the reference kernel of SOFTMAX computes it, in "
                "three Newton steps. The output for x is e, requantised in mode TFL2 with "
                "multiplier m and shift 66 - clz(S) but at most 62, minus 128, and clamped to a "
                "byte. (The limit of 62 applies only to S of 2^28 and more, which exceeds the "
                "range of the reference kernel.) The output may be the operand itself, with the "
                "same address and pitch and with rows that do not overlap one another; otherwise "
                "the two must not overlap. The multiplier and shift of TABLE keep their values.", (
        *HEADER,
        Field("out_addr", 32, 24, "byte address of the first row of the output in the scratchpad"),
        Field("a_addr", 56, 24, "byte address of the first row of the operand in the scratchpad"),
        Field("count", 88, 16, "rows, at least 1"),
        Field("out_pitch", 104, 24, "bytes from one row of the output to the next"),
        Field("a_pitch", 128, 24, "bytes from one row of the operand to the next"),
        Field("bytes", 152, 24, "bytes of a row, at least 1"),
    )),
    Instruction("STORE", 0x40, _STORE, "Copies from the scratchpad into host memory.",
                _copy("scratchpad")),
    Instruction("SYNC_LOAD", 0x1F, _LOAD, "Only takes and gives tokens.", HEADER),
    Instruction("SYNC_MATMUL", 0x2F, _MATMUL, "Only takes and gives tokens.", HEADER),
    Instruction("SYNC_VECTOR", 0x3F, _VECTOR, "Only takes and gives tokens.", HEADER),
    Instruction("SYNC_STORE", 0x4F, _STORE, "Only takes and gives tokens.", HEADER),
)
