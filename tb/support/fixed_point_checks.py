"""Fixed-point instructions and variants with step registers at the limits of the validator."""

from support.instruction_checks import copy, rows, word
from support.validator_bench import MEM_BASE
from weft.spec.fixed_point_instructions import (
    ComputeOp,
    InputType,
    OperandType,
    OutputType,
    Reduction,
    Scale,
    SolveOp,
)
from weft.spec.isa import ErrorCode
from weft.spec.presets import preset
from weft.spec.step_instructions import step_count

__all__ = ["CRAFTED", "FOUR_BIT", "STEPS", "compute", "four_bit", "planes", "solve"]

SPAD, WGT, ACC = ErrorCode.SPAD_BOUNDS, ErrorCode.WGT_BOUNDS, ErrorCode.ACC_BOUNDS
BAD, RESERVED, ILLEGAL = ErrorCode.BAD_FIELD, ErrorCode.RESERVED_BITS, ErrorCode.ILLEGAL_OPCODE
TINY = preset("tiny")
S, W, A = TINY.spad_bytes, TINY.wgt_bytes, TINY.acc_rows

STEPS = [0, 1, 2, 0x10000, 0xFFFFFFFF, S, *range(6, 64)]
"""Step registers: a count of 0, counts, a count of 0 with upper bits, and minus 1."""


def planes(name="DRAIN_PLANES", **values):
    return word(name, **{"y_count": 1, "x_count": 1, "channels": 1} | values)


def compute(name="COMPUTE", **values):
    return word(name, **{"count": 1, "elements_count": 1, "out_type": OutputType.INT32} | values)


def solve(**values):
    return word("SOLVE", **{"count": 1} | values)


def rotate(**values):
    return compute(**{"op": ComputeOp.ROTATE, "b_type": OperandType.INT32,
                      "elements_count": 2} | values)


def ring(name="MATMUL_RING", **values):
    return word(name, **{"row_count": 1, "chunk_count": 1, "x_count": 1} | values)


def ring_load(name="LOAD_RING", **values):
    return word(name, **{"count": 1, "bytes": TINY.tile_bytes} | values)


def four_bit(**values):
    return word("LOAD_RING_4BIT", **{"count": 1} | values)


_RING = [
    (ring(), 0), (ring(row_count=0), BAD), (ring(chunk_count=0), BAD), (ring(x_count=0), BAD),
    (ring(x_count=2, acc_pitch=2), 0), (ring(x_count=2, acc_pitch=1), BAD),
    (ring(x_count=A), 0), (ring(x_count=A + 1), ACC), (ring(acc_addr=A), ACC),
    (ring(x_count=2, acc_pitch=2, row_count=A // 2), 0),
    (ring(x_count=2, acc_pitch=2, row_count=A // 2 + 1), ACC),
    (ring(row_count=0xFFFF, x_count=2), 0), (ring(act_addr=S - 4), 0),
    (ring(act_addr=S - 3), SPAD), (ring(row_count=3, row_pitch=S // 2 - 2), 0),
    (ring(row_count=3, row_pitch=S // 2 - 1), SPAD),
    (ring(chunk_count=2, chunk_pitch=S - 3), SPAD), (ring(x_count=2, x_pitch=S - 4), 0),
    (ring(x_count=2, x_pitch=S - 3), SPAD), (ring() | 1 << 255, RESERVED),
    (ring() | 1 << 168, RESERVED),
    (ring_load(), 0), (ring_load(count=0), BAD), (ring_load(bytes=0), BAD),
    (ring_load(bytes=15), BAD), (ring_load(bytes=W), 0), (ring_load(bytes=W + 16), WGT),
    (ring_load(bytes=1 << 20), WGT), (ring_load() | 1 << 96, RESERVED),
    (ring_load(host_addr=0xFFFFFFF8), ErrorCode.HOST_WINDOW),
]

_PLANES = [
    (planes(scale=3), BAD), (planes(pre_shift=62), 0), (planes(pre_shift=63), BAD),
    (planes(exponent=1, scale=Scale.CHANNELS), 0), (planes(exponent=1), BAD),
    (planes(exponent=1, scale=Scale.VECTOR), BAD),
    (planes(shift=-64), 0), (planes(shift=-64, scale=Scale.CHANNELS), 0),
    (planes(shift=-1, scale=Scale.VECTOR), BAD), (planes(shift=63, scale=Scale.VECTOR), 0),
    (planes(y_count=0), BAD), (planes(x_count=0), BAD), (planes(channels=0), BAD),
    (planes(channels=4), 0), (planes(channels=5), BAD), (planes() | 1 << 248, RESERVED),
    (planes(out_addr=S - 16, channels=4), 0), (planes(out_addr=S - 15, channels=4), SPAD),
    (planes(x_count=2, y_count=2, x_pitch=4, y_pitch=S - 8), 0),
    (planes(x_count=2, y_count=2, x_pitch=5, y_pitch=S - 8), SPAD),
    (planes(acc_addr=A - 2), 0), (planes(acc_addr=A - 1), ACC), (planes(x_count=A // 2), 0),
    (planes(x_count=A // 2 + 1), ACC), (planes(x_count=0xFFFF), ACC),
    (planes(y_count=2, acc_pitch=A - 2), 0), (planes(y_count=2, acc_pitch=A - 1), ACC),
    (planes(b_addr=S), 0), (planes(b_addr=S, scale=Scale.CHANNELS), SPAD),
    (planes(b_addr=S - 32, scale=Scale.CHANNELS, channels=4), 0),
    (planes(b_addr=S - 31, scale=Scale.CHANNELS, channels=4), SPAD),
    (planes(y_count=2, b_pitch=S - 8, scale=Scale.CHANNELS), 0),
    (planes(y_count=2, b_pitch=S - 7, scale=Scale.CHANNELS), SPAD),
    (planes(b_addr=S, scale=Scale.VECTOR), SPAD),
    (planes(b_addr=S - 8, scale=Scale.VECTOR, channels=4), 0),
    (planes(b_addr=S - 7, scale=Scale.VECTOR, channels=4), SPAD),
    (planes(y_count=3, b_pitch=S // 2 - 1, scale=Scale.VECTOR), 0),
    (planes(y_count=3, b_pitch=S // 2, scale=Scale.VECTOR), SPAD),
    (planes(row_addr=S - 4, scale=Scale.CHANNELS, exponent=1), 0),
    (planes(row_addr=S - 3, scale=Scale.CHANNELS, exponent=1), SPAD),
    (planes(x_count=3, row_addr=S - 36, scale=Scale.CHANNELS, exponent=1), 0),
    (planes(x_count=3, row_addr=S - 35, scale=Scale.CHANNELS, exponent=1), SPAD),
    (planes(row_addr=S, scale=Scale.CHANNELS), 0),
    (planes(acc_addr=A, b_addr=S, scale=Scale.VECTOR), ACC),
]

_COMPUTE_FIELDS = [
    (compute(count=0), BAD), (compute(elements_count=0), BAD),
    *((compute(op=op), BAD) for op in (8, 15)), *((compute(b_type=kind), BAD) for kind in (5, 7)),
    *((compute(out_type=kind), BAD) for kind in (6, 7)),
    *((compute(reduce=kind), BAD if kind >= Reduction.SQUARES else 0) for kind in range(8)),
    (compute(reduce=Reduction.SQUARES, out_type=0), 0),
    *((compute(reduce=Reduction.SQUARES, **{"out_type": 0, field: 1}), BAD)
      for field in ("op", "b_type", "out_type", "shift", "row_shift")),
    *((compute(op=op, b_type=kind), 0 if kind in allowed else BAD)
      for op, allowed in ((ComputeOp.MULTIPLY, range(5)), (ComputeOp.ADD, (1, 2, 3)),
                          (ComputeOp.SUBTRACT, (1, 2, 3)), (ComputeOp.MAXIMUM, (1, 2, 3)))
      for kind in range(5)),
    *((compute(op=op, b_type=kind, shift=4), 0 if kind == allowed else BAD)
      for op, allowed in ((ComputeOp.EXPONENTIAL, 3), (ComputeOp.SIGMOID, 0),
                          (ComputeOp.GELU_GATE, 0)) for kind in range(5)),
    *((compute(op=ComputeOp.SIGMOID, shift=shift), code)
      for shift, code in ((3, BAD), (4, 0), (24, 0), (25, BAD), (-4, BAD), (-64, BAD))),
    *((compute(op=ComputeOp.EXPONENTIAL, b_type=3, shift=shift), code)
      for shift, code in ((3, BAD), (24, 0))),
    (compute(shift=-64), 0), (rotate(), 0), (rotate(elements_count=3), BAD),
    (rotate(b_type=OperandType.UINT16), BAD), (rotate(out_type=OutputType.INT16), BAD),
    (rotate(out_type=0), BAD), *((rotate(a_type=kind), BAD) for kind in (1, 2, 3)),
    (compute(row_shift=1), 0), (compute(row_shift=1, reduce=1), BAD),
    (compute(row_shift=1, op=ComputeOp.ADD, b_type=1), BAD),
]

_COMPUTE_RANGES = [
    *((compute(a_type=kind, elements_count=4, a_addr=S - 4 * size + late), SPAD if late else 0)
      for kind, size in ((InputType.INT32, 4), (InputType.UINT16, 2), (InputType.INT8, 1),
                         (InputType.INT16, 2)) for late in (0, 1)),
    *((compute(b_type=kind, elements_count=4, b_addr=S - size + late), SPAD if late else 0)
      for kind, size in ((OperandType.INT32, 16), (OperandType.UINT16, 8), (OperandType.ROW, 4),
                         (OperandType.FACTOR, 8)) for late in (0, 1)),
    (compute(b_addr=S), 0),
    *((compute(out_type=kind, elements_count=4, out_addr=S - size + late), SPAD if late else 0)
      for kind, size in ((OutputType.INT32, 16), (OutputType.UINT16, 8), (OutputType.INT8, 4),
                         (OutputType.INT16, 8), (OutputType.PLANES, 4)) for late in (0, 1)),
    (compute(out_type=0, out_addr=S), 0),
    (compute(out_type=OutputType.PLANES, plane_pitch=S - 1), 0),
    (compute(out_type=OutputType.PLANES, plane_pitch=S), SPAD),
    (compute(out_type=OutputType.INT8, plane_pitch=S), 0),
    (compute(out_type=OutputType.PLANES, plane_pitch=9, count=2, out_pitch=S - 10), 0),
    (compute(out_type=OutputType.PLANES, plane_pitch=9, count=2, out_pitch=S - 9), SPAD),
    (compute(row_addr=S), 0), (compute(row_addr=S - 16, reduce=1), 0),
    (compute(row_addr=S - 15, reduce=1), SPAD), (compute(row_addr=S - 32, reduce=3, count=2), 0),
    (compute(row_addr=S - 31, reduce=3, count=2), SPAD),
    (compute(count=S // 16, reduce=1), 0), (compute(count=S // 16 + 1, reduce=1), SPAD),
    (compute(count=0xFFFF, reduce=1), SPAD),
    (compute(row_addr=S - 4, row_shift=1), 0), (compute(row_addr=S - 3, row_shift=1), SPAD),
    (compute(row_addr=S - 20, row_shift=1, count=2), 0),
    (compute(row_addr=S - 19, row_shift=1, count=2), SPAD),
    (compute(count=3, a_pitch=S // 2 - 2), 0), (compute(count=3, a_pitch=S // 2 - 1), SPAD),
    (compute(count=3, out_pitch=S // 2 - 1), SPAD), (compute(count=3, b_pitch=0xFFFFFF), 0),
    (compute(count=3, b_pitch=S // 2, b_type=3), SPAD),
    (compute(elements_count=0xFFFF, a_type=InputType.INT8), SPAD),
    (compute(elements_count=0xFFFF), SPAD),
]

_SOLVE = [
    (solve(count=0), BAD), *((solve(op=op), BAD) for op in (5, 6, 7)),
    *((solve(op=op, constant=1), 0) for op in SolveOp), (solve(op=SolveOp.MEAN), BAD),
    (solve(op=SolveOp.MEAN, constant=1 << 63), 0), (solve(op=SolveOp.ROOT), 0),
    (solve(a_addr=S - 16), 0), (solve(a_addr=S - 15), SPAD),
    *((solve(op=op, constant=1, out_addr=S - size + late), SPAD if late else 0)
      for op, size in ((SolveOp.ROOT, 8), (SolveOp.SCALE, 8), (SolveOp.SUM, 8), (SolveOp.MEAN, 4),
                       (SolveOp.EXPONENT, 4)) for late in (0, 1)),
    (solve(b_addr=S), 0), (solve(b_addr=S - 2, op=SolveOp.SCALE), 0),
    (solve(b_addr=S - 1, op=SolveOp.SCALE), SPAD), (solve(b_pitch=0xFFFF), 0),
    (solve(b_pitch=S - 2, count=2, op=SolveOp.SCALE), 0),
    (solve(b_pitch=S - 1, count=2, op=SolveOp.SCALE), SPAD), (solve() | 1 << 24, RESERVED),
]

_VARIANTS = [
    (ring("MATMUL_RING_STEP"), 0), (ring("MATMUL_RING_STEP", row_count=63, acc_pitch=1), 0),
    (ring("MATMUL_RING_STEP", row_count=63, x_count=2, acc_pitch=2), ACC),
    # a limit takes effect if the register has more
    (ring("MATMUL_RING_STEP", row_count=step_count(63, 1), x_count=2, acc_pitch=2), 0),
    (ring("MATMUL_RING_STEP", row_count=step_count(63, 62), x_count=2, acc_pitch=2), ACC),
    (ring("MATMUL_RING_STEP", row_count=step_count(0, 63), x_count=0), 0),
    (ring("MATMUL_RING_STEP", row_count=2, row_pitch=S - 4), 0),
    (ring("MATMUL_RING_STEP", row_count=2, row_pitch=S - 3), SPAD),
    # a count of 0: nothing else is checked, except reserved bits
    (ring("MATMUL_RING_STEP", row_count=0, x_count=0, act_addr=S), 0),
    (ring("MATMUL_RING_STEP", row_count=3, x_count=0, act_addr=S), 0),
    (ring("MATMUL_RING_STEP", row_count=0, signal=2), RESERVED),
    (compute("COMPUTE_STEP", elements_count=0, op=15, row_addr=0xFFFFFF), 0),
    (compute("COMPUTE_STEP", elements_count=1, op=15), BAD),
    (compute("COMPUTE_STEP", elements_count=2, a_addr=S - 8), 0),
    (compute("COMPUTE_STEP", elements_count=2, a_addr=S - 7), SPAD),
    (planes("DRAIN_PLANES_STEP", y_count=0, scale=3), 0),
    (planes("DRAIN_PLANES_STEP", y_count=step_count(2, 1), y_pitch=S - 3), 0),
    (planes("DRAIN_PLANES_STEP", y_count=step_count(2, 3), y_pitch=S - 3), SPAD),
    (planes("DRAIN_PLANES_STEP", y_count=2, y_pitch=S - 4), 0),
    (planes("DRAIN_PLANES_STEP", y_count=2, y_pitch=S - 3), SPAD),
    (planes("DRAIN_PLANES_STEP") | 1 << 207, RESERVED),
    (copy("LOAD_STEP", count=4, count_step=1), 0),
    (copy("LOAD_STEP", count=2, count_step=1, local_pitch=S - 1), 0),
    (copy("LOAD_STEP", count=2, count_step=1, local_pitch=S), SPAD),
    (copy("LOAD_STEP", count=step_count(2, 1), count_step=1, local_pitch=S), 0),
    (copy("LOAD_STEP", count=64), 0),
    (copy("LOAD_STEP", count=0, bytes=0), 0), (copy("LOAD_STEP", count=0, count_step=1), 0),
    (copy("LOAD_STEP", count=3, count_step=1, bytes=S + 1, each=1), 0),
    (copy("LOAD_STEP", count=1, bytes=S + 1), SPAD), (copy("LOAD_STEP", bytes=0), BAD),
    (copy("LOAD_STEP") | 1 << 191, RESERVED), (copy("LOAD_STEP", count=0) | 1 << 191, RESERVED),
    (copy("LOAD_STEP", count=99, count_step=1) | 1 << 191, RESERVED),
    (copy("LOAD_STEP", host_addr=0x80000000, host_step=63), 0),
    (copy("LOAD_STEP", host_addr=1, host_step=4), 0),
    (copy("LOAD_STEP", host_addr=0, host_step=4), ErrorCode.HOST_WINDOW),
    (ring_load("LOAD_RING_STEP", host_step=63, bytes=W), 0),
    (ring_load("LOAD_RING_STEP", host_step=63, bytes=W + 16), WGT),
    (copy("STORE_STEP", host_step=63, count=63, count_step=1), 0),
    (copy("FILL") | 0x80, ILLEGAL), (rows() | 0x80, ILLEGAL), (solve() | 0x80, ILLEGAL),
    (word("SYNC_LOAD") | 0x80, ILLEGAL), (copy() | 1 << 184, RESERVED),
    (four_bit(), ILLEGAL),
]

_TOP = (1 << 32) - MEM_BASE

FOUR_BIT = [
    (four_bit(), 0), (four_bit(count=0), BAD), (four_bit(host_addr=TINY.bus_bytes), 0),
    (four_bit(host_addr=1), BAD), (four_bit(host_addr=2), BAD), (four_bit(count=0xFFFF), 0),
    (four_bit() | 1 << 64, RESERVED), (four_bit() | 1 << 255, RESERVED),
    (four_bit() | 0x80, ILLEGAL),
    (four_bit(count=3, host_addr=_TOP - 3 * 19 * TINY.cols), 0),
    (four_bit(count=3, host_addr=_TOP - 3 * 19 * TINY.cols + 4), ErrorCode.HOST_WINDOW),
    (four_bit(count=0xFFFF, host_addr=_TOP - 76), ErrorCode.HOST_WINDOW),
    (four_bit(host_addr=_TOP - 4), ErrorCode.HOST_WINDOW),
]
"""Instructions for preset ``tiny`` with ``weights_4bit`` and :data:`MEM_BASE`."""

CRAFTED = [*_RING, *_PLANES, *_COMPUTE_FIELDS, *_COMPUTE_RANGES, *_SOLVE, *_VARIANTS]
"""Instructions for preset ``tiny`` with ``fixed_point`` and the step registers :data:`STEPS`, with
their error codes; 0 for a legal one."""
