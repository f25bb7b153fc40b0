"""Space in the ring: programs that need more than it has end on the RTL as on the emulator."""

import os
import random

import pytest

from support.fixed_point_simulators import FOUR_BIT, quick_device
from support.fixed_point_simulators import ONE_LINE as CONFIG
from support.programs import MEMORY_BYTES
from support.seeds import seed
from weft.spec import isa
from weft.spec.four_bit import BLOCK_WEIGHTS
from weft_host.device import EmulatorDevice
from weft_host.errors import DeviceError
from weft_host.program.file import Program
from weft_host.program.tensor import Window

PROGRAMS = int(os.environ.get("WEFT_PROGRAMS", "60"))
LOAD, MATMUL, VECTOR, STORE = (1 << unit for unit in range(4))
TILE, TILES = CONFIG.tile_bytes, CONFIG.wgt_tiles
BURST = CONFIG.max_burst * CONFIG.bus_bytes


BLOCK = BLOCK_WEIGHTS // CONFIG.rows        # tiles of a block of 4-bit weights


@pytest.fixture(scope="module", params=[CONFIG, FOUR_BIT], ids=lambda config: config.name)
def devices(request):
    with quick_device(request.param, memory_bytes=MEMORY_BYTES, stalls="both",
                      seed=seed()) as rtl:
        yield EmulatorDevice(request.param, memory_bytes=MEMORY_BYTES), rtl


def longest(devices):
    """Return the space in bytes that a burst needs."""
    return BURST * (2 if devices[0].config.weights_4bit else 1)


def load_ring(tiles, rows=1, **fields):
    """Return a LOAD_RING of rows of ``tiles`` tiles."""
    return isa.encode("LOAD_RING", count=rows, bytes=tiles * TILE, host_addr=0x4000, **fields)


def load_4bit(blocks, offset=0):
    """Return a LOAD_RING_4BIT of so many blocks of weights."""
    return isa.encode("LOAD_RING_4BIT", count=blocks + 1, host_addr=0x4000 + offset)


def multiply(tiles, **fields):
    return isa.encode("MATMUL_RING", row_count=1, chunk_count=tiles, x_count=1, **fields)


def outcome(device, instructions):
    """Return the error record of a program, ``None`` without an error, and its last PC."""
    program = Program(
        config=device.config, instructions=b"".join(instructions), memory_bytes=MEMORY_BYTES,
        image=(), inputs=(), outputs=(), windows=(Window(0, MEMORY_BYTES, True, True),))
    limit = {} if isinstance(device, EmulatorDevice) else {"limit": 200_000}
    try:
        device.run(program, watchdog=600, **limit)
    except DeviceError as error:
        found = error.record, device.read_register("WAITS"), device.read_register("PC")
        device.soft_reset()
        return found
    return None


def check(devices, *instructions):
    """Assert that both devices end in the same way, and return how."""
    expected, found = (outcome(device, instructions) for device in devices)
    assert found == expected
    return expected and (expected[0].code, expected[0].unit, expected[0].index)


@pytest.mark.parametrize("offset", [0, 4, BURST - 4])
def test_a_load_that_does_not_fit_stops_with_the_watchdog(devices, offset):
    most = (CONFIG.wgt_bytes - longest(devices)) // TILE        # then the last burst has space
    at = dict(host_addr=0x4000 + offset)
    assert check(devices, isa.encode("LOAD_RING", count=1, bytes=TILES * TILE, **at)) in (
        None, ("WATCHDOG", "LOAD", 0))
    for tiles in range(most, TILES + 2):
        check(devices, isa.encode("LOAD_RING", count=1, bytes=most * TILE, **at),
              *[isa.encode("LOAD_RING", count=1, bytes=TILE, **at)] * (tiles - most))
    # a program may need any number of tiles if it takes them
    assert check(devices, load_ring(TILES, 5), multiply(5 * TILES)) is None
    assert check(devices, load_ring(TILES, 5), multiply(2 * TILES), multiply(3 * TILES)) is None
    assert check(devices, load_ring(TILES, 5), multiply(2 * TILES)) == ("WATCHDOG", "LOAD", 0)
    assert check(devices, multiply(TILES + 1), load_ring(TILES)) == ("WATCHDOG", "MATMUL", 0)


@pytest.mark.parametrize("rows", [1, 2, 3])
@pytest.mark.parametrize("of_next", [1, 2])
def test_a_full_ring_blocks_as_many_instructions_as_the_unit_holds(devices, rows, of_next):
    """The MATMUL_RING that makes space must be near enough behind the LOAD_RING."""
    copy = isa.encode("LOAD", count=of_next, bytes=4, host_addr=0x4000)
    first = (CONFIG.wgt_bytes - longest(devices) + BURST) // TILE
    ends = [check(devices, load_ring(first), load_ring(TILES, rows), *[copy] * between,
                  multiply(rows * TILES + first))
            for between in range(CONFIG.queue_depth, CONFIG.queue_depth + 8)]
    assert ends[0] is None and ends[-1] == ("WATCHDOG", "LOAD", 1)
    ends = [check(devices, *[multiply(1)] * before, load_ring(before))
            for before in range(CONFIG.queue_depth, CONFIG.queue_depth + 6)]
    assert ends[0] is None and ends[-1] == ("WATCHDOG", "MATMUL", 0)


@pytest.mark.parametrize("devices", [FOUR_BIT], indirect=True, ids=["4-bit"])
@pytest.mark.parametrize("offset", [0, 4, 12, BURST - 4])
def test_4_bit_weights_that_do_not_fit_stop_with_the_watchdog(devices, offset):
    fits = TILES // BLOCK
    assert check(devices, load_4bit(fits - 1, offset)) is None
    assert check(devices, load_4bit(fits + 1, offset)) == ("WATCHDOG", "LOAD", 0)
    for tiles in range(2 * BLOCK):
        before = [load_ring(tiles)] if tiles else []
        for blocks in range(fits - 2, fits + 1):
            check(devices, *before, load_4bit(blocks, offset))
        # an incomplete block has complete tiles
        check(devices, load_4bit(fits + 1, offset), multiply(tiles + 1))
    assert check(devices, load_4bit(3 * fits, offset), multiply(BLOCK),
                 multiply((3 * fits - 1) * BLOCK)) is None
    assert check(devices, load_4bit(0, offset), multiply(1)) == ("WATCHDOG", "MATMUL", 1)
    copy = isa.encode("LOAD", count=1, bytes=4, host_addr=0x4000)
    ends = [check(devices, load_4bit(fits + 1, offset), *[copy] * between,
                  multiply((fits + 1) * BLOCK))
            for between in range(CONFIG.queue_depth, CONFIG.queue_depth + 8)]
    assert ends[0] is None and ends[-1] == ("WATCHDOG", "LOAD", 0)


def test_random_programs_end_as_on_the_emulator(devices):
    draw = random.Random(seed(41))
    four_bit = devices[0].config.weights_4bit
    ends = []
    for _ in range(PROGRAMS):
        instructions = []
        for _ in range(draw.randint(2, 40)):
            kind = draw.random()
            tokens = dict(wait=draw.choice((0, 0, 0, MATMUL)), signal=draw.choice((0, 0, MATMUL)))
            if kind < 0.15 and four_bit:
                instructions.append(isa.encode(
                    "LOAD_RING_4BIT", count=draw.choice((1, 2, 3, draw.randint(1, 7))),
                    host_addr=0x4000 + 4 * draw.randrange(50), **tokens))
            elif kind < 0.3:
                bytes_ = TILE * draw.choice((1, 2, 3, draw.randint(1, TILES)))
                instructions.append(isa.encode(
                    "LOAD_RING", count=draw.choice((1, 1, 2, 3, 5)), bytes=bytes_,
                    host_addr=0x4000 + draw.randrange(200), host_pitch=draw.randrange(300),
                    **tokens))
            elif kind < 0.5:
                instructions.append(isa.encode(
                    "LOAD", count=draw.randint(1, 4), bytes=draw.randint(1, 40), host_addr=0x4000,
                    host_pitch=draw.randrange(100), **tokens))
            elif kind < 0.9:
                instructions.append(isa.encode(
                    "MATMUL_RING", row_count=draw.randint(1, 4),
                    chunk_count=draw.choice((1, 2, draw.randint(1, TILES))), x_count=1,
                    wait=draw.choice((0, 0, 0, LOAD)), signal=draw.choice((0, 0, LOAD))))
            else:
                instructions.append(isa.encode(draw.choice(("SYNC_LOAD", "SYNC_MATMUL"))))
        ends.append(check(devices, *instructions))
    units = {end and end[1] for end in ends}
    assert units == {None, "LOAD", "MATMUL"}, units
