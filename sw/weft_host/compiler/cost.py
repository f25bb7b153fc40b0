"""How long an instruction keeps its unit busy, estimated; the tiling and the order rest on it.

The figures are rules of thumb for memory with 20 cycles of latency. No result depends on them,
only speed does.
"""

from weft.control.isa import Mode

__all__ = ["COPY_START", "FETCH", "MATMUL_START", "VECTOR_START", "copy_cycles", "drain_cycles",
           "fill_cycles", "instruction_cycles", "map_cycles", "matmul_cycles", "params_cycles",
           "softmax_cycles", "table_cycles"]

FETCH = 12          # cycles in which the sequencer takes one instruction
COPY_START = 34     # latency of host memory, and the way through the DMA
FILL_START = 8
MATMUL_START = 12   # to the first vector, and from the last to the end, beyond the next one's start
VECTOR_START = 16
PARAM_CYCLES = 2    # a channel: bias, then scale
TABLE_ENTRIES = 256
SOFTMAX_ROW = 350   # the reciprocal, and the way through the lanes three times


def copy_cycles(config, count, size):
    """A copy of ``count`` rows of ``size`` bytes; a row begins a burst."""
    return COPY_START + count * (-(-size // config.bus_bytes) + (1 if count > 1 else 0))


def fill_cycles(config, count, size):
    """A fill of ``count`` rows of ``size`` bytes."""
    return FILL_START + count * -(-size // config.bus_bytes)


def matmul_cycles(config, passes, positions):
    """``passes`` over ``positions`` positions; a tile takes ``rows`` cycles to shift in."""
    return MATMUL_START + passes * max(config.rows, positions)


def params_cycles(channels):
    """Reading the parameters of ``channels`` channels."""
    return VECTOR_START + PARAM_CYCLES * channels


def drain_cycles(config, positions, channels, size=1):
    """Draining ``positions`` rows of ``channels`` channels of ``size`` bytes."""
    return VECTOR_START + positions * -(-channels // config.vector_lanes) * size


def table_cycles():
    """Reading a table."""
    return VECTOR_START + TABLE_ENTRIES


def map_cycles(config, count, size, op):
    """Mapping ``count`` rows of ``size`` bytes; operands are read in turn."""
    return 2 * VECTOR_START + count * -(-size // config.vector_lanes) * (2 if op else 1)


def softmax_cycles(config, count, size):
    """SOFTMAX of ``count`` rows of ``size`` bytes."""
    return VECTOR_START + count * (SOFTMAX_ROW + 3 * -(-size // config.vector_lanes))


def instruction_cycles(config, name, fields):
    """Cycles for an instruction with these fields."""
    if name in ("LOAD", "LOAD_WGT", "STORE"):
        return copy_cycles(config, fields["count"], fields["bytes"])
    if name == "FILL":
        return fill_cycles(config, fields["count"], fields["bytes"])
    if name == "MATMUL":
        return matmul_cycles(config, fields["row_count"] * fields["chunk_count"],
                             fields["y_count"] * (fields["x_count"] + fields.get("lead", 0)))
    if name == "PARAMS":
        return params_cycles(fields["channels"])
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
