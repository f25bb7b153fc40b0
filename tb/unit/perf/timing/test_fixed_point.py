"""Constants of the timing of the fixed-point instructions, measured on VECTOR."""

import pytest

from support.fixed_point_bench import FixedPointBench
from weft.spec.fixed_point_instructions import (
    RECORD_BYTES,
    ComputeOp,
    InputType,
    OperandType,
    OutputType,
    Reduction,
    Scale,
    SolveOp,
)
from weft.spec.isa import BY_NAME, encode
from weft.spec.presets import preset
from weft.sram.accumulator import AccumulatorMemory
from weft_host.perf.timing.fixed_point import BETWEEN, schedule

START = 2               # from the acceptance of an instruction to its start
SOLVE_SPREAD = 4        # cycles by which a SOLVE may differ with its operand
NUMBERS = (1 << 22, 1 << 30, 3 << 40)

INT32 = {"out_type": OutputType.INT32}
VECTOR = {"b_type": OperandType.INT32, "b_addr": 1500}
ROTATE = {"op": ComputeOp.ROTATE, "shift": 30, **VECTOR, **INT32}
ROW = {"b_type": OperandType.ROW, "b_addr": 64}
FACTOR = {"b_type": OperandType.FACTOR, "b_addr": 64}
PLANES = {"out_type": OutputType.PLANES, "plane_pitch": 1000}


def compute(elements, count=1, **fields):
    return "COMPUTE", {"elements_count": elements, "count": count, "out_addr": 2048,
                       "a_pitch": 4 * elements, "out_pitch": 4 * elements, **fields}


def drain(channels, x_count=1, y_count=1, **fields):
    size = 4 * channels
    return "DRAIN_PLANES", {
        "channels": channels, "x_count": x_count, "y_count": y_count, "x_pitch": size,
        "y_pitch": size * x_count, "acc_pitch": 2 * x_count, "out_addr": 1024, **fields}


def solve(op, number, count=1):
    return "SOLVE", {"op": op, "count": count, "a_addr": RECORD_BYTES * NUMBERS.index(number),
                     "out_addr": 1024, "out_pitch": 8, "b_addr": 2048, "b_pitch": 2,
                     "constant": 576}


CASES = {
    "FIRST_READ, TAKE, WRITE, DONE": compute(1, **INT32),
    "a read and a write in each cycle": compute(40, **INT32),
    "rows": compute(5, 4, **INT32),
    "FUNCTION": compute(9, op=ComputeOp.SIGMOID, shift=12, **INT32),
    "step_reads": compute(40, **VECTOR, **INT32),
    "row_reads of ROW": compute(5, 4, **ROW, **INT32),
    "row_reads of FACTOR": compute(5, 4, **FACTOR, **INT32),
    "row_reads of row_shift": compute(5, 4, row_shift=1, row_addr=3072, **INT32),
    "int8": compute(7, 2, a_type=InputType.INT8, out_type=OutputType.INT8),
    "planes as output": compute(40, **PLANES),
    "planes as output, an odd number of steps": compute(36, **PLANES),
    "planes as output, step_reads": compute(40, **PLANES, **VECTOR),
    "planes as output, rows": compute(3, 4, **{**PLANES, "plane_pitch": 4}),
    "planes as output, long rows": compute(16, 4, **PLANES),
    "SHARED_STEPS of operand a": compute(20, 2, a_type=InputType.INT16, **VECTOR, **INT32),
    "SHARED_STEPS of operand a alone": compute(20, a_type=InputType.UINT16, **INT32),
    "SHARED_STEPS of operand b": compute(36, b_type=OperandType.UINT16, b_addr=1500, **INT32),
    "SHARED_STEPS of both operands": compute(40, a_type=InputType.UINT16, b_addr=1500,
                                             b_type=OperandType.UINT16, **PLANES),
    "STEP_PAUSE, PAIR_PAUSE, STEP_ROTATED, PAIR_ROTATED": compute(8, **ROTATE),
    "STEP_PAUSE, PAIR_PAUSE, rows": compute(4, 3, **ROTATE),
    "RECORD of ROTATE": compute(4, 3, **ROTATE, reduce=Reduction.MAXIMUM, row_addr=3072),
    "RECORD_EXACT of ROTATE": compute(4, 3, **ROTATE, reduce=Reduction.MAGNITUDE, row_addr=3072),
    "RECORD": compute(1, reduce=Reduction.MAXIMUM, row_addr=3072),
    "RECORD, RECORD_LEVEL": compute(40, reduce=Reduction.SUM, row_addr=3072, **INT32),
    "RECORD_EXACT": compute(40, reduce=Reduction.SQUARES, row_addr=3072),
    "RECORD_EXACT of a function": compute(9, op=ComputeOp.SIGMOID, shift=12,
                                          reduce=Reduction.MAGNITUDE, row_addr=3072),
    "ROWS_IN_PROGRESS": compute(2, 5, reduce=Reduction.SQUARES, row_addr=3072),
    "ROWS_IN_PROGRESS, long rows": compute(40, 3, reduce=Reduction.SUM, row_addr=3072, **INT32),
    "EMPTY_WRITE": compute(40),
    "FIRST_ACC, TAKE_NOTHING, PLANES": drain(1),
    "steps of planes": drain(8),
    "NEXT_ACC": drain(1, 6),
    "NEXT_ACC, steps": drain(8, 3, 2),
    "planes, add": drain(8, 3, add=1),
    "planes, multipliers": drain(8, 3, scale=Scale.VECTOR, b_addr=64),
    "planes, multipliers, add": drain(16, 3, scale=Scale.VECTOR, b_addr=64, add=1),
    "planes, parameters": drain(8, 1, 4, scale=Scale.CHANNELS, b_addr=64, b_pitch=64),
    "planes, parameters, exponent": drain(8, 1, 4, scale=Scale.CHANNELS, b_addr=64, b_pitch=64,
                                          exponent=1, row_addr=3072),
    "planes, parameters, add": drain(8, 1, 4, scale=Scale.CHANNELS, b_addr=64, b_pitch=64, add=1),
}
"""Instructions by the names of the constants on which their cycles depend."""


def bench_of(lanes):
    config = preset("small", cols=16, vector_lanes=4 * lanes, fixed_point=True)
    return FixedPointBench(config, acc_latency=AccumulatorMemory.READ_LATENCY)


def measure(bench, cases):
    """Return ``(measured, predicted)`` cycles of each instruction, from done to done."""
    bench.run([encode(name, **fields) for name, fields in cases])
    done = [bench.accepted_at[0] + START - BETWEEN, *bench.done_at]
    found = []
    for (name, fields), before, after in zip(cases, done, done[1:]):
        full = {field.name: 0 for field in BY_NAME[name].fields} | fields
        plan = schedule(bench.model.config, name, full)
        found.append((after - before, BETWEEN + plan.done))
    return found


@pytest.mark.parametrize("lanes", (1, 2, 4))
def test_cycles_of_compute_and_drain_planes_are_predicted_exactly(lanes):
    found = dict(zip(CASES, measure(bench_of(lanes), list(CASES.values()))))
    wrong = [f"{label}: {cycles} cycles instead of {predicted}"
             for label, (cycles, predicted) in found.items() if cycles != predicted]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("lanes", (1, 4))
@pytest.mark.parametrize("op", tuple(SolveOp), ids=lambda op: op.name)
def test_cycles_of_solve_are_predicted_for_numbers_of_usual_size(op, lanes):
    bench = bench_of(lanes)
    for index, number in enumerate(NUMBERS):
        start = RECORD_BYTES * index
        bench.model.spad[start:start + RECORD_BYTES] = number.to_bytes(RECORD_BYTES, "little")
    found = measure(bench, [solve(op, number) for number in NUMBERS])
    for measured, predicted in found:
        assert abs(measured - predicted) <= SOLVE_SPREAD, found
