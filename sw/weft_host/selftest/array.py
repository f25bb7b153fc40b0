"""The self-test's checks of array, accumulators and weight buffer."""

import numpy as np

from .bench import Fault, differences, listing

__all__ = ["check_cells", "check_load", "check_accumulators", "check_weights", "check_combining",
           "check_depthwise"]

_OPERANDS = (85, -86, 127, -128)        # every bit of an operand as 0 and as 1


def _positions(bench):
    """Vectors of a program, whose results fit the scratchpad beside them, in half of the rows."""
    config = bench.config
    return min(config.acc_rows // 2,
               (bench.room - 4 * config.cols) // (config.rows + 4 * config.cols))


def _matmul(bench, acc_addr, tile, count):
    """Vectors behind the biases times one tile."""
    config = bench.config
    return ("MATMUL", {"act_addr": 4 * config.cols, "acc_addr": acc_addr, "wgt_addr": tile,
                       "row_count": 1, "chunk_count": 1, "y_count": 1, "x_count": count,
                       "x_pitch": config.rows})


def _local(bench, vectors):
    """Biases of 0, then vectors."""
    return np.concatenate([np.zeros(4 * bench.config.cols, np.int8), vectors.reshape(-1)])


def _sums(bench, results):
    return [result.view("<i4").reshape(-1, bench.config.cols) for result in results]


def _cell_faults(bench, weights, place):
    config = bench.config
    step = max(1, _positions(bench) // len(_OPERANDS))
    wrong: dict = {}
    for pattern in (weights, ~weights):
        for first in range(0, config.rows, step):
            rows = np.repeat(np.arange(first, min(first + step, config.rows)), len(_OPERANDS))
            vectors = np.zeros((len(rows), config.rows), np.int8)
            vectors[np.arange(len(rows)), rows] = np.resize(_OPERANDS, len(rows))
            local = _local(bench, vectors)
            found, expected = _sums(bench, bench.compute(
                local, [_matmul(bench, place.row, place.tile, len(rows)),
                        *bench.raw(place, len(local), len(rows))],
                4 * config.cols * len(rows), pattern, place.tile))
            wrong = differences(found, expected,
                                lambda at, col, rows=rows: (int(rows[at]), col)) | wrong
    return wrong


def check_cells(bench):
    """Each vector has one operand, so each result belongs to one cell.

    Weights come with their complements: every bit of every cell as 0 and as 1.
    """
    config = bench.config
    weights = bench.bytes(config.tile_bytes)
    wrong = bench.common(lambda place: _cell_faults(bench, weights, place))
    if wrong:
        raise Fault(listing(wrong, config.rows * config.cols,
                            lambda cell: f"row {cell[0]}, column {cell[1]}"))
    return f"all {config.rows * config.cols} cells"


def check_load(bench):
    """All cells at work, a vector in every cycle, tile after tile, as long as memories allow."""
    config = bench.config
    passes = min(config.wgt_tiles // 2, max(1, bench.region // 2 // config.tile_bytes))
    weights = bench.bytes(passes * config.tile_bytes)
    room = min(config.spad_bytes, bench.region - len(weights)) - 4 * config.cols - passes
    count = max(1, min(config.acc_rows // 2, room // (config.rows + 4 * config.cols)))
    local = _local(bench, bench.bytes(count * config.rows + passes))

    def attempt(place):
        name, fields = _matmul(bench, place.row, place.tile, count)
        found, expected = _sums(bench, bench.compute(
            local, [(name, {**fields, "row_count": passes, "row_pitch": 1}),
                    *bench.raw(place, len(local), count)],
            4 * config.cols * count, weights, place.tile))
        return differences(found, expected, lambda at, col: (at, col))

    wrong = bench.common(attempt)
    if wrong:
        raise Fault(listing(wrong, count * config.cols,
                            lambda key: f"vector {key[0]}, column {key[1]}"))
    return f"{passes} tiles times {count} vectors"


def _accumulator_faults(bench, weights, vectors, place):
    config, most = bench.config, _positions(bench)
    for first in range(0, config.acc_rows, most):
        part = vectors[first:first + most]
        bench.compute(_local(bench, part), [_matmul(bench, first, place.tile, len(part))],
                      weights=weights, tile=place.tile)
    wrong: dict = {}
    most = (bench.room - 4 * config.cols) // (4 * config.cols)
    local = _local(bench, vectors[:0])
    for first in range(0, config.acc_rows, most):
        count = min(most, config.acc_rows - first)
        found, expected = _sums(bench, bench.compute(
            local, bench.raw(place, len(local), count, acc_addr=first), 4 * config.cols * count))
        wrong |= differences(found, expected, lambda at, col, first=first: (first + at, col))
    return wrong


def check_accumulators(bench):
    """Every bit of every accumulator as 0 and as 1, all written before any is read."""
    config = bench.config
    weights = bench.bytes(config.tile_bytes)
    weights[:config.cols] = -1              # of the last lane
    vectors = np.maximum(bench.bytes(config.acc_rows * config.rows), -127)
    vectors = vectors.reshape(config.acc_rows, config.rows)
    vectors[:, -1] = 0
    inverse = -vectors
    inverse[:, -1] = 1                      # ~sum is -sum - 1
    for pattern in (vectors, inverse):
        wrong = bench.common(
            lambda place, pattern=pattern: _accumulator_faults(bench, weights, pattern, place))
        if wrong:
            raise Fault(listing(wrong, config.acc_rows * config.cols,
                                lambda key: f"row {key[0]}, column {key[1]}"))
    return f"all {config.acc_rows} rows"


def _weight_faults(bench, weights, place):
    config, step = bench.config, bench.region // bench.config.tile_bytes
    nothing = np.zeros(0, np.int8)
    for tile in range(0, config.wgt_tiles, step):
        start = tile * config.tile_bytes
        bench.compute(nothing, [], weights=weights[start:start + step * config.tile_bytes],
                      tile=tile)
    wrong: dict = {}
    lanes = min(config.rows, _positions(bench))
    most = min(config.acc_rows // 2 // lanes, bench.steps_most - 8,
               (bench.room - 4 * config.cols - lanes * config.rows) // (4 * config.cols * lanes))
    most = max(1, most)
    for first in range(0, config.rows, lanes):
        ones = np.eye(config.rows, dtype=np.int8)[first:first + lanes]
        local = _local(bench, ones)
        for tile in range(0, config.wgt_tiles, most):
            count = min(most, config.wgt_tiles - tile)
            steps = [_matmul(bench, place.row + at * len(ones), tile + at, len(ones))
                     for at in range(count)]
            found, expected = _sums(bench, bench.compute(
                local, steps + bench.raw(place, len(local), count * len(ones)),
                4 * config.cols * count * len(ones)))
            # line 0 of a tile belongs to the last row of cells
            lines = np.concatenate([
                (tile + at + 1) * config.rows - 1 - first - np.arange(len(ones))
                for at in range(count)])
            wrong |= differences(
                found, expected,
                lambda at, col, lines=lines: int(lines[at]) * config.cols + col)
    return wrong


def check_weights(bench):
    """Every bit of the weight buffer as 0 and as 1, all written before any is read."""
    config = bench.config
    weights = bench.bytes(config.wgt_bytes)
    for pattern in (weights, ~weights):
        wrong = bench.common(
            lambda place, pattern=pattern: _weight_faults(bench, pattern, place))
        if wrong:
            raise Fault(listing(
                wrong, config.wgt_bytes,
                lambda at: f"tile {at // config.tile_bytes}, byte {at % config.tile_bytes}"))
    return f"all {config.wgt_tiles} tiles"


def _check_variants(bench, variants, pitch):
    """MATMULs with other fields than those of the rest of the checks, by name."""
    config = bench.config
    passes = min(4, config.wgt_tiles // 2)
    weights = bench.bytes(passes * config.tile_bytes)
    loops = {"row_count": min(2, passes), "chunk_count": max(1, passes // 2), "y_count": 2,
             "x_count": 2, "x_pitch": pitch, "y_pitch": 2 * pitch + 3, "row_pitch": 3 * pitch + 1,
             "chunk_pitch": config.rows - 1}
    reach = 9 * pitch + 2 * config.rows + 8 + config.rows * pitch
    reach = min(reach, bench.room - 20 * config.cols)
    local = _local(bench, bench.bytes(reach))

    def attempt(place):
        wrong: dict = {}
        for name, first, second in variants:
            base = _matmul(bench, place.row, place.tile, 4)[1] | loops
            steps = [("MATMUL", base | fields) for fields in (first, second) if fields is not None]
            found, expected = _sums(bench, bench.compute(
                local, steps + bench.raw(place, len(local), 4), 16 * config.cols, weights,
                place.tile))
            wrong |= differences(found, expected, lambda at, col, name=name: (name, col))
        return wrong

    wrong = bench.common(attempt)
    if wrong:
        raise Fault(listing(wrong, len(variants) * config.cols,
                            lambda key: f"{key[0]}, column {key[1]}"))


def check_combining(bench):
    """Passes that are added up or combined by maximum, and the loops over them."""
    blank = bench.config.rows // 2
    apart = {"apart": 1, "y_count": 1, "x_count": 2 if bench.config.wgt_tiles >= 4 else 4}
    _check_variants(bench, (
        ("sum", {}, None), ("accumulate", {"hold": 1}, {"accumulate": 1}),
        ("maximum", {"maximum": 1}, None),
        ("maximum with what is there", {"hold": 1}, {"maximum": 1, "accumulate": 1}),
        ("hold", {"hold": 1}, None), ("blank", {"blank": blank}, None),
        ("apart", apart, None)), bench.config.rows + 1)


def check_depthwise(bench):
    """Columns that filter their own bytes, with one tap and with as many as there are."""
    leads = sorted({0, 1, bench.config.rows - 1})
    _check_variants(bench, [
        *((f"{lead + 1} taps", {"depthwise": 1, "lead": lead}, None) for lead in leads),
        ("depthwise maximum", {"depthwise": 1, "lead": 2, "maximum": 1}, None),
        ("depthwise sum on sum", {"hold": 1}, {"depthwise": 1, "lead": 1, "accumulate": 1})], 3)
