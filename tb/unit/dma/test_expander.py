"""Expansion of 4-bit weights compared with plain Python, for all shapes of beats and tiles."""

import random

import pytest
from amaranth.sim import Simulator

from support.four_bit import FOUR_BIT_SIZES, expanded_tiles, four_bit_config, random_stream
from support.seeds import seed
from weft.dma.expander import WeightExpander


class Bench:
    """The expander with random stalls on both streams.

    Attributes
    ----------
    weights : list
        Pairs of the index of the half of the tile and a beat of weights.
    lasts : list
        Number of items of ``weights`` at each output with ``last``.
    dropped : int
        Beats without weights.
    cycles : int
        Cycles from the first beat to the last output.
    """

    def __init__(self, config, *, stall, seed_offset=0):
        self.config, self.stall = config, stall
        self.dut = WeightExpander(config)
        self.random = random.Random(f"{seed(seed_offset)}/{config.name}")
        self.weights, self.lasts, self.dropped, self.cycles = [], [], 0, 0

    def run(self, streams):
        """Send streams, and wait for the last weights."""
        width = self.config.bus_bytes
        beats = [(stream[at:at + width], at + width == len(stream))
                 for stream in streams for at in range(0, len(stream), width)]

        async def testbench(ctx):
            dut, sent, first = self.dut, 0, None
            offered = False
            tick = ctx.tick().sample(dut.i.ready, dut.o.valid, dut.o.ready, dut.o.payload,
                                     dut.o_dropped, dut.o_busy)
            held = None
            for cycle in range(100 * len(beats) + 100):
                if not offered and sent < len(beats) and self.random.random() >= self.stall:
                    data, last = beats[sent]
                    ctx.set(dut.i.payload, {"data": list(data), "last": last})
                    offered = True
                ctx.set(dut.i.valid, offered)
                ctx.set(dut.o.ready, self.random.random() >= self.stall)
                _, _, ready, valid, taken, out, dropped, busy = await tick
                assert held is None or (valid and held == out), "weights changed while stalled"
                held = out if valid and not taken else None
                self.dropped += dropped
                if sent == len(beats) and not busy:
                    return
                if offered and ready:
                    first = cycle if first is None else first
                    offered, sent = False, sent + 1
                if valid and taken:
                    self._receive(out)
                    self.cycles = cycle - first + 1
            raise AssertionError("not done")

        sim = Simulator(self.dut)
        sim.add_clock(1e-6)
        sim.add_testbench(testbench)
        sim.run()

    def _receive(self, out):
        data, width = list(out.data), self.config.bus_bytes
        if out.write:
            if self.config.tile_lines > 1:
                self.weights += [(0, data[:width]), (1, data[width:])]
                assert out.final and not out.upper
            else:
                self.weights.append((out.upper, data))
                assert out.final == out.upper
        if out.last:
            self.lasts.append(len(self.weights))


def in_order(config, tiles):
    """Return tiles as pairs of the index of the half and a beat of it, as the expander does."""
    width, half = config.bus_bytes, config.tile_bytes // 2
    return [(upper, [weight & 0xFF for weight in
                     tile[upper * half + at:upper * half + at + width]])
            for tile in tiles for at in range(0, half, width) for upper in range(2)]


@pytest.mark.parametrize("stall", [0.0, 0.4])
@pytest.mark.parametrize("size", FOUR_BIT_SIZES, ids=str)
def test_weights_equal_the_law_in_plain_python(size, stall):
    config = four_bit_config(*size)
    bench = Bench(config, stall=stall)
    # several streams follow each other; one has no weights
    streams = [random_stream(config, bench.random, blocks) for blocks in (2, 0, 1, 3)]
    bench.run(streams)
    expected = [in_order(config, expanded_tiles(config, stream)) for stream in streams]
    assert bench.weights == sum(expected, [])
    ends = [sum(map(len, expected[:count])) for count in range(1, len(streams) + 1)]
    assert bench.lasts == ends
    written = sum(map(len, expected)) // 2
    assert bench.dropped == sum(map(len, streams)) // config.bus_bytes - written


def test_all_codes_of_extreme_slopes_and_offsets():
    config = four_bit_config(8, 8, 64, 2)
    bench = Bench(config, stall=0)
    extremes = [slope | (offset & 0xFFF) << 12 for slope in (0, 1, 2048, 4095)
                for offset in (-2048, -2047, -1, 0, 1, 2047)]
    stream = b""
    for first in range(0, 32, 8):
        words = (extremes + extremes[:8])[first:first + 8]
        stream += bytes(word >> 8 * byte & 0xFF for byte in range(3) for word in words)
        stream += bytes(code << 4 | code for code in range(16) for _ in range(8))
    bench.run([stream])
    tiles = expanded_tiles(config, stream)
    assert bench.weights == in_order(config, tiles)
    found = {weight for tile in tiles for weight in tile}
    assert {-128, 127, 0, -1} <= found


@pytest.mark.parametrize("size", FOUR_BIT_SIZES, ids=str)
def test_a_beat_takes_a_cycle_with_two_tile_lines_and_otherwise_two(size):
    config = four_bit_config(*size)
    bench = Bench(config, stall=0)
    blocks = 3
    stream = random_stream(config, bench.random, blocks)
    bench.run([stream])
    beats = len(stream) // config.bus_bytes
    second = blocks * 16 * config.cols // config.bus_bytes if config.tile_lines == 1 else 0
    assert bench.cycles == beats + second + WeightExpander.LATENCY
