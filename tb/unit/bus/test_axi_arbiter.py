"""AXI arbiter: routing of data and responses, at full throughput, also on block RAM."""

import random

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, connect, flipped
from amaranth.sim import Simulator

from support.axi_manager import AxiManager, Burst, apply, expected, random_write
from support.axi_memory import AxiMemory
from support.seeds import seed
from weft.bus.axi4 import RESP_OKAY, RESP_SLVERR, Axi4
from weft.bus.axi_arbiter import AxiArbiter
from weft.host_memory.ram import AxiRam
from weft.spec.presets import preset
from weft_boards import board


def bursts(draw, config, first, count):
    """Return random writes in the 16 KiB from ``first`` on that do not overlap."""
    pages = draw.sample(range(first, first + 16384, 1024), count)
    return [random_write(draw, page, draw.choice((1, 2, draw.randint(1, config.max_burst))),
                         config.bus_width) for page in pages]


def managers(draw, dut, config, stall, run_seed):
    """Return the managers of both phases for link and for accelerator.

    The first phase writes; the second one reads the same data, and writes elsewhere.
    """
    made = []
    for port, first in ((dut.link, 0), (dut.accelerator, 16384)):
        writes = bursts(draw, config, first, 8)
        reads = [Burst(burst.address, burst.beats, size=burst.size) for burst in writes]
        made.append((
            AxiManager(port, writes=writes, stall=stall, seed=f"{run_seed}/{first}"),
            AxiManager(port, reads=reads, writes=bursts(draw, config, first + 32768, 4),
                       stall=stall, seed=f"{run_seed}/{first}")))
    return made


def simulate(dut, phases, processes=()):
    """Run the two phases of all managers."""
    def testbench(pair):
        async def run(ctx):
            for manager in pair:
                await manager.run(ctx)
        return run

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    for process in processes:
        sim.add_process(process)
    for pair in phases:
        sim.add_testbench(testbench(pair))
    sim.run()


@pytest.mark.parametrize("width, stall", [(32, 0.0), (64, 0.3), (128, 0.8), (256, 0.3)])
def test_each_manager_receives_its_own_responses(width, stall):
    run_seed = f"{seed()}/{width}/{stall}"
    draw = random.Random(run_seed)
    config = preset("tiny", bus_width=width, max_burst=16, outstanding=4)
    dut = AxiArbiter(config)
    memory = AxiMemory(size=1 << 16, bus_bytes=config.bus_bytes, latency=5, stall=stall,
                       outstanding=2 * config.outstanding + 2, seed=run_seed)
    phases = managers(draw, dut, config, stall, run_seed)
    failing = phases[0][0].writes[3].address, phases[1][0].writes[5].address
    memory.errors = {address: RESP_SLVERR for address in failing}
    simulate(dut, phases, (memory.reader(dut.axi), memory.writer(dut.axi)))
    data = bytearray(1 << 16)
    for before, after in phases:
        for burst in before.writes + after.writes:
            resp = RESP_SLVERR if burst.address in failing else RESP_OKAY
            assert burst.responses == [(resp,)], f"seed {run_seed}"
            apply(burst, data, 0)
    assert memory.data == data, f"seed {run_seed}"
    for _, after in phases:
        for burst in after.reads:
            beats = expected(burst, data, 0)
            if burst.address in failing:
                beats[0] = (beats[0][0], RESP_SLVERR, beats[0][2])
            assert burst.responses == beats, f"seed {run_seed}"


class OnRam(wiring.Component):
    """AXI arbiter and block RAM, as on a board."""

    def __init__(self, config):
        self.config = config
        port = Axi4(addr_width=config.addr_width, data_width=config.bus_width)
        super().__init__({"link": In(port), "accelerator": In(port)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.arbiter = arbiter = AxiArbiter(self.config)
        m.submodules.ram = ram = AxiRam(addr_width=self.config.addr_width,
                                        data_width=self.config.bus_width, size=1 << 16)
        connect(m, flipped(self.link), arbiter.link)
        connect(m, flipped(self.accelerator), arbiter.accelerator)
        connect(m, arbiter.axi, ram.axi)
        return m


@pytest.mark.parametrize("stall", [0.0, 0.5])
def test_writes_and_reads_block_ram(stall):
    draw = random.Random(f"{seed()}/{stall}")
    config = preset("tiny", max_burst=16, outstanding=4)
    dut = OnRam(config)
    phases = managers(draw, dut, config, stall, stall)
    simulate(dut, phases)
    data = bytearray(1 << 16)
    for before, after in phases:
        for burst in before.writes + after.writes:
            assert burst.responses == [(RESP_OKAY,)]
            apply(burst, data, 0)
    for _, after in phases:
        for burst in after.reads:
            assert burst.responses == expected(burst, data, 0)


def test_full_throughput_of_a_single_manager():
    draw = random.Random(seed(0))
    config = preset("small")
    dut = OnRam(config)
    writes = [random_write(draw, 4096 * page, 32, config.bus_width) for page in range(4)]
    before = AxiManager(dut.accelerator, writes=writes)
    after = AxiManager(dut.accelerator, reads=[
        Burst(burst.address, burst.beats, size=burst.size) for burst in writes])
    simulate(dut, [(before, after)])
    # the first two words wait in a register slice for their address
    assert before.write_beats[-1] - before.write_beats[2] == 4 * 32 - 3
    assert after.read_beats[-1] - after.read_beats[0] == 4 * 32 - 1
    # the read latency in the board description, which the cycle model uses
    assert after.read_beats[0] - after.read_issued[0] == board("ulx3s_85f").read_latency
