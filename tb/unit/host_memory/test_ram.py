"""Memories behind an AXI4 port: bytes, rates, and what they refuse."""

import random

import pytest
from amaranth.sim import Simulator

from support.axi_manager import AxiManager, Burst, apply, expected, random_write
from weft.bus.axi4 import RESP_DECERR, RESP_OKAY, RESP_SLVERR
from weft.host_memory.ram import AxiRam
from weft.host_memory.storage import BlockStorage, SpramStorage

BASE = 0x40000
KINDS = [(32, 16384, "block"), (64, 16384, "block"), (128, 16384, "block"), (256, 16384, "block"),
         (32, 65536, "spram_model"), (32, 131072, "spram_model")]


def make(width, size, storage):
    return AxiRam(addr_width=20, data_width=width, size=size, base=BASE, storage=storage)


def run(dut, *phases):
    """Runs managers one after the other."""
    async def testbench(ctx):
        for manager in phases:
            await manager.run(ctx)

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(testbench)
    sim.run()


def place(draw, first, last, width):
    """Address and beats of a burst between two offsets, inside a 4 KiB page."""
    count = width // 8
    beats = draw.choice((1, 2, draw.randint(1, 40)))
    page = draw.randrange(first // 4096, last // 4096) * 4096
    return BASE + page + draw.randint(0, 4096 // count - beats) * count, beats


def read(width, address, beats):
    return Burst(address, beats, size=(width // 8).bit_length() - 1)


@pytest.mark.parametrize("stall", [0.0, 0.3, 0.8])
@pytest.mark.parametrize("width, size, storage", KINDS)
def test_bytes_agree_with_a_byte_array(width, size, storage, stall):
    seed = f"{width}/{size}/{stall}"
    draw = random.Random(seed)
    dut = make(width, size, storage)
    half = size // 2
    low = [random_write(draw, *place(draw, 0, half, width), width) for _ in range(6)]
    high = [random_write(draw, *place(draw, half, size, width), width) for _ in range(6)]
    # the lower half is written, then read while the upper half is written, then all is read
    first = AxiManager(dut.axi, writes=low, stall=stall, seed=seed)
    second = AxiManager(dut.axi, writes=high, stall=stall, seed=seed, reads=[
        read(width, burst.address, burst.beats) for burst in low])
    third = AxiManager(dut.axi, stall=stall, seed=seed, reads=[
        read(width, burst.address, burst.beats) for burst in low + high])
    run(dut, first, second, third)
    data = bytearray(size)
    for burst in low + high:
        assert burst.responses == [(RESP_OKAY,)], f"seed {seed}"
        apply(burst, data, BASE)
    for burst in second.reads + third.reads:
        assert burst.responses == expected(burst, data, BASE), f"seed {seed}"


@pytest.mark.parametrize("width, size, storage", KINDS)
def test_a_beat_a_cycle(width, size, storage):
    draw = random.Random(width)
    dut = make(width, size, storage)
    writes = [random_write(draw, BASE + 4096 * page, 16, width) for page in range(3)]
    before = AxiManager(dut.axi, writes=writes)
    after = AxiManager(dut.axi, reads=[
        read(width, burst.address, burst.beats) for burst in writes])
    run(dut, before, after)
    assert before.write_beats[-1] - before.write_beats[0] == 3 * 16 - 1
    assert after.read_beats[-1] - after.read_beats[0] == 3 * 16 - 1
    # the address is valid the cycle before it is seen to be accepted, as the data is
    assert after.read_beats[0] - after.read_issued[0] == dut.read_latency


@pytest.mark.parametrize("width, size, storage", KINDS)
def test_both_directions_at_once(width, size, storage):
    draw = random.Random(width)
    dut = make(width, size, storage)
    both = AxiManager(
        dut.axi,
        writes=[random_write(draw, BASE + 4096, 32, width) for _ in range(3)],
        reads=[read(width, BASE, 32) for _ in range(3)])
    run(dut, both)
    beats = both.read_beats + both.write_beats
    # SPRAM has one port, and nobody waits for long
    cycles = 2 * 96 if dut.storage == "spram_model" else 96
    assert max(beats) - min(beats) + 1 <= cycles + dut.read_latency
    if dut.storage == "spram_model":
        assert max(b - a for a, b in zip(both.read_beats, both.read_beats[1:])) <= 2
        assert max(b - a for a, b in zip(both.write_beats, both.write_beats[1:])) <= 2


@pytest.mark.parametrize("stall", [0.0, 0.5])
@pytest.mark.parametrize("width, size, storage", [KINDS[0], KINDS[4]])
def test_refused_bursts_change_nothing(width, size, storage, stall):
    draw = random.Random(stall)
    dut = make(width, size, storage)
    good = random_write(draw, BASE, 8, width)
    outside = [random_write(draw, address, 3, width)
               for address in (BASE - 4096, BASE + size, 0)]
    fixed, narrow = (random_write(draw, BASE, 3, width) for _ in range(2))
    fixed.burst, narrow.size = 0, 1
    writes = AxiManager(dut.axi, stall=stall, writes=[good, *outside, fixed, narrow])
    reads = AxiManager(dut.axi, stall=stall, reads=[
        Burst(burst.address, burst.beats, size=burst.size, burst=burst.burst)
        for burst in writes.writes])
    run(dut, writes, reads)
    wanted = [RESP_OKAY] + 3 * [RESP_DECERR] + 2 * [RESP_SLVERR]
    assert [burst.responses[0][0] for burst in writes.writes] == wanted
    for burst, resp in zip(reads.reads, wanted):
        assert [answer[1:] for answer in burst.responses] == [
            (resp, int(index == burst.beats - 1)) for index in range(burst.beats)]
    data = bytearray(size)
    apply(good, data, BASE)
    assert reads.reads[0].responses == expected(reads.reads[0], data, BASE)


@pytest.mark.parametrize("arguments, kind, message", [
    ({"size": 4096.0}, TypeError, "size must be an integer, not 4096.0"),
    ({"data_width": 48}, ValueError, "data_width must be 32, 64, 128 or 256, not 48"),
    ({"size": 2048}, ValueError, "size must be a power of two of at least 4096 bytes, not 2048"),
    ({"base": 100}, ValueError, "base must be a multiple of the 4096 bytes of the memory below "
                                "2 ** 20, not 0x64"),
    ({"base": 1 << 20}, ValueError, "base must be a multiple of the 4096 bytes of the memory below "
                                    "2 ** 20, not 0x100000"),
    ({"storage": "dram"}, ValueError, "storage must be one of block, spram, spram_model, not "
                                      "'dram'"),
    ({"storage": "spram"}, ValueError, "words must be 16384 times a power of two, not 1024"),
])
def test_rejects(arguments, kind, message):
    with pytest.raises(kind) as caught:
        AxiRam(**{"addr_width": 20, "data_width": 32, "size": 4096, **arguments})
    assert str(caught.value) == message


@pytest.mark.parametrize("make, kind, message", [
    (lambda: BlockStorage(words=1, width=32), ValueError, "words must be at least 2, not 1"),
    (lambda: BlockStorage(words=8.0, width=32), TypeError, "words must be an integer, not 8.0"),
    (lambda: BlockStorage(words=8, width=12), ValueError,
     "width must be a power of two of at least 8, not 12"),
    (lambda: SpramStorage(words=16384, width=8, form="portable"), ValueError,
     "width must be at least the 16 bits of a primitive, not 8"),
    (lambda: SpramStorage(words=16384, width=32, form="gowin"), ValueError,
     "SPRAM form must be one of portable, ice40, not 'gowin'"),
])
def test_storage_rejects(make, kind, message):
    with pytest.raises(kind) as caught:
        make()
    assert str(caught.value) == message
