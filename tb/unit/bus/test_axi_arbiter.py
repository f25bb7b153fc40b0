"""Two managers on one memory: each gets its own responses, in order, and both get their turn."""

import random

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, connect, flipped
from amaranth.sim import Simulator

from support.axi_manager import AxiManager, Burst, apply, expected, random_write
from support.axi_memory import AxiMemory
from weft.bus.axi4 import RESP_OKAY, RESP_SLVERR, Axi4
from weft.bus.axi_arbiter import AxiArbiter
from weft.host_memory.ram import AxiRam
from weft.spec.presets import preset
from weft_boards import board


def bursts(draw, config, first, count):
    """Random writes in the 16 KiB from ``first`` on, none over another."""
    pages = draw.sample(range(first, first + 16384, 1024), count)
    return [random_write(draw, page, draw.choice((1, 2, draw.randint(1, config.max_burst))),
                         config.bus_width) for page in pages]


def managers(draw, dut, config, stall, seed):
    """``[(first phase), (second phase)]`` for link and accelerator: writes, then reads beside
    writes elsewhere."""
    made = []
    for port, first in ((dut.link, 0), (dut.accelerator, 16384)):
        writes = bursts(draw, config, first, 8)
        reads = [Burst(burst.address, burst.beats, size=burst.size) for burst in writes]
        made.append((
            AxiManager(port, writes=writes, stall=stall, seed=f"{seed}/{first}"),
            AxiManager(port, reads=reads, writes=bursts(draw, config, first + 32768, 4),
                       stall=stall, seed=f"{seed}/{first}")))
    return made


def simulate(dut, phases, processes=()):
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
def test_each_manager_gets_its_own_answers(width, stall):
    seed = f"{width}/{stall}"
    draw = random.Random(seed)
    config = preset("tiny", bus_width=width, max_burst=16, outstanding=4)
    dut = AxiArbiter(config)
    memory = AxiMemory(size=1 << 16, bus_bytes=config.bus_bytes, latency=5, stall=stall,
                       outstanding=2 * config.outstanding + 2, seed=seed)
    phases = managers(draw, dut, config, stall, seed)
    failing = phases[0][0].writes[3].address, phases[1][0].writes[5].address
    memory.errors = {address: RESP_SLVERR for address in failing}
    simulate(dut, phases, (memory.reader(dut.axi), memory.writer(dut.axi)))
    data = bytearray(1 << 16)
    for before, after in phases:
        for burst in before.writes + after.writes:
            resp = RESP_SLVERR if burst.address in failing else RESP_OKAY
            assert burst.responses == [(resp,)], f"seed {seed}"
            apply(burst, data, 0)
    assert memory.data == data, f"seed {seed}"
    for _, after in phases:
        for burst in after.reads:
            wanted = expected(burst, data, 0)
            if burst.address in failing:
                wanted[0] = (wanted[0][0], RESP_SLVERR, wanted[0][2])
            assert burst.responses == wanted, f"seed {seed}"


class OnRam(wiring.Component):
    """AxiArbiter and block RAM, as on a board."""

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
def test_on_block_ram(stall):
    draw = random.Random(stall)
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


def test_full_rate_alone():
    draw = random.Random(0)
    config = preset("small")
    dut = OnRam(config)
    writes = [random_write(draw, 4096 * page, 32, config.bus_width) for page in range(4)]
    before = AxiManager(dut.accelerator, writes=writes)
    after = AxiManager(dut.accelerator, reads=[
        Burst(burst.address, burst.beats, size=burst.size) for burst in writes])
    simulate(dut, [(before, after)])
    # the first two words wait in a slice for their address
    assert before.write_beats[-1] - before.write_beats[2] == 4 * 32 - 3
    assert after.read_beats[-1] - after.read_beats[0] == 4 * 32 - 1
    # what boards say of themselves, and their networks are measured with
    assert after.read_beats[0] - after.read_issued[0] == board("ulx3s_85f").read_latency
