"""4-bit weights in the queue of tiles of the emulator: space burst by burst, and complete tiles."""

import random

import numpy as np
import pytest

from support.four_bit import FOUR_BIT_SIZES, expanded_tiles, four_bit_config, random_stream
from support.ring_bench import bursts_of
from support.seeds import seed
from weft.spec.four_bit import HEADER_BEATS, PACKET_BEATS
from weft_host.emulator.host_memory import BusFault, HostMemory
from weft_host.emulator.ring import Ring


class Stream:
    """A random stream in host memory, with the bursts that the planner makes of it."""

    def __init__(self, config, draw, blocks):
        self.config, self.block = config, PACKET_BEATS * config.cols
        self.fields = {"count": blocks + 1, "host_addr": 0}
        self.start = draw.randrange(100) * config.bus_bytes
        self.data = random_stream(config, draw, blocks)
        burst = config.max_burst * config.bus_bytes
        self.memory = HostMemory(0, self.start + len(self.data), config.bus_bytes, burst)
        self.memory.data[self.start:] = np.frombuffer(self.data, np.uint8)
        self.tiles = [bytes(weight & 0xFF for weight in tile)
                      for tile in expanded_tiles(config, self.data)]
        # bytes of the stream, and of its weights, after each burst
        self.ends, done, weights, beat = [(0, 0)], 0, 0, 0
        for row in range(blocks + 1):
            for beats, _, _ in bursts_of(config, self.start + row * self.block, self.block):
                for _ in range(beats):
                    has_weights = row and beat % PACKET_BEATS >= HEADER_BEATS
                    weights += 2 * config.bus_bytes * bool(has_weights)
                    beat += 1
                done += beats * config.bus_bytes
                self.ends.append((done, weights))


@pytest.mark.parametrize("size", FOUR_BIT_SIZES, ids=str)
def test_bursts_are_loaded_while_the_longest_one_has_space(size):
    config = four_bit_config(*size)
    draw, tile = random.Random(f"{seed()} {size}"), config.tile_bytes
    longest = 2 * config.max_burst * config.bus_bytes
    for _ in range(12):
        ring, stream = Ring(config), Stream(config, draw, draw.randrange(12))
        before = draw.randrange(config.wgt_tiles + 1) * tile
        ring.append(np.zeros(before, np.uint8))
        done = number = taken = 0
        while number < len(stream.ends) - 1:
            # taken are the bytes that have left, or that the MATMUL_RING in progress demands
            demand = draw.choice((0, 0, tile * draw.randrange(3 * config.wgt_tiles)))
            while number < len(stream.ends) - 1 and (
                    config.wgt_bytes - (before + stream.ends[number][1] - taken - demand)
                    >= longest):
                number += 1
            done = ring.load_4bit(stream.memory, stream.start, stream.fields, done, demand)
            assert done == stream.ends[number][0]
            assert ring.size == before + stream.ends[number][1] - taken
            if ring.size >= max(demand, tile):
                count = draw.randint(max(1, demand // tile), ring.size // tile)
                content = bytes(before) + b"".join(stream.tiles)
                assert ring.take(count * tile).tobytes() == content[taken:taken + count * tile]
                taken += count * tile
        assert ring.size % tile == 0
        rest = (bytes(before) + b"".join(stream.tiles))[taken:]
        assert len(rest) == ring.size and (not rest or ring.take(ring.size).tobytes() == rest)


def test_an_error_keeps_the_bursts_before_it():
    config = four_bit_config(8, 8, 64, 2)
    stream = Stream(config, random.Random(seed(3)), 3)
    beat = 2 * PACKET_BEATS + 7
    stream.memory.fault(stream.start + 8 * beat, 1, "SLVERR", "read")
    ring = Ring(config)
    with pytest.raises(BusFault) as caught:
        ring.load_4bit(stream.memory, stream.start, stream.fields, 0, 1 << 20)
    assert caught.value.addr == stream.start + 8 * beat
    # the first block of weights is complete
    assert ring.take(4 * config.tile_bytes).tobytes() == b"".join(stream.tiles[:4])


def test_complete_tiles_of_an_incomplete_block_can_be_taken():
    config = four_bit_config(4, 4, 32, 1, wgt_bytes=128)
    stream = Stream(config, random.Random(seed(4)), 4)
    ring, taken = Ring(config), []
    done = ring.load_4bit(stream.memory, stream.start, stream.fields, 0, 0)
    assert 0 < done < len(stream.data)
    while ring.size >= config.tile_bytes:
        taken.append(ring.take(config.tile_bytes).tobytes())
        done = ring.load_4bit(stream.memory, stream.start, stream.fields, done, 0)
    assert done == len(stream.data) and taken == stream.tiles
