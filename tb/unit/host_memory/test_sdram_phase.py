"""Phase of an SDRAM's clock on a board, against a chip with the word timing of its datasheet."""

import dataclasses
import random

import pytest
from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from support.axi_manager import AxiManager, apply, expected, random_write
from support.memory_bench import random_location, read_burst
from support.sdram_bench import CHIPS, RegisteredPins, erased
from support.sdram_model import SdramModel
from support.seeds import seed
from weft.host_memory.sdram import AxiSdram
from weft.host_memory.sdram_pins import Command
from weft_boards._sdram_phase import sdram_phase

SIZE, WIDTH = 16384, 32
ACCESS_NS, HOLD_NS = {2: 6.0, 3: 5.4}, 2.5      # tAC for each CAS latency, and tOH


class TimedChip(SdramModel):
    """Chip with a clock of its own, whose words are valid only from tAC to tOH after an edge.

    It runs in three clock domains: ``chip`` at the edges of the chip's clock, ``valid`` tAC after
    them, and ``invalid`` tOH after them.
    """

    async def run(self, ctx):
        pins = self.pins
        async for _, _, cke, command, *others in ctx.tick("chip").sample(
                pins.cke, pins.command, pins.bank, pins.addr, pins.mask, pins.dq_o, pins.dq_en):
            if cke:
                self._execute(Command(command), *others)
            self.cycle += 1

    async def run_valid(self, ctx):
        cycle = 0
        async for _ in ctx.tick("valid"):
            cycle += 1
            ctx.set(self.pins.dq_i, self.driven.get(cycle, self._invalid_word()))

    async def run_invalid(self, ctx):
        async for _ in ctx.tick("invalid"):
            ctx.set(self.pins.dq_i, self._invalid_word())


def wrong_beats(mhz, route_ns, quarters, pin_delay):
    """Return the number of wrong beats in the reads of 12 written bursts.

    Parameters
    ----------
    mhz : :class:`float`
        Clock frequency.
    route_ns : :class:`float`
        Delay of pads and board, out and back together.
    quarters, pin_delay : :class:`int`
        Phase of the chip's clock in quarters of a cycle, and delay of the registers in cycles.
    """
    draw = random.Random(seed(3))
    chip = dataclasses.replace(CHIPS["ulx3s"], cas={2: 100e6, 3: 167e6})
    dut = RegisteredPins(AxiSdram(chip=chip, clock_hz=round(mhz * 1e6), addr_width=26,
                                  data_width=WIDTH, pin_delay=pin_delay))
    m = Module()
    m.submodules.dut = dut
    for name in ("chip", "valid", "invalid"):
        m.domains += ClockDomain(name, reset_less=True)
    model = TimedChip(dut.pins, chip, mhz * 1e6)
    writes = [random_write(draw, *random_location(draw, 0, SIZE, WIDTH), WIDTH)
              for _ in range(12)]
    reads = AxiManager(dut.axi, reads=[read_burst(WIDTH, burst.address, burst.beats)
                                       for burst in writes])

    async def testbench(ctx):
        await AxiManager(dut.axi, writes=writes).run(ctx, limit=60_000)
        await reads.run(ctx, limit=60_000)

    period = 1e-6 / mhz
    simulator = Simulator(m)
    simulator.add_clock(period, phase=period / 2)
    edge = period / 2 + period * quarters / 4
    access_ns = ACCESS_NS[chip.cycles(mhz * 1e6).cas]
    for name, delay_ns in (("chip", 0), ("valid", access_ns + route_ns),
                           ("invalid", HOLD_NS + route_ns)):
        simulator.add_clock(period, phase=edge + delay_ns * 1e-9, domain=name)
    simulator.add_testbench(testbench)
    for process in (model.run, model.run_valid, model.run_invalid):
        simulator.add_process(process)
    simulator.run()
    contents = erased(SIZE)
    for burst in writes:
        apply(burst, contents, 0)
    return sum(found != wanted for burst in reads.reads
               for found, wanted in zip(burst.responses, expected(burst, contents, 0)))


@pytest.mark.parametrize("route_ns", [2.0, 3.5])
@pytest.mark.parametrize("mhz", [16, 25, 48, 66, 66.25, 80, 100, 133, 140])
def test_samples_words_while_they_are_valid(mhz, route_ns):
    quarters, pin_delay = sdram_phase(mhz * 1e6)
    assert wrong_beats(mhz, route_ns, quarters, pin_delay) == 0


@pytest.mark.parametrize("mhz, pin_delay", [(50, 2), (80, 1)])
def test_a_chip_with_the_opposite_clock_phase_returns_wrong_words(mhz, pin_delay):
    assert wrong_beats(mhz, 3.5, 2, pin_delay)
