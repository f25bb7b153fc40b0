"""Ring of the emulator compared with a model that takes burst by burst and tile by tile."""

import random

import numpy as np
import pytest

from support.emulator_bench import execute, make_device
from support.seeds import seed
from weft.spec import isa
from weft.spec.config import Config
from weft.spec.presets import preset
from weft_host.emulator.host_memory import BusFault, HostMemory
from weft_host.emulator.ring import Ring

CONFIGS = [preset("tiny", fixed_point=True), preset("small", fixed_point=True),
           Config(rows=4, cols=2, vector_lanes=2, wgt_bytes=16, bus_width=32, max_burst=1,
                  fixed_point=True)]


def bursts(config, start, fields):
    """Yield the number of bytes of each burst of a LOAD_RING."""
    longest = config.max_burst * config.bus_bytes
    for row in range(fields["count"]):
        address = start + row * fields["host_pitch"]
        end = address + fields["bytes"]
        while address < end:
            stop = min(end, address - address % longest + longest)
            yield stop - address
            address = stop


def bytes_after(config, start, fields, *, before, demand):
    """Return the bytes of a LOAD_RING that arrive, with ``before`` bytes in the ring.

    Tiles leave the ring as soon as they are complete, up to ``demand`` bytes in all.
    """
    inside = arrived = before
    for size in bursts(config, start, fields):
        while inside >= config.tile_bytes and demand >= config.tile_bytes:
            inside -= config.tile_bytes
            demand -= config.tile_bytes
        if config.wgt_bytes - inside < config.max_burst * config.bus_bytes:
            break
        inside += size
        arrived += size
    return arrived - before


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: f"{config.rows}x{config.cols}")
def test_loads_the_bursts_that_have_space(config):
    draw = random.Random(seed(5))
    memory = HostMemory(0, 1 << 16, config.bus_bytes, config.max_burst * config.bus_bytes)
    memory.data[:] = np.random.default_rng(seed()).integers(0, 256, len(memory.data))
    partial = 0
    for _ in range(300):
        ring, tile = Ring(config), config.tile_bytes
        before = draw.randrange(config.wgt_bytes // tile) * tile
        demand = draw.choice((0, draw.randrange(3 * config.wgt_tiles) * tile))
        fields = dict(count=draw.randint(1, 4), host_pitch=draw.randrange(1000),
                      bytes=tile * draw.randint(1, 2 * config.wgt_tiles))
        start, total = draw.randrange(1000), fields["count"] * fields["bytes"]
        ring.append(np.zeros(before, np.uint8))
        done = ring.load(memory, start, fields, 0, demand)
        assert done == bytes_after(config, start, fields, before=before, demand=demand)
        partial += 0 < done < total
        # every byte arrives in order, in as many parts as the ring requires
        arrived = [ring.take(ring.size)[before:]] if ring.size else []
        while done < total:
            done = ring.load(memory, start, fields, done, 0)
            arrived.append(ring.take(ring.size))
        rows = start + np.arange(fields["count"])[:, None] * fields["host_pitch"]
        expected = memory.data[rows + np.arange(fields["bytes"])].reshape(-1)
        assert (np.concatenate(arrived) == expected).all()
    assert partial > 30


def test_a_fault_is_reported_when_its_burst_is_requested():
    config = CONFIGS[0]
    memory = HostMemory(0, 1 << 12, config.bus_bytes, config.max_burst * config.bus_bytes)
    memory.fault(0x400, 4, "SLVERR", "read")
    ring = Ring(config)
    fields = dict(count=1, bytes=2 * config.wgt_bytes, host_pitch=0)
    done = ring.load(memory, 0x200, fields, 0, 0)
    assert done == ring.size == config.wgt_bytes
    ring.take(ring.size)
    with pytest.raises(BusFault) as caught:
        ring.load(memory, 0x200, fields, done, 0)
    assert caught.value.addr == 0x400


def test_a_program_that_needs_more_than_the_ring_stops_with_the_watchdog():
    config = CONFIGS[0]
    emulator = make_device(config)
    load = isa.encode("LOAD_RING", count=5, bytes=config.wgt_bytes, host_addr=0x1000)

    def multiply(tiles):
        return isa.encode("MATMUL_RING", row_count=1, chunk_count=tiles, x_count=1)

    tiles = config.wgt_tiles
    assert execute(emulator, load, multiply(5 * tiles)) is None
    assert execute(emulator, load, multiply(tiles), multiply(4 * tiles)) is None
    assert execute(emulator, load, multiply(4 * tiles)) is None
    assert execute(emulator, load, multiply(3 * tiles)) == ("WATCHDOG", "LOAD", 0, 0)
    emulator.soft_reset()
    assert execute(emulator, load, isa.encode("LOAD", count=1, bytes=4, host_addr=0x800)) == \
        ("WATCHDOG", "LOAD", 0, 0)
    assert emulator.waits() == ()
