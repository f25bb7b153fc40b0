"""Checks of the array, the accumulators and the weight buffer."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from .bench import Bench, Fault, Location, Step, differences, listing

__all__ = ["check_accumulators", "check_cells", "check_combining", "check_depthwise", "check_load",
           "check_weights"]

_OPERANDS = (85, -86, 127, -128)        # every bit of an operand as 0 and as 1

_Variant = tuple[str, Mapping[str, int], Mapping[str, int] | None]
"""Name of a variant, and the special fields of its one or two MATMULs."""


def _max_positions(bench: Bench) -> int:
    """Return the largest number of vectors whose results fit scratchpad and accumulators."""
    config = bench.config
    return min(config.acc_rows // 2,
               (bench.room - 4 * config.cols) // (config.rows + 4 * config.cols))


def _matmul(bench: Bench, acc_addr: int, tile: int, count: int) -> dict[str, int]:
    """Return the fields of a MATMUL that multiplies the vectors after the biases by one tile."""
    config = bench.config
    return {"act_addr": 4 * config.cols, "acc_addr": acc_addr, "wgt_addr": tile, "row_count": 1,
            "chunk_count": 1, "y_count": 1, "x_count": count, "x_pitch": config.rows}


def _local(bench: Bench, vectors: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """Return scratchpad data: biases of 0, then vectors."""
    return np.concatenate([np.zeros(4 * bench.config.cols, np.int8), vectors.reshape(-1)])


def _sums(bench: Bench, local: npt.NDArray[np.int8], steps: Sequence[Step], location: Location,
          count: int, **options: Any) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Run steps and drain ``count`` accumulator rows; return the sums of device and emulator."""
    acc_addr = options.pop("acc_addr", None)
    found, expected = (
        result.view("<i4").reshape(-1, bench.config.cols) for result in bench.compute(
            local, [*steps, *bench.drain_raw(location, len(local), count, acc_addr)],
            4 * bench.config.cols * count, **options))
    return found, expected


def _cell_faults(bench: Bench, weights: npt.NDArray[np.int8],
                 location: Location) -> dict[tuple[int, int], str]:
    config = bench.config
    step = max(1, _max_positions(bench) // len(_OPERANDS))
    wrong: dict[tuple[int, int], str] = {}
    for pattern in (weights, ~weights):
        for first in range(0, config.rows, step):
            rows = np.repeat(np.arange(first, min(first + step, config.rows)), len(_OPERANDS))
            vectors = np.zeros((len(rows), config.rows), np.int8)
            vectors[np.arange(len(rows)), rows] = np.resize(_OPERANDS, len(rows))
            found, expected = _sums(
                bench, _local(bench, vectors),
                [("MATMUL", _matmul(bench, location.row, location.tile, len(rows)))], location,
                len(rows), weights=pattern, tile=location.tile)
            wrong = differences(found, expected,
                                lambda at, col, rows=rows: (int(rows[at]), col)) | wrong
    return wrong


def check_cells(bench: Bench) -> str:
    """Check every weight bit of every cell as 0 and as 1.

    Each vector has a single operand that is not 0, so each result depends on one cell.
    """
    config = bench.config
    weights = bench.random_bytes(config.tile_bytes)
    wrong = bench.faults_at_both(partial(_cell_faults, bench, weights))
    if wrong:
        raise Fault(listing(wrong, config.cells,
                            lambda cell: f"row {cell[0]}, column {cell[1]}"))
    return f"all {config.cells} cells"


def check_load(bench: Bench) -> str:
    """Check the array under full load: all cells, one vector per cycle, tile after tile.

    The instruction is as long as the memories permit.
    """
    config = bench.config
    passes = min(config.wgt_tiles // 2, max(1, bench.region // 2 // config.tile_bytes))
    weights = bench.random_bytes(passes * config.tile_bytes)
    room = min(config.spad_bytes, bench.region - len(weights)) - 4 * config.cols - passes
    count = max(1, min(config.acc_rows // 2, room // (config.rows + 4 * config.cols)))
    local = _local(bench, bench.random_bytes(count * config.rows + passes))

    def attempt(location: Location) -> dict[tuple[int, int], str]:
        fields = _matmul(bench, location.row, location.tile, count)
        found, expected = _sums(
            bench, local, [("MATMUL", {**fields, "row_count": passes, "row_pitch": 1})], location,
            count, weights=weights, tile=location.tile)
        return differences(found, expected, lambda at, col: (at, col))

    wrong = bench.faults_at_both(attempt)
    if wrong:
        raise Fault(listing(wrong, count * config.cols,
                            lambda key: f"vector {key[0]}, column {key[1]}"))
    return f"{passes} tiles times {count} vectors"


def _accumulator_faults(bench: Bench, weights: npt.NDArray[np.int8],
                        vectors: npt.NDArray[np.int8],
                        location: Location) -> dict[tuple[int, int], str]:
    config, most = bench.config, _max_positions(bench)
    for first in range(0, config.acc_rows, most):
        part = vectors[first:first + most]
        bench.compute(_local(bench, part),
                      [("MATMUL", _matmul(bench, first, location.tile, len(part)))],
                      weights=weights, tile=location.tile)
    wrong: dict[tuple[int, int], str] = {}
    most = (bench.room - 4 * config.cols) // (4 * config.cols)
    local = _local(bench, vectors[:0])
    for first in range(0, config.acc_rows, most):
        count = min(most, config.acc_rows - first)
        found, expected = _sums(bench, local, [], location, count, acc_addr=first)
        wrong |= differences(found, expected, lambda at, col, first=first: (first + at, col))
    return wrong


def check_accumulators(bench: Bench) -> str:
    """Check every bit of every accumulator as 0 and as 1; all are written before any is read."""
    config = bench.config
    weights = bench.random_bytes(config.tile_bytes)
    weights[:config.cols] = -1              # weights of the last row of cells
    vectors = np.maximum(bench.random_bytes(config.acc_rows * config.rows), -127)
    vectors = vectors.reshape(config.acc_rows, config.rows)
    vectors[:, -1] = 0
    inverse = -vectors
    inverse[:, -1] = 1                      # ~sum is -sum - 1
    for pattern in (vectors, inverse):
        wrong = bench.faults_at_both(partial(_accumulator_faults, bench, weights, pattern))
        if wrong:
            raise Fault(listing(wrong, config.acc_rows * config.cols,
                                lambda key: f"row {key[0]}, column {key[1]}"))
    return f"all {config.acc_rows} rows"


def _weight_faults(bench: Bench, weights: npt.NDArray[np.int8],
                   location: Location) -> dict[int, str]:
    config, step = bench.config, bench.region // bench.config.tile_bytes
    nothing = np.zeros(0, np.int8)
    for tile in range(0, config.wgt_tiles, step):
        start = tile * config.tile_bytes
        bench.compute(nothing, [], weights=weights[start:start + step * config.tile_bytes],
                      tile=tile)
    wrong: dict[int, str] = {}
    lanes = min(config.rows, _max_positions(bench))
    most = min(config.acc_rows // 2 // lanes, bench.max_steps - 8,
               (bench.room - 4 * config.cols - lanes * config.rows) // (4 * config.cols * lanes))
    most = max(1, most)
    for first in range(0, config.rows, lanes):
        ones = np.eye(config.rows, dtype=np.int8)[first:first + lanes]
        local = _local(bench, ones)
        for tile in range(0, config.wgt_tiles, most):
            count = min(most, config.wgt_tiles - tile)
            steps: list[Step] = [
                ("MATMUL", _matmul(bench, location.row + at * len(ones), tile + at, len(ones)))
                for at in range(count)]
            found, expected = _sums(bench, local, steps, location, count * len(ones))
            # line 0 of a tile belongs to the last row of cells
            lines = np.concatenate([
                (tile + at + 1) * config.rows - 1 - first - np.arange(len(ones))
                for at in range(count)])
            wrong |= differences(
                found, expected,
                lambda at, col, lines=lines: int(lines[at]) * config.cols + col)
    return wrong


def check_weights(bench: Bench) -> str:
    """Check every bit of the weight buffer as 0 and as 1; all are written before any is read."""
    config = bench.config
    weights = bench.random_bytes(config.wgt_bytes)
    for pattern in (weights, ~weights):
        wrong = bench.faults_at_both(partial(_weight_faults, bench, pattern))
        if wrong:
            raise Fault(listing(
                wrong, config.wgt_bytes,
                lambda at: f"tile {at // config.tile_bytes}, byte {at % config.tile_bytes}"))
    return f"all {config.wgt_tiles} tiles"


def _check_variants(bench: Bench, variants: Sequence[_Variant], pitch: int) -> None:
    """Check MATMULs with fields that the other checks do not use."""
    config = bench.config
    passes = min(4, config.wgt_tiles // 2)
    weights = bench.random_bytes(passes * config.tile_bytes)
    loops = {"row_count": min(2, passes), "chunk_count": max(1, passes // 2), "y_count": 2,
             "x_count": 2, "x_pitch": pitch, "y_pitch": 2 * pitch + 3, "row_pitch": 3 * pitch + 1,
             "chunk_pitch": config.rows - 1}
    reach = 9 * pitch + 2 * config.rows + 8 + config.rows * pitch
    reach = min(reach, bench.room - 20 * config.cols)
    local = _local(bench, bench.random_bytes(reach))

    def attempt(location: Location) -> dict[tuple[str, int], str]:
        wrong: dict[tuple[str, int], str] = {}
        base = _matmul(bench, location.row, location.tile, 4) | loops
        for name, first, second in variants:
            steps: list[Step] = [("MATMUL", {**base, **fields}) for fields in (first, second)
                                 if fields is not None]
            found, expected = _sums(bench, local, steps, location, 4, weights=weights,
                                    tile=location.tile)
            wrong |= differences(found, expected, lambda at, col, name=name: (name, col))
        return wrong

    wrong = bench.faults_at_both(attempt)
    if wrong:
        raise Fault(listing(wrong, len(variants) * config.cols,
                            lambda key: f"{key[0]}, column {key[1]}"))


def check_combining(bench: Bench) -> None:
    """Check the sum and the maximum of passes, and the loops over them."""
    blank = bench.config.rows // 2
    apart = {"apart": 1, "y_count": 1, "x_count": 2 if bench.config.wgt_tiles >= 4 else 4}
    _check_variants(bench, (
        ("sum", {}, None), ("accumulate", {"hold": 1}, {"accumulate": 1}),
        ("maximum", {"maximum": 1}, None),
        ("maximum with earlier accumulators", {"hold": 1}, {"maximum": 1, "accumulate": 1}),
        ("hold", {"hold": 1}, None), ("blank", {"blank": blank}, None),
        ("apart", apart, None)), bench.config.rows + 1)


def check_depthwise(bench: Bench) -> None:
    """Check depthwise passes with one tap and with as many as possible."""
    leads = sorted({0, 1, bench.config.rows - 1})
    _check_variants(bench, [
        *((f"{lead + 1} taps", {"depthwise": 1, "lead": lead}, None) for lead in leads),
        ("depthwise maximum", {"depthwise": 1, "lead": 2, "maximum": 1}, None),
        ("depthwise accumulate", {"hold": 1}, {"depthwise": 1, "lead": 1, "accumulate": 1})], 3)
