"""Checks of the tables, MAP and SOFTMAX in VECTOR."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from weft.spec.isa import TABLE_BYTES, MapOp, Mode

from ..numerics.fixed_point import softmax_exponentials
from .bench import Bench, Fault, Step, differences, listing
from .requantiser import MODES, ONE, OUTPUTS, Output

__all__ = ["check_map", "check_softmax", "has_tables"]

_VALUES = np.arange(-128, 128)


def has_tables(bench: Bench) -> bool:
    """Return whether the scratchpad has room for a table, operands and results."""
    return bench.room >= 2 * TABLE_BYTES - 128


def _table(number: int, multiplier: int = ONE, shift: int = 30) -> Step:
    return ("TABLE", {"table": number, "table_addr": 0, "multiplier": multiplier, "shift": shift})


def _map_faults(bench: Bench, tables: Sequence[npt.NDArray[np.int32]], steps: Sequence[Step],
                fields: Mapping[str, int]) -> dict[tuple[int, int], str]:
    """Compare the results of MAP for every byte in every lane.

    Parameters
    ----------
    tables : sequence of int32 arrays
        Content of the tables, which are loaded in sequence.
    steps : sequence of :data:`Step`
        The TABLE instruction for each of them.
    fields : mapping
        Fields of MAP.

    Returns
    -------
    dict
        A sentence for each difference, by the byte that indexes the last table and the lane.
    """
    lanes = bench.config.vector_lanes
    operand = np.resize(_VALUES, 256 + lanes).astype(np.int8)
    last = operand[::-1] if len(tables) > 1 else operand
    wrong: dict[tuple[int, int], str] = {}
    for table, step in zip(tables[:-1], steps[:-1]):
        bench.compute(table.view(np.int8), [step])
    local = np.concatenate([tables[-1].view(np.int8), operand, operand[::-1]])
    most = min(lanes, (bench.room - len(local)) // 256)
    for first in range(0, lanes, most):
        count = min(most, lanes - first)
        found, expected = bench.compute(local, [steps[-1], ("MAP", {
            "a_addr": TABLE_BYTES + first, "b_addr": TABLE_BYTES + len(operand) + first,
            "out_addr": len(local), "count": count, "a_pitch": 1, "b_pitch": 1,
            "out_pitch": 256, "bytes": 256, **fields})], 256 * count)
        wrong = differences(
            found, expected, lambda at, first=first: (int(last[first + at // 256 + at % 256]),
                                                      at % 256 % lanes)) | wrong
    return wrong


def check_map(bench: Bench) -> str:
    """Check every bit of both tables in every lane as 0 and as 1, and all operations of MAP."""
    # results saturate, so -128 and 127 would hide a wrong bit above them
    zeros, values = np.zeros(256, "<i4"), bench.random_integers(-127, 127, 256).astype("<i4")

    def check(wrong: Mapping[tuple[int, int], str], what: str) -> None:
        if wrong:
            raise Fault(f"{what}: " + listing(wrong, 256 * bench.config.vector_lanes, lambda key: (
                f"byte {key[0]}, lane {key[1]}")))

    for number, name in enumerate("AB"):
        for lowest in (0, 8, 16, 24):
            for pattern in (values, ~values):
                table, step = pattern << lowest, _table(number, shift=30 + lowest)
                fields = {"mode": Mode.TFL1, "op": MapOp.ADD if number else MapOp.A,
                          **Output().fields}
                tables = [zeros, table] if number else [table]
                check(_map_faults(bench, tables, [_table(0), step][-len(tables):], fields),
                      f"table {name}, bits from {lowest}")
    a, b = bench.random_integers(-1 << 15, 1 << 15, (2, 256)).astype("<i4")
    for op, shift in ((MapOp.ADD, 39), (MapOp.MULTIPLY, 53)):
        for mode, output in zip(MODES, OUTPUTS[1:]):
            check(_map_faults(bench, [a, b], [_table(0), _table(1, ONE + 12345, shift)],
                              {"mode": mode, "op": op, **output.fields}),
                  f"{op.name} in mode {mode.name}")
    return "both tables, ADD, MULTIPLY"


def check_softmax(bench: Bench) -> None:
    """Check SOFTMAX on rows of similar bytes and on rows of arbitrary bytes."""
    for count, size, spread in ((1, 1, 1), (4, 10, 128), (3, 37, 20)):
        rows = bench.random_integers(-spread, spread, (count, size)).astype(np.int8)
        _check_softmax_rows(bench, rows)


def _check_softmax_rows(bench: Bench, rows: npt.NDArray[np.int8]) -> None:
    count, size = rows.shape
    table = np.array(softmax_exponentials(0.1, 1.0)[::-1], "<i4").view(np.int8)
    local = np.concatenate([table, rows.reshape(-1)])
    found, expected = bench.compute(local, [_table(0), ("SOFTMAX", {
        "a_addr": TABLE_BYTES, "out_addr": len(local), "count": count, "a_pitch": size,
        "out_pitch": size, "bytes": size})], rows.size)
    wrong = differences(found, expected, lambda at: divmod(at, size))
    if wrong:
        raise Fault(listing(wrong, rows.size, lambda key: (
            f"row {key[0]}, byte {key[1]} of {size}")))
