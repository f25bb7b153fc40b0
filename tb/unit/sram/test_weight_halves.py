"""Weight buffer of two halves compared with a byte array."""

import random

import numpy as np
import pytest
from amaranth.sim import Simulator

from support.seeds import seed
from weft.spec.config import Config
from weft.sram.weight_halves import WeightHalves

CONFIGS = [
    Config(name="narrow beats", rows=8, cols=4, wgt_bytes=128, bus_width=32, tile_lines=2),
    Config(name="beats of half a tile", rows=8, cols=4, wgt_bytes=64, bus_width=128, tile_lines=2),
    Config(name="beats of a line", rows=16, cols=8, wgt_bytes=512, tile_lines=2),
    Config(name="short lines", rows=8, cols=2, wgt_bytes=128, vector_lanes=1, tile_lines=2),
    Config(name="single lanes", rows=8, cols=4, wgt_bytes=1 << 14, bus_width=32, tile_lines=2),
]


class Bench:
    """Writes and reads of the memory, and a byte array with the expected contents."""

    def __init__(self, config, name):
        self.dut = WeightHalves(config)
        self.config = config
        self.random = random.Random(f"{seed()}/{name}")
        self.model = np.zeros(config.wgt_bytes, np.uint8)
        self.stalls = 0

    async def write(self, ctx, addr, data, mask):
        """Write a beat and update the model."""
        load = self.dut.load
        ctx.set(load.req.payload, {"addr": addr, "data": data, "mask": mask, "last": 1})
        ctx.set(load.req.valid, 1)
        while not (await ctx.tick().sample(load.req.ready))[-1]:
            self.stalls += 1
        ctx.set(load.req.valid, 0)
        for byte, value in enumerate(data):
            if mask >> byte & 1:
                self.model[(addr + byte) % len(self.model)] = value

    async def write_randomly(self, ctx, count):
        """Write ``count`` beats at any address, many of them at the end of half a tile."""
        size, half = self.config.bus_bytes, self.config.tile_bytes // 2
        for _ in range(count):
            addr = self.random.randrange(len(self.model))
            if self.random.random() < 0.5:
                addr = (addr // half * half + self.random.randint(-size, size)) % len(self.model)
            await self.write(ctx, addr, [self.random.randrange(256) for _ in range(size)],
                             self.random.choice([(1 << size) - 1, self.random.getrandbits(size)]))
        await ctx.tick().repeat(self.dut.read_latency)

    async def check(self, ctx, lines):
        """Read ``lines``, a pair of addresses each, and compare them with the model."""
        ports = (self.dut.matmul, self.dut.matmul_lower)
        tiles = self.model.reshape(-1, 2, self.config.tile_cycles, self.config.cols)
        due = {}
        for cycle in range(len(lines) + self.dut.read_latency):
            for number, port in enumerate(ports):
                if cycle < len(lines):
                    line = lines[cycle][number]
                    tile, index = divmod(line, self.config.tile_cycles)
                    due[number, cycle + self.dut.read_latency] = tiles[tile, 1 - number, index]
                    ctx.set(port.req.payload, line)
                ctx.set(port.req.valid, cycle < len(lines))
            found = {(number, cycle): list(ctx.get(port.data))
                     for number, port in enumerate(ports) if ctx.get(port.valid)}
            expected = {key: list(map(int, due[key])) for key in due if key[1] == cycle}
            assert found == expected, (self.config.name, cycle)
            await ctx.tick()

    def any_lines(self, count):
        """Return ``count`` random pairs of addresses."""
        total = 1 << self.dut.line_width
        return [(self.random.randrange(total), self.random.randrange(total))
                for _ in range(count)]

    def run(self, process):
        """Simulate ``process``, which has the context as its argument."""
        simulator = Simulator(self.dut)
        simulator.add_clock(1e-6)
        simulator.add_testbench(process)
        simulator.run()


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.name)
def test_both_halves_hold_what_was_written_at_any_byte_address(config):
    bench = Bench(config, config.name)

    async def process(ctx):
        for _ in range(6):
            await bench.write_randomly(ctx, 60)
            total = min(128, 1 << bench.dut.line_width)
            await bench.check(ctx, [(line, line) for line in range(total)])
            await bench.check(ctx, bench.any_lines(40))
    bench.run(process)
    wide = config.wgt_group == 2 and config.wgt_row_bytes == config.bus_bytes
    assert (bench.stalls > 0) == wide      # a beat as wide as a half takes two cycles if odd


def test_two_beats_are_written_to_both_halves_of_a_tile():
    config = Config(name="4-bit weights", rows=8, cols=8, wgt_bytes=512, max_burst=4, tile_lines=2,
                    fixed_point=True, weights_4bit=True)
    bench = Bench(config, config.name)
    half, width = config.tile_bytes // 2, config.bus_bytes

    async def process(ctx):
        ctx.set(bench.dut.load_upper.en, 1)
        for _ in range(100):
            tile = bench.random.randrange(config.wgt_tiles) * config.tile_bytes
            addr = tile + bench.random.randrange(0, half, width)
            upper = bench.random.randbytes(width)
            mask = bench.random.choice((0, (1 << width) - 1))
            ctx.set(bench.dut.load_upper.data, list(upper))
            await bench.write(ctx, addr, list(bench.random.randbytes(width)), mask)
            if mask:
                bench.model[addr + half:addr + half + width] = list(upper)
        assert bench.stalls == 0
        ctx.set(bench.dut.load_upper.en, 0)
        await bench.write_randomly(ctx, 20)
        await bench.check(ctx, [(line, line) for line in range(1 << bench.dut.line_width)])
    bench.run(process)


def test_a_tile_enters_in_lines_of_the_lower_and_the_upper_rows():
    """Line 0 of a tile is for the last row of the array, the last line for row 0."""
    config = CONFIGS[0]
    bench = Bench(config, "order")
    assert 1 << bench.dut.line_width == 2 * len(bench.model) // config.tile_bytes * 2

    async def process(ctx):
        for addr in range(0, len(bench.model), 4):
            await bench.write(ctx, addr, [addr // 4] * 4, 15)
        await ctx.tick().repeat(bench.dut.read_latency)
        ctx.set(bench.dut.matmul.req.payload, 4 + 1)        # tile 1, line 1 of each half
        ctx.set(bench.dut.matmul_lower.req.payload, 4 + 1)
        ctx.set(bench.dut.matmul.req.valid, 1)
        ctx.set(bench.dut.matmul_lower.req.valid, 1)
        await ctx.tick().repeat(bench.dut.read_latency)
        assert list(ctx.get(bench.dut.matmul_lower.data)) == [8 + 1] * 4
        assert list(ctx.get(bench.dut.matmul.data)) == [8 + 4 + 1] * 4
    bench.run(process)


@pytest.mark.parametrize("config", CONFIGS[:2], ids=lambda config: config.name)
def test_clear_zeroes_both_halves(config):
    bench = Bench(config, "clear")

    async def process(ctx):
        await bench.write_randomly(ctx, 60)
        ctx.set(bench.dut.i_clear, 1)
        await ctx.tick()
        ctx.set(bench.dut.i_clear, 0)
        while ctx.get(bench.dut.o_clearing):
            await ctx.tick()
        assert bench.model.any()
        bench.model[:] = 0
        await bench.check(ctx, [(line, line) for line in range(1 << bench.dut.line_width)])
        await bench.write_randomly(ctx, 20)
        await bench.check(ctx, bench.any_lines(20))
    bench.run(process)
