"""The self-test's checks of VECTOR: requantiser, parameters, tables, MAP and SOFTMAX."""

import numpy as np

from weft.spec.isa import TABLE_BYTES, MapOp, Mode

from ..numerics.fixed_point import softmax_exponentials
from .bench import Fault, differences, listing

__all__ = ["check_requantiser", "check_parameters", "check_map", "check_softmax", "has_tables"]

_MODES = (Mode.TFL2, Mode.TFL1, Mode.AWAY)
# zero point, clamp_min, clamp_max: every bit of each as 0 and as 1
_OUTPUTS = ((0, -128, 127), (-3, -128, 127), (127, -100, 90), (-128, -128, -1), (85, 0, 127),
            (-86, -5, 4))
_SHIFTS = (31, 32, 33, 34, 36, 40, 46, 54, 62, 29)
_TIES = (31, 32, 33, 34)                # shifts that leave halves to round, with _ONE
_ONE = 1 << 30
_SCALE = np.dtype([("multiplier", "<u4"), ("shift", "<u4")])
_VALUES = np.arange(-128, 128)


def _output(zero_point=0, low=-128, high=127):
    return {"zero_point": zero_point, "clamp_min": low, "clamp_max": high}


def _shared(number):
    """Whether in a round of the requantiser's check all channels share multiplier and shift."""
    return number % 5 == 4


def check_requantiser(bench):
    """Every channel's multiplier, rounding, zero point and clamp, in all modes."""
    config = bench.config
    count = min(8, config.acc_rows // 2,
                (bench.room - 12 * config.cols) // (config.rows + config.cols))
    weights = bench.bytes(config.tile_bytes)
    vectors = bench.bytes(count * config.rows).reshape(count, config.rows)
    vectors[:6] = 0                     # the bias alone, and a little beside it
    for at in range(1, min(6, count)):
        vectors[at, at % config.rows] = (-1) ** at
    rounds = [(mode, output) for output in _OUTPUTS for mode in _MODES]
    ties = len(rounds)                  # the first round with ties
    rounds += [(mode, _OUTPUTS[0]) for _ in _TIES for mode in _MODES]
    tables = []
    for number in range(len(rounds)):
        shifts = list(_SHIFTS if number < ties else _TIES)
        scale = np.zeros(config.cols, _SCALE)
        scale["shift"] = [shifts[(number + col) % len(shifts)] for col in range(config.cols)]
        scale["multiplier"] = bench.draw.integers(_ONE, 2 * _ONE, config.cols) \
            if number < ties else _ONE
        if _shared(number):
            scale[:] = scale[0]
        if number < ties:               # results of a byte's size
            size = np.minimum(2.0 ** (scale["shift"] - 23.5), 2.0 ** 31 - 1)
            bias = (bench.draw.uniform(-1, 1, config.cols) * size).astype("<i4")
        else:                           # odd numbers of halves; the modes differ below 0
            halves = 2 * bench.draw.integers(1, 120, config.cols) - 1
            sign = 1 if number < ties + len(_MODES) else -1
            bias = (sign * halves << scale["shift"].astype(np.int64) - 31).astype("<i4")
        tables.append((bias, scale))

    def attempt(place):
        wrong: dict = {}
        for number, ((mode, output), (bias, scale)) in enumerate(zip(rounds, tables)):
            local = np.concatenate([bias.view(np.int8), scale.view(np.int8), vectors.reshape(-1)])
            scales = {"multiplier": scale["multiplier"][0], "shift": scale["shift"][0]} \
                if _shared(number) else {"per_channel": 1, "scale_addr": 4 * config.cols}
            found, expected = bench.compute(local, [
                ("MATMUL", {"act_addr": 12 * config.cols, "acc_addr": place.row,
                            "wgt_addr": place.tile, "row_count": 1, "chunk_count": 1, "y_count": 1,
                            "x_count": count, "x_pitch": config.rows}),
                ("PARAMS", {"channels": config.cols, "bias_addr": 0, "channel": place.channel,
                            **scales}),
                ("DRAIN", {"mode": mode, "out_addr": len(local), "acc_addr": place.row,
                           "y_count": 1, "x_count": count, "x_pitch": config.cols,
                           "channels": config.cols, "channel": place.channel, **_output(*output)}),
            ], count * config.cols, weights, place.tile)
            wrong |= differences(found.reshape(count, -1), expected.reshape(count, -1),
                                 lambda _, col, number=number: (number, col))
        return wrong

    wrong = bench.common(attempt)
    if wrong:
        def name(key):
            number, col = key
            mode, (zero, low, high) = rounds[number]
            return (f"mode {mode.name}, shift {tables[number][1]['shift'][col]}, zero point "
                    f"{zero}, clamp {low} to {high}, channel {col}")
        raise Fault(listing(wrong, len(rounds) * config.cols, name))
    return f"{len(rounds)} settings times {config.cols} channels"


def _parameter_rounds(bench):
    """(biases, scales, mode) in which every bit is 0 and 1, and decides over a result."""
    count = bench.config.param_channels
    scale = np.zeros(count, _SCALE)
    bias = bench.bytes(4 * count).view("<i4")
    yield from ((pattern, scale, Mode.RAW) for pattern in (bias, ~bias))
    bias = np.full(count, 1 << 20, "<i4")
    pattern = bench.draw.integers(1, 255, count, dtype=np.uint8)    # 0 and 255 hide a wrong shift
    for lowest in (0, 1, 8, 15, 22, 23):        # the multiplier's bits that decide
        for bits in (pattern, ~pattern):
            scale = np.zeros(count, _SCALE)
            scale["multiplier"], scale["shift"] = bits.astype(np.uint32) << lowest, 20 + lowest
            yield bias, scale, Mode.TFL1


def _set_parameters(bench, bias, scale, size):
    """PARAMS for all places, ``size`` by each, and as many in a program as there is room for."""
    places = np.arange(bench.config.param_channels)
    cols = bench.config.cols
    size = min(size, bench.room // (12 * cols) * cols)
    step = bench.room // (12 * size) * size
    for start in range(0, len(places), step):
        local, steps = [], []
        for channel in range(start, min(start + step, len(places)), size):
            part = places[channel:channel + size]
            at = 12 * (channel - start)
            local += [bias[part].view(np.int8), scale[part].view(np.int8)]
            steps.append(("PARAMS", {"channels": len(part), "per_channel": 1, "bias_addr": at,
                                     "scale_addr": at + 4 * len(part), "channel": channel}))
        bench.compute(np.concatenate(local), steps)


def _parameter_faults(bench, rounds, place):
    config = bench.config
    vector = np.zeros(config.rows, np.int8)
    wrong: dict = {}
    for number, (bias, scale, mode) in enumerate(rounds):
        whole = number % 4 == 1         # of both kinds of rounds
        _set_parameters(bench, bias, scale, config.param_channels if whole else config.cols)
        size = config.cols * (4 if mode == Mode.RAW else 1)
        step = (bench.room - len(vector)) // size * config.cols
        for first in range(0, config.param_channels, step):
            starts = range(first, min(first + step, config.param_channels), config.cols)
            drains = [("DRAIN", {
                "mode": mode, "out_addr": len(vector) + size * number, "acc_addr": place.row,
                "y_count": 1, "x_count": 1, "channels": config.cols, "channel": start,
                **_output(-128)}) for number, start in enumerate(starts)]
            found, expected = bench.compute(vector, [
                ("MATMUL", {"act_addr": 0, "acc_addr": place.row, "wgt_addr": place.tile,
                            "row_count": 1, "chunk_count": 1, "y_count": 1, "x_count": 1}),
                *drains], size * len(starts))
            kind = "<i4" if mode == Mode.RAW else np.int8
            wrong = differences(found.view(kind), expected.view(kind),
                                lambda at, first=first: first + at) | wrong
    return wrong


def check_parameters(bench):
    """Bias, multiplier and shift of every channel: all written before any is used."""
    count, rounds = bench.config.param_channels, list(_parameter_rounds(bench))
    wrong = bench.common(lambda place: _parameter_faults(bench, rounds, place))
    if wrong:
        raise Fault(listing(wrong, count, lambda channel: f"channel {channel}"))
    return f"all {count} channels"


def has_tables(bench):
    """Whether the scratchpad has room for a table, operands and results."""
    return bench.room >= 2 * TABLE_BYTES - 128


def _table(number, multiplier=_ONE, shift=30):
    return ("TABLE", {"table": number, "table_addr": 0, "multiplier": multiplier, "shift": shift})


def _map(bench, tables, steps, fields):
    """Bytes of every value in every lane through MAP; tables are loaded one after the other.

    Returns the wrong ones by (byte that the last table is looked up with, lane).
    """
    lanes = bench.config.vector_lanes
    operand = np.resize(_VALUES, 256 + lanes).astype(np.int8)
    last = operand[::-1] if len(tables) > 1 else operand
    wrong: dict = {}
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


def check_map(bench):
    """Every bit of both tables in every lane as 0 and as 1, and the ways to combine them."""
    # -128 and 127 hide a wrong bit above them, for results saturate
    nothing, values = np.zeros(256, "<i4"), bench.draw.integers(-127, 127, 256).astype("<i4")

    def fail(wrong, what):
        if wrong:
            raise Fault(f"{what}: " + listing(wrong, 256 * bench.config.vector_lanes, lambda key: (
                f"byte {key[0]}, lane {key[1]}")))

    for number, name in enumerate("AB"):
        for lowest in (0, 8, 16, 24):
            for pattern in (values, ~values):
                table, step = pattern << lowest, _table(number, shift=30 + lowest)
                fields = {"mode": Mode.TFL1, "op": MapOp.ADD if number else MapOp.A, **_output()}
                tables = [nothing, table] if number else [table]
                fail(_map(bench, tables, [_table(0), step][-len(tables):], fields),
                     f"table {name}, bits from {lowest} on")
    a, b = (bench.draw.integers(-1 << 15, 1 << 15, (2, 256))).astype("<i4")
    for op, shift in ((MapOp.ADD, 39), (MapOp.MULTIPLY, 53)):
        for mode, output in zip(_MODES, _OUTPUTS[1:]):
            fail(_map(bench, [a, b], [_table(0), _table(1, _ONE + 12345, shift)],
                      {"mode": mode, "op": op, **_output(*output)}),
                 f"{op.name} in mode {mode.name}")
    return "both tables, ADD, MULTIPLY"


def check_softmax(bench):
    """Rows of bytes, near one another and far."""
    table = np.array(softmax_exponentials(0.1, 1.0)[::-1], "<i4").view(np.int8)
    for count, size, spread in ((1, 1, 1), (4, 10, 128), (3, 37, 20)):
        rows = bench.draw.integers(-spread, spread, count * size).astype(np.int8)
        local = np.concatenate([table, rows])
        found, expected = bench.compute(local, [_table(0), ("SOFTMAX", {
            "a_addr": TABLE_BYTES, "out_addr": len(local), "count": count, "a_pitch": size,
            "out_pitch": size, "bytes": size})], count * size)
        wrong = differences(found, expected, lambda at, size=size: divmod(at, size))
        if wrong:
            raise Fault(listing(wrong, count * size,
                                lambda key, size=size: f"row {key[0]}, byte {key[1]} of {size}"))
