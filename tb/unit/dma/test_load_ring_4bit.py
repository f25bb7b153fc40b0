"""LOAD_RING and LOAD_RING_4BIT through the weight buffer, with a consumer of tiles."""

import pytest

from support.four_bit import FOUR_BIT_SIZES, expanded_tiles, four_bit_config, random_stream
from support.tile_bench import TileBench
from weft.bus.axi4 import RESP_DECERR, RESP_SLVERR
from weft.spec import isa
from weft.spec.presets import preset

STREAMS = 0x2000        # host address from which on the streams are


class Program:
    """Random instructions that fill the ring, and the tiles that they append."""

    def __init__(self, bench):
        self.bench, self.config = bench, bench.config
        self.instructions, self.tiles = [], []
        self.end = STREAMS

    def four_bit(self, blocks):
        """Append an instruction that loads a new stream."""
        stream = random_stream(self.config, self.bench.random, blocks)
        self.bench.host.data[self.end:self.end + len(stream)] = stream
        assert self.end + len(stream) <= len(self.bench.host.data)
        self.instructions.append(isa.encode(
            "LOAD_RING_4BIT", count=blocks + 1, host_addr=self.end))
        self.end += len(stream) + self.bench.random.randrange(4) * self.config.bus_bytes
        self.tiles += [bytes(weight & 0xFF for weight in tile)
                       for tile in expanded_tiles(self.config, stream)]

    def int8(self):
        """Append an instruction that loads int8 tiles from any address."""
        draw, size = self.bench.random, self.config.tile_bytes
        per_row, rows = draw.randint(1, 2), draw.randint(1, 3)
        pitch = per_row * size + draw.randrange(5)
        start = draw.randrange(40)
        self.instructions.append(isa.encode(
            "LOAD_RING", count=rows, bytes=per_row * size, host_addr=start, host_pitch=pitch))
        for row in range(rows):
            for tile in range(per_row):
                at = start + row * pitch + tile * size
                self.tiles.append(bytes(self.bench.host.data[at:at + size]))

    def other(self):
        """Append an instruction that does not use the weight buffer."""
        self.instructions.append(self.bench.random.choice([
            isa.encode("SYNC_LOAD"), isa.encode("LOAD", count=2, bytes=9, host_addr=3,
                                                host_pitch=11, local_pitch=9),
            isa.encode("FILL", count=1, bytes=40, local_addr=100)]))


def random_program(bench, length):
    program = Program(bench)
    for _ in range(length):
        bench.random.choice((program.int8, program.other,
                             lambda: program.four_bit(bench.random.randrange(4))))()
    program.four_bit(1)
    return program


@pytest.mark.parametrize("stall", [0.0, 0.3])
@pytest.mark.parametrize("size", FOUR_BIT_SIZES, ids=str)
def test_tiles_arrive_in_order(size, stall):
    bench = TileBench(four_bit_config(*size), stall=stall, latency=5)
    program = random_program(bench, 5)
    bench.run(program.instructions, len(program.tiles))
    assert bench.tiles == program.tiles and bench.error is None
    assert bench.done == len(program.instructions)


@pytest.mark.parametrize("size", FOUR_BIT_SIZES[::4], ids=str)
def test_a_full_ring_loses_no_tile(size):
    config = four_bit_config(*size)
    bench = TileBench(config, wait=6 * config.wgt_bytes // config.bus_bytes, latency=5)
    program = Program(bench)
    for blocks in (1, 3 * config.wgt_bytes // (32 * config.cols), 2):
        program.four_bit(blocks)
        program.int8()
    bench.run(program.instructions, len(program.tiles))
    assert len(bench.tiles) > 2 * config.wgt_tiles
    assert bench.tiles == program.tiles


def test_a_ring_without_4_bit_weights():
    bench = TileBench(preset("small", fixed_point=True, wgt_bytes=2048), stall=0.2)
    program = Program(bench)
    for _ in range(20):
        bench.random.choice((program.int8, program.other))()
    bench.run(program.instructions, len(program.tiles))
    assert bench.tiles == program.tiles


@pytest.mark.parametrize("resp, code", [(RESP_SLVERR, isa.ErrorCode.BUS_SLVERR),
                                        (RESP_DECERR, isa.ErrorCode.BUS_DECERR)])
@pytest.mark.parametrize("beat", [0, 2, 3, 20, 21, 22, 40, 56])
@pytest.mark.parametrize("size", [(8, 8, 64, 2), (4, 4, 32, 1)], ids=str)
def test_an_error_on_any_beat_stops_the_stream_at_that_beat(size, beat, resp, code):
    bench = TileBench(four_bit_config(*size), stall=0.2, seed=beat)
    program = Program(bench)
    program.int8()
    program.four_bit(1)
    before, start = len(program.tiles), program.end
    program.four_bit(2)
    program.other()
    bench.host.errors = {start + beat * bench.config.bus_bytes: resp}
    bench.run(program.instructions, len(program.tiles))
    assert bench.error == (code, start + beat * bench.config.bus_bytes)
    assert bench.done == 2
    # tiles whose codes precede the beat
    per_block = 16 * bench.config.cols // bench.config.bus_bytes
    whole = max(0, beat - 19 - 3) * (32 // bench.config.rows) // per_block if beat < 38 else (
        32 // bench.config.rows + max(0, beat - 38 - 3) * (32 // bench.config.rows) // per_block)
    assert bench.tiles == program.tiles[:before + whole]


@pytest.mark.parametrize("halt_after", range(5, 120, 7))
def test_starts_again_after_a_halt_in_any_cycle(halt_after):
    bench = TileBench(four_bit_config(8, 16, 64, 2), stall=0.1, seed=halt_after)
    program = random_program(bench, 4)
    bench.run(program.instructions, len(program.tiles), halt_after=halt_after)
    assert bench.tiles == program.tiles


@pytest.mark.parametrize("name, changes", [
    ("ulx3s", {"tile_lines": 2}), ("ulx3s", {"tile_lines": 2, "bus_width": 64}),
    ("small", {"tile_lines": 2}), ("large", {"tile_lines": 2})])
def test_cycles_of_a_tile_are_those_of_its_bytes(name, changes):
    config = preset(name, fixed_point=True, weights_4bit=True, **changes)
    bench = TileBench(config)
    program = Program(bench)
    program.four_bit(40)
    bench.run(program.instructions, len(program.tiles))
    assert bench.tiles == program.tiles
    # 4 bits for each weight, and 24 bits for each block of 32
    ideal = config.tile_bytes * (4 + 24 / 32) / 8 / config.bus_bytes
    found = (bench.cycles[-1] - bench.cycles[15]) / (len(bench.tiles) - 16)
    assert found <= 1.01 * ideal
    # before the first tile: planning, latency of memory, and a block without weights
    start = bench.cycles[0] - 2 * 19 * config.cols // config.bus_bytes
    print(f"{config.name}: {found:.2f} cycles a tile, {ideal:.2f} for its bytes, after {start}")
    assert start <= 60
