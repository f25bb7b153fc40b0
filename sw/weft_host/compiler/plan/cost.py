"""Estimated duration of each instruction, for the choice of plans and of the program's order.

The figures are rules of thumb for host memory with a latency of 20 cycles. They influence speed,
but no result.
"""

from collections.abc import Mapping

from weft.spec.config import Config
from weft.spec.integers import ceil_div
from weft.spec.isa import Mode

__all__ = ["COPY_START", "FETCH", "FILL_START", "HELD_PASS", "MATMUL_END", "MATMUL_GAP",
           "copy_cycles", "drain_cycles", "fill_cycles", "instruction_cycles", "map_cycles",
           "matmul_cycles", "params_cycles", "softmax_cycles", "table_cycles"]

FETCH = 12          # cycles per instruction that the sequencer fetches
COPY_START = 34     # latency of host memory and of the DMA engine
FILL_START = 8
MATMUL_GAP = 8      # cycles between two MATMULs that do not wait
MATMUL_END = 12     # from the last vector to the end, in addition to the array's rows and columns
HELD_PASS = 4       # minimum duration of a pass with a held tile
PARAMS_START = 11
DRAIN_START = 20
TABLE_CYCLES = 268
MAP_START = 27
SOFTMAX_START = 20
SOFTMAX_ROW = 90    # the reciprocal, and the latencies of the lanes


def copy_cycles(config: Config, count: int, size: int) -> int:
    """Return the cycles in which ``count`` rows of ``size`` bytes are copied, a burst per row."""
    return COPY_START + count * (ceil_div(size, config.bus_bytes) + (1 if count > 1 else 0))


def fill_cycles(config: Config, count: int, size: int) -> int:
    """Return the cycles of FILL on ``count`` rows of ``size`` bytes."""
    return FILL_START + count * ceil_div(size, config.bus_bytes)


def matmul_cycles(config: Config, passes: int, vectors: int, *, hold: bool = False) -> int:
    """Return the cycles of MATMUL for ``passes`` passes of ``vectors`` vectors each.

    A tile takes ``tile_cycles`` cycles to enter the array. With ``hold``, one tile serves all
    passes.
    """
    end = MATMUL_END + config.rows + config.cols // 2
    if hold:
        return config.tile_cycles + passes * max(HELD_PASS, vectors) + end
    return passes * max(config.tile_cycles, vectors) + end


def params_cycles(channels: int, *, per_channel: bool = True) -> int:
    """Return the cycles of PARAMS for ``channels`` channels.

    PARAMS reads a bias, a multiplier and a shift for each channel, or without ``per_channel`` a
    bias only.
    """
    return PARAMS_START + (3 if per_channel else 1) * channels


def drain_cycles(config: Config, positions: int, channels: int, size: int = 1) -> int:
    """Return the cycles of DRAIN for ``positions`` rows of ``channels`` results of ``size`` bytes.
    """
    return DRAIN_START + positions * ceil_div(channels, config.vector_lanes) * size


def table_cycles() -> int:
    """Return the cycles of TABLE, which reads one table into VECTOR."""
    return TABLE_CYCLES


def map_cycles(config: Config, count: int, size: int, op: int) -> int:
    """Return the cycles of MAP with operation ``op`` on ``count`` rows of ``size`` bytes.

    A sum or a product reads its two operands alternately, which takes twice as long.
    """
    return MAP_START + count * ceil_div(size, config.vector_lanes) * (2 if op else 1)


def softmax_cycles(config: Config, count: int, size: int) -> int:
    """Return the cycles of SOFTMAX on ``count`` rows of ``size`` bytes."""
    return SOFTMAX_START + count * (SOFTMAX_ROW + 3 * ceil_div(size, config.vector_lanes))


def instruction_cycles(config: Config, name: str, fields: Mapping[str, int]) -> int:
    """Return the cycles of the instruction ``name`` with these fields."""
    match name:
        case "LOAD" | "LOAD_WGT" | "STORE":
            return copy_cycles(config, fields["count"], fields["bytes"])
        case "FILL":
            return fill_cycles(config, fields["count"], fields["bytes"])
        case "MATMUL":
            return matmul_cycles(config, fields["row_count"] * fields["chunk_count"],
                                 fields["y_count"] * (fields["x_count"] + fields.get("lead", 0)),
                                 hold=bool(fields["hold"]))
        case "PARAMS":
            return params_cycles(fields["channels"], per_channel=bool(fields["per_channel"]))
        case "DRAIN":
            return drain_cycles(config, fields["y_count"] * fields["x_count"], fields["channels"],
                                4 if fields["mode"] == Mode.RAW else 1)
        case "TABLE":
            return table_cycles()
        case "MAP":
            return map_cycles(config, fields["count"], fields["bytes"], fields["op"])
        case "SOFTMAX":
            return softmax_cycles(config, fields["count"], fields["bytes"])
        case _:
            return 1
