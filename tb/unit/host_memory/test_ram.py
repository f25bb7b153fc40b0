"""On-chip memory behind an AXI4 port: data, throughput, refused bursts, rejected parameters."""

import random

import pytest
from amaranth.sim import Simulator

from support.axi_manager import AxiManager, random_write
from support.memory_bench import HalfAccesses, RefusedAccesses, read_burst
from support.seeds import seed
from weft.host_memory.ram import AxiRam
from weft.host_memory.storage import BlockStorage, SpramStorage

BASE = 0x40000
KINDS = [(32, 16384, "block"), (64, 16384, "block"), (128, 16384, "block"), (256, 16384, "block"),
         (32, 65536, "spram_model"), (32, 131072, "spram_model")]


def make(width, size, storage):
    return AxiRam(addr_width=20, data_width=width, size=size, base=BASE, storage=storage)


def run(dut, *managers):
    """Run managers one after another."""
    async def testbench(ctx):
        for manager in managers:
            await manager.run(ctx)

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(testbench)
    sim.run()


@pytest.mark.parametrize("stall", [0.0, 0.3, 0.8])
@pytest.mark.parametrize("width, size, storage", KINDS)
def test_data_agrees_with_a_byte_array(width, size, storage, stall):
    start = f"{width}/{size}/{stall}/{seed()}"
    dut = make(width, size, storage)
    accesses = HalfAccesses(random.Random(start), width=width, size=size, base=BASE, bursts=6)
    run(dut, *(AxiManager(dut.axi, stall=stall, seed=start, **phase)
               for phase in accesses.phases))
    accesses.check(bytearray(size), start)


@pytest.mark.parametrize("width, size, storage", KINDS)
def test_transfers_one_beat_per_cycle(width, size, storage):
    draw = random.Random(seed(width))
    dut = make(width, size, storage)
    writes = [random_write(draw, BASE + 4096 * page, 16, width) for page in range(3)]
    writer = AxiManager(dut.axi, writes=writes)
    reader = AxiManager(dut.axi, reads=[
        read_burst(width, burst.address, burst.beats) for burst in writes])
    run(dut, writer, reader)
    assert writer.write_beats[-1] - writer.write_beats[0] == 3 * 16 - 1
    assert reader.read_beats[-1] - reader.read_beats[0] == 3 * 16 - 1
    # both address and data are recorded one cycle after they are valid
    assert reader.read_beats[0] - reader.read_issued[0] == dut.read_latency


@pytest.mark.parametrize("width, size, storage", KINDS)
def test_serves_both_directions_at_once(width, size, storage):
    draw = random.Random(seed(width))
    dut = make(width, size, storage)
    both = AxiManager(
        dut.axi,
        writes=[random_write(draw, BASE + 4096, 32, width) for _ in range(3)],
        reads=[read_burst(width, BASE, 32) for _ in range(3)])
    run(dut, both)
    beats = both.read_beats + both.write_beats
    # SPRAM has a single port; neither direction is stalled for long
    cycles = 2 * 96 if dut.storage == "spram_model" else 96
    assert max(beats) - min(beats) + 1 <= cycles + dut.read_latency
    if dut.storage == "spram_model":
        assert max(b - a for a, b in zip(both.read_beats, both.read_beats[1:])) <= 2
        assert max(b - a for a, b in zip(both.write_beats, both.write_beats[1:])) <= 2


@pytest.mark.parametrize("stall", [0.0, 0.5])
@pytest.mark.parametrize("width, size, storage", [KINDS[0], KINDS[4]])
def test_refused_bursts_change_nothing(width, size, storage, stall):
    dut = make(width, size, storage)
    accesses = RefusedAccesses(random.Random(seed(int(10 * stall))), width=width, address=BASE,
                               outside=[BASE - 4096, BASE + size, 0])
    run(dut, AxiManager(dut.axi, stall=stall, writes=accesses.writes),
        AxiManager(dut.axi, stall=stall, reads=accesses.reads))
    accesses.check(bytearray(size), BASE)


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
def test_rejects_parameters_that_cannot_work(arguments, kind, message):
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
def test_storage_rejects_parameters_that_cannot_work(make, kind, message):
    with pytest.raises(kind) as caught:
        make()
    assert str(caught.value) == message
