"""Cycles of the fixed-point instructions in the VECTOR unit."""

import pytest

from support.fixed_point_bench import FixedPointBench as Bench
from weft.spec.fixed_point_instructions import (
    ComputeOp,
    InputType,
    OperandType,
    OutputType,
    Reduction,
    Scale,
)
from weft.spec.isa import encode
from weft.spec.presets import preset

INT32 = {"out_type": OutputType.INT32}
VECTOR = {"b_type": OperandType.INT32, "b_addr": 1500}
COMPUTES = (
    (INT32, 1),
    ({"out_type": OutputType.PLANES, "plane_pitch": 1000}, 1),
    ({"a_type": InputType.INT16, **INT32}, 1),
    # two steps share the reads of 16-bit operands, and a step without a read takes a cycle
    ({"a_type": InputType.UINT16, "b_type": OperandType.UINT16, "b_addr": 1500,
      "out_type": OutputType.PLANES, "plane_pitch": 1000}, 1.5),
    ({"b_type": OperandType.UINT16, "b_addr": 1500, **INT32}, 1.5),
    ({"a_type": InputType.INT16, **VECTOR, **INT32}, 1.5),
    ({**VECTOR, **INT32}, 2),
    ({"b_type": OperandType.FACTOR, "b_addr": 1500, "out_type": OutputType.INT16}, 1),
    ({"reduce": Reduction.SQUARES, "row_addr": 4096}, 1),
    ({"op": ComputeOp.SIGMOID, "shift": 12, **INT32}, 1),
    # 3 cycles for a step of at least one pair, or 7 for the two steps of a pair
    ({"op": ComputeOp.ROTATE, **VECTOR, **INT32, "shift": 30}, {1: 3.5, 2: 3}),
)
"""Fields of a COMPUTE, and its cycles per step."""


def differences(config, pairs):
    """Return the cycles by which the second instruction of each pair is slower than the first."""
    bench = Bench(config)
    sync = encode("SYNC_VECTOR")
    bench.run([raw for short, long in pairs for raw in (sync, short, sync, long)])
    cycles = [done - before for before, done in zip(bench.done_at, bench.done_at[1:])]
    return [cycles[4 * n + 2] - cycles[4 * n] for n in range(len(pairs))]


@pytest.mark.parametrize("lanes", (1, 2))
def test_steps_of_compute_take_the_ideal_cycles(lanes):
    config = preset("small", vector_lanes=4 * lanes, fixed_point=True)

    def instruction(steps, fields):
        return encode("COMPUTE", count=1, elements_count=steps * lanes, out_addr=2048, **fields)

    short, long = 4, 52
    found = differences(config, [(instruction(short, fields), instruction(long, fields))
                                 for fields, _ in COMPUTES])
    ideal = [(long - short) * (steps[lanes] if isinstance(steps, dict) else steps)
             for _, steps in COMPUTES]
    assert found == ideal


def test_positions_of_drain_planes_take_few_cycles():
    """Eight steps, one or two reads each; the rows of the next position are read meanwhile."""
    config = preset("ulx3s", fixed_point=True, acc_rows=64)
    cases = (({}, 9), ({"add": 1}, 9), ({"scale": Scale.VECTOR, "b_addr": 64, "add": 1}, 17),
             ({"scale": Scale.CHANNELS, "b_addr": 64}, 17))

    def instruction(positions, fields):
        return encode("DRAIN_PLANES", x_count=positions, y_count=1, channels=16, x_pitch=64,
                      out_addr=1024, **fields)

    found = differences(config, [(instruction(2, fields), instruction(14, fields))
                                 for fields, _ in cases])
    print(found)
    for cycles, (fields, most) in zip(found, cases, strict=True):
        assert cycles <= 12 * most, fields
