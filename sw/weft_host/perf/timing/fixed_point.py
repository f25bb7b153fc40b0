"""Timing of COMPUTE, SOLVE and DRAIN_PLANES in VECTOR.

``hdl/weft/vector/fixed_point`` has the pipelines behind the constants, and
``tb/unit/perf/timing/test_fixed_point.py`` measures every one of them on the RTL.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from weft.spec.config import Config
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
from weft.spec.integers import ceil_div

from .interfaces import Fields

__all__ = ["BETWEEN", "FIXED_POINT", "Access", "Schedule", "schedule"]

FIXED_POINT = ("COMPUTE", "SOLVE", "DRAIN_PLANES")
"""Instructions that :func:`schedule` describes."""

# Cycles. A step is taken when its last operand arrives; a write is a request at the port.
BETWEEN = 2             # from done of one of these instructions to the start of the next one
FIRST_READ = 2          # from the start to the first read
TAKE, TAKE_NOTHING = 8, 2       # from a read to the arrival of the operand; of a step without reads
WRITE = 20              # from the step to the write of its result
FUNCTION, PLANES = 4, 5                 # what functions and sums of planes add to it
STEP_ROTATED, PAIR_ROTATED = 1, 2       # what ROTATE adds to it
RECORD = 21             # from the last step to the write of the record, with one lane
RECORD_EXACT = 16       # the same for numbers before they are limited
RECORD_LEVEL = 1        # what each level of the tree of lanes adds to it
SHARED_STEPS = 2        # steps that share a read of 16 bits, and the two writes of planes
STEP_PAUSE, PAIR_PAUSE = 1, 3           # after a step of ROTATE, or a pair in a single lane
ROWS_IN_PROGRESS = 2    # rows with a reduction that are in progress
FIRST_ACC, NEXT_ACC = 7, 6      # from the start, or from position to position, to the accumulators
SOLVE_WRITE = 5         # from the last word of a record to the write of the results, beside:
SOLVE = {SolveOp.ROOT: 73, SolveOp.SCALE: 34, SolveOp.SUM: 43, SolveOp.MEAN: 85,
         SolveOp.EXPONENT: 11}   # of numbers of usual size
EMPTY_WRITE = 2         # from the start to the write of an instruction without results
DONE = 2                # from the last write to done

_OUTPUT_BYTES = {OutputType.INT32: 4, OutputType.UINT16: 2, OutputType.INT8: 1,
                 OutputType.PLANES: 1, OutputType.INT16: 2}
_FUNCTIONS = (ComputeOp.EXPONENTIAL, ComputeOp.SIGMOID, ComputeOp.GELU_GATE)
_EXACT = (Reduction.MAGNITUDE, Reduction.SQUARES)


@dataclasses.dataclass(frozen=True)
class Access:
    """Accesses to the scratchpad: ``rows`` rows of ``count`` accesses, with pitches in bytes."""

    addr: int
    rows: int
    row_pitch: int
    count: int
    pitch: float


@dataclasses.dataclass(frozen=True)
class Schedule:
    """Cycles of an instruction, from its start, while no access is stalled.

    Attributes
    ----------
    reads, writes : tuples of :class:`Access`
        Accesses to the scratchpad.
    reads_end, first_write, last_write, done : :class:`int`
        Cycle after the last read, cycles of the first and the last write, and of done.
    slack : :class:`int`
        Cycles by which the last read may be late without an effect.
    """

    reads: tuple[Access, ...]
    writes: tuple[Access, ...]
    reads_end: int
    first_write: int
    last_write: int
    done: int
    slack: int = 0


@dataclasses.dataclass(frozen=True)
class _Rows:
    """Work of an instruction, row by row.

    Attributes
    ----------
    rows, steps : rows, and steps of a row.
    row_reads, step_reads : reads that come first in a row, and of every first and second step.
    pause : cycles after a step in which no operand is taken.
    written_steps : steps that are written together; 0 if there are no results.
    writes, record_writes : writes of these steps, and of a record.
    to_write, to_record : cycles from a step to its write, and from the last one to the record.
    in_progress : rows that may be in progress at once; 0 if there is no limit.
    accumulators : the steps need accumulators.
    """

    rows: int
    steps: int
    row_reads: int = 0
    step_reads: tuple[int, int] = (1, 1)
    pause: int = 0
    written_steps: int = 1
    writes: int = 1
    record_writes: int = 0
    to_write: int = WRITE
    to_record: int = 0
    in_progress: int = 0
    accumulators: bool = False


def schedule(config: Config, name: str, f: Fields) -> Schedule:
    """Return the :class:`Schedule` of an instruction.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
    name : :class:`str`
        One of :data:`FIXED_POINT`.
    f : mapping of :class:`str` to :class:`int`
        Its fields.
    """
    work, reads, writes = _PARTS[name](config, f, config.vector_port_bytes // 4)
    if not (work.written_steps or work.record_writes):
        return Schedule((), (), 0, EMPTY_WRITE, EMPTY_WRITE, EMPTY_WRITE + DONE)
    return _run(work, tuple(reads), tuple(writes))


def _run(work: _Rows, reads: tuple[Access, ...], writes: tuple[Access, ...]) -> Schedule:
    """Follow the rows of an instruction through the stages of the pipeline."""
    take = TAKE if work.row_reads or any(work.step_reads) else TAKE_NOTHING
    first, second = (max(1, count) for count in work.step_reads)
    to_step = work.row_reads + first - 1            # from the first arrival of a row
    later_steps = work.steps // 2 * (second + work.pause) \
        + (work.steps - 1) // 2 * (first + work.pause)
    # steps that are written together: the first one is stored in a cycle without a write
    together = work.steps > 1 < work.written_steps
    to_written = second + work.pause if together else 0
    data_writes = ceil_div(work.steps, work.written_steps) * work.writes \
        if work.written_steps else 0
    free = FIRST_READ + take        # cycle from which a row may begin to arrive
    moved = FIRST_ACC               # cycle in which accumulators become current
    ends = [0] * work.in_progress   # last writes of the rows in progress
    first_write = end = early = 0
    for row in range(work.rows):
        begin = free if not ends else max(free, ends[row % work.in_progress])
        step = begin + to_step
        if work.accumulators:
            step = max(step, moved + 1)
        last_step = step + later_steps
        free = last_step + work.pause + 1
        moved = max(moved + NEXT_ACC, last_step)
        if data_writes:
            begin = max(end + 1 + together, step + to_written + work.to_write)
            early = last_step + work.to_write + work.writes - 1
            end = max(begin + data_writes - 1, early)
            first_write = first_write or begin
        if work.record_writes:
            begin = max(end + 1, last_step + work.to_record)
            early = max(early, last_step + work.to_record + work.record_writes - 1)
            end = begin + work.record_writes - 1
            first_write = first_write or begin
        if ends:
            ends[row % work.in_progress] = end
    return Schedule(reads, writes, free - take, first_write, end, end + DONE, end - early)


_Parts = tuple[_Rows, list[Access], list[Access]]


def _vector(addr: int, rows: int, row_pitch: int, steps: int, lanes: int, size: int) -> Access:
    """Return the reads of a vector operand with elements of ``size`` bytes."""
    if size == 2:
        steps, size = ceil_div(steps, SHARED_STEPS), size * SHARED_STEPS
    return Access(addr, rows, row_pitch, steps, size * lanes)


def _compute(config: Config, f: Fields, lanes: int) -> _Parts:
    rows, steps = f["count"], ceil_div(f["elements_count"], lanes)
    a_type, b_type, out = InputType(f["a_type"]), OperandType(f["b_type"]), OutputType(
        f["out_type"])
    a_bytes = 4 if a_type == InputType.INT32 else 1 if a_type == InputType.INT8 else 2
    b_bytes = {OperandType.INT32: 4, OperandType.UINT16: 2}.get(b_type, 0)
    reads = [_vector(f["a_addr"], rows, f["a_pitch"], steps, lanes, a_bytes)]
    if b_bytes:
        reads.append(_vector(f["b_addr"], rows, f["b_pitch"], steps, lanes, b_bytes))
    of_row = {OperandType.ROW: 1, OperandType.FACTOR: 2}.get(b_type, 0)
    if of_row:
        reads.append(Access(f["b_addr"], rows, f["b_pitch"], of_row, 4))
    if f["row_shift"]:
        reads.append(Access(f["row_addr"], rows, RECORD_BYTES, 1, 0))
    writes, planes = [], out == OutputType.PLANES
    if out:
        shared = SHARED_STEPS if planes else 1
        for plane in range(2 if planes else 1):
            writes.append(Access(f["out_addr"] + plane * f["plane_pitch"], rows, f["out_pitch"],
                                 ceil_div(steps, shared), _OUTPUT_BYTES[out] * lanes * shared))
    parts = ceil_div(RECORD_BYTES, config.vector_port_bytes) if f["reduce"] else 0
    if parts:
        writes.append(Access(f["row_addr"], rows, RECORD_BYTES, parts, config.vector_port_bytes))
    step_reads = (1 + (b_bytes > 0), (a_bytes != 2) + (b_bytes == 4))
    written = (0, 0) if not out else (SHARED_STEPS, 2) if planes else (1, 1)
    pause, extra = 0, FUNCTION if f["op"] in _FUNCTIONS else 0
    last_extra = extra
    if f["op"] == ComputeOp.ROTATE and lanes > 1:
        pause, extra, last_extra = STEP_PAUSE, STEP_ROTATED, STEP_ROTATED
    elif f["op"] == ComputeOp.ROTATE:       # a step is a pair here
        steps, step_reads, written = steps // 2, (4, 4), (1, 2)
        pause, extra, last_extra = PAIR_PAUSE, PAIR_ROTATED, PAIR_ROTATED + 1
    record = RECORD_EXACT if f["reduce"] in _EXACT else RECORD
    return _Rows(
        rows, steps, of_row + f["row_shift"], step_reads, pause, *written, record_writes=parts,
        to_write=WRITE + extra,
        to_record=record + RECORD_LEVEL * (lanes - 1).bit_length() + last_extra,
        in_progress=ROWS_IN_PROGRESS if f["reduce"] else 0), reads, writes


def _drain_planes(config: Config, f: Fields, lanes: int) -> _Parts:
    steps, x_count, y_count = ceil_div(f["channels"], lanes), f["x_count"], f["y_count"]
    scale, add = f["scale"], f["add"]

    def per_channel(addr: int, steps: int) -> Access:
        return Access(addr, y_count, f["b_pitch"], x_count * steps, 4 * lanes / x_count)

    out = Access(f["out_addr"], y_count, f["y_pitch"], x_count * steps, f["x_pitch"] / steps)
    reads, step_reads = [out] if add else [], (add, add)
    if scale == Scale.VECTOR:
        reads.append(per_channel(f["b_addr"], ceil_div(steps, SHARED_STEPS)))
        step_reads = (add + 1, add)
    elif scale == Scale.CHANNELS:
        reads += [per_channel(f["b_addr"] + part * 4 * f["channels"], steps) for part in (0, 1)]
        step_reads = (add + 2, add + 2)
    if f["exponent"]:
        reads.append(Access(f["row_addr"], y_count, 0, x_count, RECORD_BYTES))
    return _Rows(y_count * x_count, steps, f["exponent"], step_reads, to_write=WRITE + PLANES,
                 accumulators=True), reads, [out]


def _solve(config: Config, f: Fields, lanes: int) -> _Parts:
    rows, op = f["count"], SolveOp(f["op"])
    steps = ceil_div(RECORD_BYTES // 4, lanes)
    results = 1 if op in (SolveOp.MEAN, SolveOp.EXPONENT) else 2
    writes = [Access(f["out_addr"], rows, f["out_pitch"], ceil_div(results, lanes), 4 * lanes)]
    if op == SolveOp.SCALE:
        writes.append(Access(f["b_addr"], rows, f["b_pitch"], 1, 0))
    # the results of a row are a record
    return _Rows(rows, steps, written_steps=0,
                 record_writes=sum(access.count for access in writes),
                 to_record=SOLVE_WRITE + SOLVE[op], in_progress=1), [
        Access(f["a_addr"], rows, f["a_pitch"], steps, 4 * lanes)], writes


_PARTS: dict[str, Callable[[Config, Fields, int], _Parts]] = {
    "COMPUTE": _compute, "SOLVE": _solve, "DRAIN_PLANES": _drain_planes}
