"""SDRAM behind an AXI4 port: data, latency, refused bursts, refreshes, rejected parameters."""

import dataclasses
import random

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, connect, flipped
from amaranth.sim import Simulator

from support.axi_manager import AxiManager
from support.memory_bench import HalfAccesses, RefusedAccesses, read_burst
from support.sdram_bench import CHIPS, KINDS, erased, run
from support.sdram_model import SMALL
from support.seeds import seed
from weft.bus.axi4 import Axi4
from weft.host_memory.sdram import AxiSdram
from weft.host_memory.sdram_simulated import SimulatedSdram

SIZE = 16384


class SimulatedMemory(wiring.Component):
    """Controller connected to the chip in gateware."""

    def __init__(self, chip, clock_hz, width):
        self._memory = AxiSdram(chip=chip, clock_hz=int(clock_hz), addr_width=26, data_width=width)
        self._chip = SimulatedSdram(chip=chip, size=SIZE)
        super().__init__({"axi": In(Axi4(addr_width=26, data_width=width))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory, m.submodules.chip = self._memory, self._chip
        connect(m, flipped(self.axi), self._memory.axi)
        connect(m, self._memory.pins, self._chip.pins)
        return m


@pytest.mark.parametrize("name, width, clock_hz", [KINDS[1], KINDS[3]])
def test_the_chip_in_gateware_stores_data(name, width, clock_hz):
    start = seed(width)
    dut = SimulatedMemory(CHIPS[name], clock_hz, width)
    accesses = HalfAccesses(random.Random(start), width=width, size=SIZE, bursts=6)

    async def testbench(ctx):
        for phase in accesses.phases:
            await AxiManager(dut.axi, stall=0.3, seed=start, **phase).run(ctx)

    simulator = Simulator(dut)
    simulator.add_clock(1 / clock_hz)
    simulator.add_testbench(testbench)
    simulator.run()
    accesses.check(bytearray(SIZE), start)


@pytest.mark.parametrize("name, width, clock_hz", KINDS)
@pytest.mark.parametrize("stall, registered", [(0.0, False), (0.6, False), (0.3, True)])
def test_data_agrees_with_a_byte_array(name, width, clock_hz, stall, registered):
    start = f"{name}/{width}/{clock_hz:g}/{stall}/{seed()}"
    accesses = HalfAccesses(random.Random(start), width=width, size=SIZE, bursts=8)
    run(CHIPS[name], width, clock_hz,
        *({"stall": stall, "seed": start, **phase} for phase in accesses.phases),
        registered=registered)
    accesses.check(erased(SIZE), start)


@pytest.mark.parametrize("registered", [False, True])
@pytest.mark.parametrize("name, width, clock_hz", KINDS)
def test_reads_an_open_row_after_the_declared_latency(name, width, clock_hz, registered):
    chip = dataclasses.replace(CHIPS[name], refresh=1e6)        # a REFRESH would close the row
    (_, second), _ = run(
        chip, width, clock_hz, {"reads": [read_burst(width, 0, 1)]},
        {"reads": [read_burst(width, width // 8, 1)]}, registered=registered)
    dut = AxiSdram(chip=chip, clock_hz=int(clock_hz), addr_width=26, data_width=width,
                   pin_delay=2 if registered else 0)
    # both address and data are recorded one cycle after they are valid
    assert second.read_beats[0] - second.read_issued[0] == dut.read_latency


def test_refused_bursts_change_nothing():
    accesses = RefusedAccesses(random.Random(seed(1)), width=32, address=64, outside=[SMALL.size])
    run(SMALL, 32, 100e6, {"writes": accesses.writes}, {"reads": accesses.reads})
    accesses.check(erased(4096))


def test_refreshes_rows_while_no_access_is_pending():
    def idle_manager(port):
        manager = AxiManager(port)

        async def idle(ctx, limit):
            for _ in range(12_000):
                await ctx.tick()
        manager.run = idle
        return manager
    _, model = run(SMALL, 32, 100e6, idle_manager)
    assert len(model.refreshes) >= 8 + 12_000 // 300 - 4


@pytest.mark.parametrize("arguments, message", [
    ({"clock_hz": 150_000_000}, "the maximum clock of the SDRAM is 143 MHz, not 150 MHz"),
    ({"clock_hz": 0}, "the clock of the SDRAM must be positive, not 0 Hz"),
    ({"clock_hz": -5}, "the clock of the SDRAM must be positive, not -5 Hz"),
    ({"clock_hz": 1_000_000},
     "at 1 MHz there are 3 cycles between two REFRESH commands, but 20 are needed; raise the "
     "clock"),
    ({"chip": dataclasses.replace(SMALL, data_width=8), "data_width": 256,
      "clock_hz": 25_000_000},
     "at 25 MHz there are 75 cycles between two REFRESH commands, but 84 are needed; raise the "
     "clock"),
    ({"data_width": 48}, "data_width must be 32, 64, 128 or 256, not 48"),
    ({"data_width": "32"}, "data_width must be 32, 64, 128 or 256, not '32'"),
    ({"pin_delay": 5}, "pin_delay must be 0 to 4 cycles, not 5"),
    ({"pin_delay": -1}, "pin_delay must be 0 to 4 cycles, not -1"),
    ({"base": 4096}, "base must be a multiple of the 16384 bytes of the memory below 2 ** 26, not "
                     "0x1000"),
    ({"chip": dataclasses.replace(SMALL, data_width=64)},
     "data_width must be 64 times a power of two, at most a row, not 32"),
])
def test_rejects_parameters_that_cannot_work(arguments, message):
    with pytest.raises(ValueError) as caught:
        AxiSdram(**{"chip": SMALL, "clock_hz": 100_000_000, "addr_width": 26, "data_width": 32,
                    **arguments})
    assert str(caught.value) == message
