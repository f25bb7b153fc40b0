"""How long an instruction keeps its unit busy, estimated; the tiling and the order rest on it.

The figures are rules of thumb for memory with 20 cycles of latency. No result depends on them,
only speed does.
"""

from weft.spec.isa import Mode

__all__ = ["COPY_START", "FETCH", "HELD_PASS", "MATMUL_END", "MATMUL_GAP", "copy_cycles",
           "drain_cycles", "fill_cycles", "instruction_cycles", "map_cycles", "matmul_cycles",
           "params_cycles", "softmax_cycles", "table_cycles"]

FETCH = 12          # cycles in which the sequencer takes one instruction
COPY_START = 34     # latency of host memory, and the way through the DMA
FILL_START = 8
MATMUL_GAP = 8      # between MATMULs that have nothing to wait for
MATMUL_END = 12     # from the last vector to the end, beyond the array's own rows and columns
HELD_PASS = 4       # the least of a pass whose tile stays
PARAMS_START = 11
DRAIN_START = 20
TABLE_CYCLES = 268
MAP_START = 27
SOFTMAX_START = 20
SOFTMAX_ROW = 90    # the reciprocal, and the ways through the lanes


def copy_cycles(config, count, size):
    """A copy of ``count`` rows of ``size`` bytes; a row begins a burst."""
    return COPY_START + count * (-(-size // config.bus_bytes) + (1 if count > 1 else 0))


def fill_cycles(config, count, size):
    """A fill of ``count`` rows of ``size`` bytes."""
    return FILL_START + count * -(-size // config.bus_bytes)


def matmul_cycles(config, passes, vectors, *, hold=False):
    """``passes`` of ``vectors`` vectors; a tile takes ``rows`` cycles to shift in."""
    end = MATMUL_END + config.rows + config.cols // 2
    if hold:
        return config.rows + passes * max(HELD_PASS, vectors) + end
    return passes * max(config.rows, vectors) + end


def params_cycles(channels, *, per_channel=True):
    """Reading the parameters of ``channels`` channels: bias, or bias, multiplier and shift."""
    return PARAMS_START + (3 if per_channel else 1) * channels


def drain_cycles(config, positions, channels, size=1):
    """Draining ``positions`` rows of ``channels`` channels of ``size`` bytes."""
    return DRAIN_START + positions * -(-channels // config.vector_lanes) * size


def table_cycles():
    """Reading a table."""
    return TABLE_CYCLES


def map_cycles(config, count, size, op):
    """Mapping ``count`` rows of ``size`` bytes; operands are read in turn."""
    return MAP_START + count * -(-size // config.vector_lanes) * (2 if op else 1)


def softmax_cycles(config, count, size):
    """SOFTMAX of ``count`` rows of ``size`` bytes."""
    return SOFTMAX_START + count * (SOFTMAX_ROW + 3 * -(-size // config.vector_lanes))


def instruction_cycles(config, name, fields):
    """Cycles for an instruction with these fields."""
    if name in ("LOAD", "LOAD_WGT", "STORE"):
        return copy_cycles(config, fields["count"], fields["bytes"])
    if name == "FILL":
        return fill_cycles(config, fields["count"], fields["bytes"])
    if name == "MATMUL":
        return matmul_cycles(config, fields["row_count"] * fields["chunk_count"],
                             fields["y_count"] * (fields["x_count"] + fields.get("lead", 0)),
                             hold=bool(fields["hold"]))
    if name == "PARAMS":
        return params_cycles(fields["channels"], per_channel=bool(fields["per_channel"]))
    if name == "DRAIN":
        return drain_cycles(config, fields["y_count"] * fields["x_count"], fields["channels"],
                            4 if fields["mode"] == Mode.RAW else 1)
    if name == "TABLE":
        return table_cycles()
    if name == "MAP":
        return map_cycles(config, fields["count"], fields["bytes"], fields["op"])
    if name == "SOFTMAX":
        return softmax_cycles(config, fields["count"], fields["bytes"])
    return 1
