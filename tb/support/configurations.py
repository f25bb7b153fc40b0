"""Random configurations out of all that Config accepts, and corner cases."""

import random

from weft.spec.config import MULTIPLIERS, Config

__all__ = ["CORNERS", "random_config"]

_COST = 4.0             # cost of a configuration that builds in a few seconds; see _cost

CORNERS = {
    "wide bus, few rows": dict(
        rows=4, cols=4, bus_width=256, max_burst=128, spad_bytes=1024, wgt_bytes=512),
    "narrow bus, many rows": dict(
        rows=64, cols=4, bus_width=32, spad_bytes=8192, spad_banks=1, wgt_bytes=1024),
    "two columns, eight banks, one lane": dict(
        rows=8, cols=2, spad_banks=8, vector_lanes=1, spad_bytes=4096, wgt_bytes=256),
    "many columns, few rows": dict(
        rows=4, cols=64, vector_lanes=64, spad_bytes=4096, wgt_bytes=512, acc_rows=16),
    "one burst in flight": dict(
        rows=4, cols=4, vector_lanes=4, outstanding=1, max_burst=1, queue_depth=2, addr_width=20),
    "minimum of every parameter": dict(
        rows=4, cols=2, spad_bytes=256, spad_banks=1, wgt_bytes=16, acc_rows=8, vector_lanes=1,
        bus_width=32, addr_width=16, queue_depth=2, max_burst=1, outstanding=1),
    "long queues": dict(
        rows=4, cols=8, vector_lanes=8, bus_width=128, queue_depth=64, max_burst=256,
        outstanding=64, addr_width=19),
    "two columns, two lines per cycle": dict(
        rows=8, cols=2, tile_lines=2, vector_lanes=2, spad_bytes=4096, wgt_bytes=256),
    "two lines per cycle, a beat of half a tile": dict(
        rows=8, cols=4, tile_lines=2, bus_width=128, spad_bytes=2048, wgt_bytes=128),
    "beats wider than any tile": dict(
        rows=4, cols=2, vector_lanes=2, bus_width=256, spad_bytes=1024, spad_banks=8,
        wgt_bytes=64, max_burst=1),
}
"""Keyword arguments of :class:`weft.spec.config.Config`, by a description of the corner case."""


def _powers(low, high):
    return [1 << n for n in range(low.bit_length() - 1, high.bit_length())]


def _cost(config):
    """Estimate the time of a build from cells, shifted bytes and requantisers."""
    return (config.rows * config.cols / 16 + config.spad_row_bytes * config.spad_banks / 16
            + config.bus_bytes / 8 + config.vector_lanes / 2 + config.queue_depth / 32)


def random_config(seed):
    """Return the configuration of a seed, with every parameter drawn from its whole range.

    The longer a configuration takes to build, the rarer it is; every one is possible.
    """
    draw = random.Random(f"configuration {seed}")
    while True:
        parts = dict(
            rows=draw.choice(_powers(4, 64)), cols=draw.choice(_powers(2, 64)),
            spad_bytes=draw.choice(_powers(256, 65536)), spad_banks=draw.choice((1, 2, 4, 8)),
            wgt_bytes=draw.choice(_powers(16, 16384)), acc_rows=draw.choice(_powers(8, 1024)),
            vector_lanes=draw.choice(_powers(1, 64)), bus_width=draw.choice((32, 64, 128, 256)),
            addr_width=draw.randint(16, 32), queue_depth=draw.choice(_powers(2, 64)),
            max_burst=draw.choice(_powers(1, 256)), outstanding=draw.choice(_powers(1, 64)),
            multiplier=draw.choice(MULTIPLIERS), tile_lines=draw.choice((1, 2)))
        cells = parts["rows"] * parts["cols"]
        if parts["multiplier"] in ("ecp5", "ice40"):
            parts["dsp_cells"] = draw.choice((None, 0, draw.randint(0, cells)))
        try:
            config = Config(name=f"random-{seed}", **parts)
        except ValueError:
            continue        # an invalid combination
        if draw.random() < (_COST / _cost(config)) ** 3:
            return config
