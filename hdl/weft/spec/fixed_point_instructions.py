"""Table of the fixed-point instructions, with which language models are evaluated.

A configuration has them if its parameter ``fixed_point`` is set. The laws of their arithmetic are
those of ``docs/language_model_numerics.md``; ``round_shift``, ``sat`` and ``sat16`` are defined
there.
"""

import enum

from .config import UNITS
from .instruction_format import HEADER, Field, Instruction

__all__ = ["FIXED_POINT_INSTRUCTIONS", "MAX_FRACTION", "MAX_SHIFT", "MIN_FRACTION", "NUMBER_BYTES",
           "RECORD_BYTES", "ComputeOp", "InputType", "OperandType", "OutputType", "Reduction",
           "Scale", "SolveOp"]

MAX_SHIFT = 62
"""Largest ``pre_shift`` of DRAIN_PLANES."""
MIN_FRACTION, MAX_FRACTION = 4, 24
"""Smallest and largest ``shift`` of COMPUTE where it is the fraction bits of an argument."""

RECORD_BYTES = 16
"""Bytes of the result of a reduction: a signed number, little-endian."""
NUMBER_BYTES = 10
"""First bytes of a record, which contain its number; the others repeat the sign."""

_LOAD, _MATMUL, _VECTOR = (UNITS.index(unit) for unit in ("LOAD", "MATMUL", "VECTOR"))


class Scale(enum.IntEnum):
    """Value of the field ``scale`` of DRAIN_PLANES: the factor of the sums."""

    NONE = 0        # 1
    CHANNELS = 1    # multiplier, shift and bias of each channel
    VECTOR = 2      # multiplier of each channel, and the shift of the instruction


class ComputeOp(enum.IntEnum):
    """Value of the field ``op`` of COMPUTE."""

    MULTIPLY = 0
    ADD = 1
    SUBTRACT = 2
    MAXIMUM = 3
    ROTATE = 4
    EXPONENTIAL = 5
    SIGMOID = 6
    GELU_GATE = 7


class InputType(enum.IntEnum):
    """Value of the field ``a_type`` of COMPUTE: the type of the elements of operand a."""

    INT32 = 0
    UINT16 = 1
    INT8 = 2
    INT16 = 3


class OperandType(enum.IntEnum):
    """Value of the field ``b_type`` of COMPUTE: the type of operand b."""

    NONE = 0        # 1
    INT32 = 1
    UINT16 = 2
    ROW = 3         # an int32 for each row
    FACTOR = 4      # an int32 multiplier and an int32 shift for each row


class OutputType(enum.IntEnum):
    """Value of the field ``out_type`` of COMPUTE."""

    NONE = 0        # only the reduction
    INT32 = 1
    UINT16 = 2
    INT8 = 3        # limited to -127 to 127
    PLANES = 4      # 16 bits, limited to -32639 to 32639, as two planes of int8
    INT16 = 5       # limited to -32639 to 32639


class Reduction(enum.IntEnum):
    """Value of the field ``reduce`` of COMPUTE."""

    NONE = 0
    MAXIMUM = 1     # largest result
    MAGNITUDE = 2   # largest magnitude of a result before it is limited
    SUM = 3         # sum of the results
    SQUARES = 4     # sum of the squares of operand a


class SolveOp(enum.IntEnum):
    """Value of the field ``op`` of SOLVE."""

    ROOT = 0        # factor 32639 / sqrt(a + constant)
    SCALE = 1       # scale of a cached vector, and the factor to 127
    SUM = 2         # factor 2^15 / (127 a)
    MEAN = 3        # a / constant, rounded
    EXPONENT = 4    # shift that leaves 16 bits of a


FIXED_POINT_INSTRUCTIONS: tuple[Instruction, ...] = (
    Instruction("LOAD_RING", 0x13, _LOAD,
                "Appends bytes from host memory to the ring, the whole weight buffer as a queue of "
                "tiles. Before each burst, LOAD waits until the ring has space for the longest "
                "one, of max_burst beats. The ring is empty when a program starts. Bytes that "
                "LOAD_WGT has written are undefined after a LOAD_RING, and tiles in the ring after "
                "a LOAD_WGT.", (
        *HEADER,
        Field("count", 16, 16, "rows of the copy, at least 1"),
        Field("host_addr", 32, 32, "byte address of the first row in host memory, relative to "
                                   "MEM_BASE"),
        Field("host_pitch", 64, 32, "bytes from one row to the next in host memory"),
        Field("bytes", 160, 24, "bytes of a row, a multiple of the bytes of a tile"),
    )),
    Instruction("MATMUL_RING", 0x21, _MATMUL,
                "Multiplies vectors of activations by the tiles at the front of the ring, and "
                "removes them. It executes one pass for each kernel row r and chunk c, with r as "
                "the outer loop; each pass takes the next tile. The vectors of a pass are at "
                "act_addr + r * row_pitch + c * chunk_pitch + x * x_pitch, and its results go to "
                "accumulator row acc_addr + r * acc_pitch + x. With acc_pitch 0, all kernel rows "
                "are added up; otherwise the first pass of every kernel row overwrites or adds as "
                "accumulate selects. MATMUL waits while the ring is empty.", (
        *HEADER,
        Field("accumulate", 17, 1, "add the first pass to the values in the accumulators; "
                                   "otherwise it overwrites them"),
        Field("act_addr", 32, 24, "byte address of the first vector in the scratchpad"),
        Field("acc_addr", 56, 16, "first accumulator row"),
        Field("acc_pitch", 72, 16, "accumulator rows from one kernel row to the next: x_count, "
                                   "or 0"),
        Field("row_count", 88, 16, "kernel rows, at least 1"),
        Field("row_pitch", 104, 24, "bytes from one kernel row to the next"),
        Field("chunk_count", 128, 16, "chunks of a kernel row, at least 1"),
        Field("chunk_pitch", 144, 24, "bytes from one chunk to the next"),
        Field("x_count", 208, 16, "positions, at least 1"),
        Field("x_pitch", 224, 24, "bytes from one position to the next"),
    )),
    Instruction("DRAIN_PLANES", 0x35, _VECTOR,
                "Combines the accumulators of two planes and writes int32 to the scratchpad. For "
                "each position (y, x) and channel c, A is 256 times the accumulator in row "
                "acc_addr + y * acc_pitch + 2 * x plus that in the next row, and t is "
                "sat(round_shift(A, pre_shift)). With scale 0, the result is t. With scale 1, it "
                "is sat(sat(round_shift(t * multiplier, n)) + bias). Multiplier and shift of the "
                "channel are in the uint32 at b_addr + y * b_pitch + 4 * c, the multiplier in "
                "bits 0 to 25 and the shift in bits 26 to 31; the bias is the int32 channels * 4 "
                "bytes further on. n is that shift plus the field shift, minus the int32 at "
                "row_addr + 16 * x if exponent is set, and at least 0. With scale 2, the result "
                "is sat(round_shift(t * multiplier, shift)) with the uint16 at b_addr + y * "
                "b_pitch + 2 * c. With add set, the int32 at the output is added, with "
                "saturation. The result goes to out_addr + y * y_pitch + x * x_pitch + 4 * c.", (
        *HEADER,
        Field("scale", 16, 2, "0 none, 1 parameters of channels, 2 a vector of uint16; 3 is "
                              "refused"),
        Field("add", 19, 1, "add the int32 at the output"),
        Field("exponent", 20, 1, "subtract an int32 of each position from the shift; requires "
                                 "scale 1"),
        Field("pre_shift", 21, 6, "shift of the sums, 0 to 62"),
        Field("out_addr", 32, 24, "byte address of the first output in the scratchpad"),
        Field("acc_addr", 56, 16, "first accumulator row"),
        Field("acc_pitch", 72, 16, "accumulator rows from the start of one row of positions to the "
                                   "start of the next"),
        Field("y_count", 88, 16, "rows of positions, at least 1"),
        Field("y_pitch", 104, 24, "bytes from one row of outputs to the next"),
        Field("x_count", 128, 16, "positions in a row, at least 1; each has two accumulator rows"),
        Field("x_pitch", 144, 24, "bytes from one output to the next"),
        Field("channels", 168, 8, "channels to write, 1 to cols"),
        Field("shift", 176, 7, "shift, or what is added to the channels' shift; not negative with "
                               "scale 2", signed=True),
        Field("row_addr", 183, 24, "byte address of the first exponent in the scratchpad"),
        Field("b_addr", 208, 24, "byte address of the first multipliers in the scratchpad"),
        Field("b_pitch", 232, 16, "bytes from one row of multipliers to the next"),
    )),
    Instruction("COMPUTE", 0x36, _VECTOR,
                "Computes with rows of numbers in the scratchpad. For element i of row r, a is "
                "at a_addr + r * a_pitch + i * size and b at b_addr + r * b_pitch + i * size, or "
                "at b_addr + r * b_pitch for all elements of a row. MULTIPLY yields "
                "round_shift(a * b, shift), where shift is the field, plus the shift of a "
                "FACTOR, plus the int32 at row_addr + 16 * r if row_shift is set. ADD, SUBTRACT "
                "and MAXIMUM combine a and b. ROTATE yields, for each pair of elements (a0, a1) "
                "and (b0, b1), round_shift(a0 * b0 - a1 * b1, shift) and round_shift(a0 * b1 + "
                "a1 * b0, shift). EXPONENTIAL yields exp(a - b), or 2^15 if a exceeds b; SIGMOID "
                "the logistic function of a; GELU_GATE the factor of GELU of a; with shift as "
                "the fraction bits of the argument. The results are limited to the type of the "
                "output. Planes are written to out_addr + r * out_pitch + i and plane_pitch "
                "further on. With reduce, a number of 16 bytes for each row goes to row_addr + "
                "16 * r. The output may be an operand with the same address, pitch and size of "
                "elements; otherwise they must not overlap.", (
        *HEADER,
        Field("op", 16, 4, "0 MULTIPLY, 1 ADD, 2 SUBTRACT, 3 MAXIMUM, 4 ROTATE, 5 EXPONENTIAL, "
                           "6 SIGMOID, 7 GELU_GATE; others are refused"),
        Field("a_type", 20, 2, "0 int32, 1 uint16, 2 int8, 3 int16"),
        Field("b_type", 22, 3, "0 none (the number 1), 1 int32, 2 uint16, 3 an int32 for each row, "
                               "4 an int32 multiplier and an int32 shift for each row; others are "
                               "refused"),
        Field("out_type", 25, 3, "0 none, 1 int32, 2 uint16, 3 int8, 4 planes, 5 int16; others "
                               "are refused"),
        Field("reduce", 28, 3, "0 none, 1 maximum, 2 largest magnitude, 3 sum, 4 sum of squares, "
                               "for which op, b_type, out_type and shift are 0; others are "
                               "refused"),
        Field("row_shift", 31, 1, "add an int32 of each row to the shift; requires MULTIPLY, and "
                                  "reduce 0"),
        Field("out_addr", 32, 24, "byte address of the first row of the output in the scratchpad"),
        Field("a_addr", 56, 24, "byte address of the first row of operand a in the scratchpad"),
        Field("shift", 80, 7, "shift or fraction bits", signed=True),
        Field("count", 88, 16, "rows, at least 1"),
        Field("out_pitch", 104, 24, "bytes from one row of the output to the next"),
        Field("a_pitch", 128, 24, "bytes from one row of operand a to the next"),
        Field("elements_count", 152, 16, "elements of a row, at least 1; an even number for "
                                         "ROTATE"),
        Field("b_addr", 168, 24, "byte address of the first row of operand b in the scratchpad"),
        Field("b_pitch", 192, 24, "bytes from one row of operand b to the next"),
        Field("plane_pitch", 216, 16, "bytes from the first plane of a row to the second"),
        Field("row_addr", 232, 24, "byte address of the reductions or of the shifts of rows in the "
                                   "scratchpad"),
    )),
    Instruction("SOLVE", 0x37, _VECTOR,
                "Computes quotients and roots. For each row r, a is the signed number of 10 bytes "
                "at a_addr + r * a_pitch, the start of a record of 16 bytes. ROOT, SCALE and SUM "
                "write a factor, an int32 multiplier and an int32 shift, to out_addr + r * "
                "out_pitch: ROOT of 32639 / sqrt(a + constant), SCALE from a vector with the "
                "largest magnitude a to 127, SUM of 2^15 / (127 * a). SCALE also writes the "
                "scale, a uint16, to b_addr + r * b_pitch. MEAN writes floor((2 * a + constant) / "
                "(2 * constant)) modulo 2^32, and EXPONENT the int32 shift that limits a to 16 "
                "bits. A negative a counts as 0, except for MEAN.", (
        *HEADER,
        Field("op", 16, 3, "0 ROOT, 1 SCALE, 2 SUM, 3 MEAN, 4 EXPONENT; others are refused"),
        Field("out_addr", 32, 24, "byte address of the first result in the scratchpad"),
        Field("a_addr", 56, 24, "byte address of the first operand in the scratchpad"),
        Field("count", 88, 16, "rows, at least 1"),
        Field("out_pitch", 104, 24, "bytes from one result to the next"),
        Field("a_pitch", 128, 24, "bytes from one operand to the next"),
        Field("constant", 152, 64, "constant of ROOT, or of MEAN, where it is not 0"),
        Field("b_addr", 216, 24, "byte address of the first scale in the scratchpad"),
        Field("b_pitch", 240, 16, "bytes from one scale to the next"),
    )),
)
