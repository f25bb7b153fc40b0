"""Queue of tiles of the emulator; LOAD_RING and MATMUL_RING as the table defines them."""

import random

import numpy as np
import pytest

from support.emulator_bench import execute, make_device
from support.seeds import seed
from weft.spec import isa
from weft.spec.presets import preset
from weft_host.emulator.ring import Ring

TINY = preset("tiny", fixed_point=True)
TILE = TINY.tile_bytes


def test_bytes_leave_in_the_order_of_their_arrival():
    draw = random.Random(f"ring {seed()}")
    ring, content = Ring(TINY), bytearray()
    for _ in range(400):
        if draw.random() < 0.5:
            part = draw.randbytes(draw.randint(1, 40))
            ring.append(np.frombuffer(part, np.uint8))
            content += part
        elif content:
            size = draw.choice((1, len(content), draw.randint(1, len(content))))
            assert ring.take(size).tobytes() == content[:size]
            del content[:size]
        assert ring.size == len(content)


def test_nothing_remains_after_a_clear():
    ring = Ring(TINY)
    ring.append(np.arange(9, dtype=np.uint8))
    ring.take(2)
    ring.clear()
    assert ring.size == 0
    ring.append(np.array([7, 8], np.uint8))
    assert ring.take(2).tolist() == [7, 8]


def ring_load(tiles, host=0x400, **fields):
    return isa.encode("LOAD_RING", **{"count": 1, "bytes": tiles * TILE, "host_addr": host}
                      | fields)


def multiply(**fields):
    return isa.encode("MATMUL_RING", **{"row_count": 1, "chunk_count": 1, "x_count": 1} | fields)


@pytest.fixture
def emulator():
    """Return an emulator with random bytes in host memory behind the program, and scratchpad."""
    device = make_device(TINY)
    draw = np.random.default_rng(seed(7))
    device.write_memory(0x400, draw.integers(0, 256, 0x1000, dtype=np.uint8).tobytes())
    device.datapath.spad[:] = draw.integers(0, 256, TINY.spad_bytes)
    device.datapath.acc[:] = draw.integers(-1 << 31, 1 << 31, device.datapath.acc.shape)
    return device


def test_matmul_ring_matches_its_definition(emulator):
    """The definition in the instruction table as loops over Python integers."""
    draw = random.Random(f"matmul ring {seed()}")
    path, rows, cols = emulator.datapath, TINY.rows, TINY.cols
    host = np.frombuffer(emulator.read_memory(0, 0x2000), np.int8).tolist()
    spad = path.spad.view(np.int8).tolist()
    for _ in range(40):
        f = dict(accumulate=draw.randrange(2), act_addr=draw.randrange(900),
                 acc_addr=draw.randrange(8), row_count=draw.randint(1, 4),
                 row_pitch=draw.randrange(90), chunk_count=draw.randint(1, 3),
                 chunk_pitch=draw.randrange(90), x_count=draw.randint(1, 5),
                 x_pitch=draw.randrange(50))
        f["acc_pitch"] = draw.choice((0, f["x_count"]))
        tiles = f["row_count"] * f["chunk_count"]
        start, pitch = draw.randrange(0x400, 0x800), draw.randrange(100)
        acc = path.acc.tolist()
        for r in range(f["row_count"]):
            for c in range(f["chunk_count"]):
                # each row of the copy holds one tile, whose last line comes first
                tile = start + (r * f["chunk_count"] + c) * pitch
                for x in range(f["x_count"]):
                    at = (f["act_addr"] + r * f["row_pitch"] + c * f["chunk_pitch"]
                          + x * f["x_pitch"])
                    line = acc[f["acc_addr"] + r * f["acc_pitch"] + x]
                    for col in range(cols):
                        total = sum(spad[at + row] * host[tile + (rows - 1 - row) * cols + col]
                                    for row in range(rows))
                        first = c == 0 and (r == 0 or f["acc_pitch"] != 0)
                        if not first or f["accumulate"]:
                            total += line[col]
                        line[col] = (total + (1 << 31)) % (1 << 32) - (1 << 31)
        assert execute(emulator, ring_load(1, start, count=tiles, host_pitch=pitch),
                       multiply(**f)) is None
        assert (path.acc == acc).all(), f"{f}; seed {seed()}"
        assert path.ring.size == 0


def test_one_load_serves_several_multiplications_and_the_reverse(emulator):
    path = emulator.datapath
    assert execute(emulator, ring_load(5), multiply(row_count=2), multiply(acc_addr=1),
                   ring_load(1, 0x700), multiply(chunk_count=3, acc_addr=2)) is None
    together = path.acc[:3].copy()
    for index, (tiles, host) in enumerate(((2, 0x400), (1, 0x400 + 2 * TILE))):
        execute(emulator, ring_load(tiles, host), multiply(row_count=tiles, acc_addr=index))
    execute(emulator, ring_load(2, 0x400 + 3 * TILE), multiply(row_count=2, acc_addr=2),
            ring_load(1, 0x700), multiply(accumulate=1, acc_addr=2))
    assert (path.acc[:3] == together).all()


def test_a_program_that_takes_more_tiles_than_it_loads_ends_with_the_watchdog(emulator):
    record = execute(emulator, ring_load(2), multiply(row_count=3), isa.encode("SYNC_LOAD"))
    assert record[:3] == (isa.ErrorCode.WATCHDOG.name, "MATMUL", 1)


@pytest.mark.parametrize("command", [None, "soft_reset", "clear"])
def test_a_start_empties_the_ring(emulator, command):
    assert execute(emulator, ring_load(2)) is None
    if command:
        getattr(emulator, command)()
    assert execute(emulator, multiply())[0] == isa.ErrorCode.WATCHDOG.name
    emulator.soft_reset()
    assert execute(emulator, ring_load(2), multiply(row_count=2)) is None


def test_a_bus_error_appends_only_the_bursts_before_it(emulator):
    emulator.fault(0x440, 1, "SLVERR", "read")
    record = execute(emulator, ring_load(3, 0x410, count=2, host_pitch=48))
    assert record[:3] == ("BUS_SLVERR", "LOAD", 0)
    assert emulator.datapath.ring.size == 3 * TILE
