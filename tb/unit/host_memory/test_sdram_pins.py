"""Pins of an SDRAM on a board: levels of all signals, and phase of the chip's clock."""

import random
import re

import pytest
from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, io, wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from support.axi_manager import AxiManager, Burst, apply, expected, random_write
from support.pin_loop import PinLoop
from support.sdram_bench import CHIPS, erased
from support.sdram_model import SdramModel
from support.seeds import seed
from weft.bus.axi4 import Axi4
from weft.host_memory.sdram import AxiSdram
from weft.host_memory.sdram_pins import Command
from weft_boards import _pins, board
from weft_boards._pins import DeviceTop, make_platform
from weft_boards._sdram_phase import sdram_phase

CHIP, WIDTH, CLOCK_HZ = CHIPS["ulx3s"], 128, 100_000_000
CLOCKS = []         # parameters of the buffers that drive the chip's clock


class ClockPin(wiring.Component):
    """Replacement for the DDR buffer, which cannot be simulated."""

    def __init__(self, direction, port, *, o_domain):
        CLOCKS.append((direction, port.invert, o_domain, self))
        super().__init__({"o": Out(data.ArrayLayout(1, 2)).flip()})

    def elaborate(self, platform):
        return Module()


class PinLevels(wiring.Component):
    """Controller connected to a board's pins, with the levels at the pins."""

    def __init__(self, pads):
        self.pads = pads
        self.memory = AxiSdram(chip=CHIP, clock_hz=CLOCK_HZ, addr_width=25,
                               data_width=WIDTH, pin_delay=2)
        super().__init__({"axi": In(Axi4(addr_width=25, data_width=WIDTH))})
        self.levels = Signal(3)             # RAS, CAS and WE, active low
        self.selected, self.enabled, self.driven = Signal(), Signal(), Signal(16)

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = self.memory
        wiring.connect(m, wiring.flipped(self.axi), memory.axi)
        pads = self.pads
        DeviceTop._sdram(None, m, pads, memory.pins)
        m.d.comb += [self.levels.eq(Cat(pads.we.o, pads.cas.o, pads.ras.o)),
                     self.selected.eq(~pads.cs.o), self.enabled.eq(pads.clk_en.o),
                     self.driven.eq(pads.dq.oe)]
        return m


class LevelChip(SdramModel):
    """Chip that decodes commands from the levels at its pins."""

    # RAS#, CAS#, WE#; source: JEDEC JESD21-C, 3.11.5
    COMMANDS = {0b111: Command.NOP, 0b011: Command.ACTIVATE, 0b101: Command.READ,
                0b100: Command.WRITE, 0b010: Command.PRECHARGE, 0b001: Command.REFRESH,
                0b000: Command.MODE}

    def __init__(self, top):
        super().__init__(None, CHIP, CLOCK_HZ)
        self.top = top

    async def run(self, ctx):
        top, pads = self.top, self.top.pads
        sampled = ctx.tick().sample(top.selected, top.levels, top.driven, top.enabled, pads.ba.o,
                                    pads.a.o, pads.dqm.o, pads.dq.o)
        async for _, _, selected, levels, driven, enabled, *others in sampled:
            assert driven in (0, 0xFFFF)
            command = self.COMMANDS[levels] if selected else Command.NOP
            ctx.set(pads.dq.i, self.edge(enabled, command, *others, driven != 0))


def test_drives_the_pins_with_the_levels_of_the_datasheet(monkeypatch):
    real = make_platform(board("ulx3s_85f_sdram")).request("sdram", 0, dir="-")
    names = ("clk", "clk_en", "cs", "ras", "cas", "we", "ba", "a", "dqm", "dq")
    pads = type("Pads", (), {})()
    for name in names:
        port = getattr(real, name)
        setattr(pads, name, io.SimulationPort(port.direction, len(port), invert=port.invert))
    CLOCKS.clear()
    monkeypatch.setattr(_pins.io, "DDRBuffer", ClockPin)
    draw = random.Random(seed(1))
    top = PinLevels(pads)
    # every bank, row and column bit, and partial beats
    addresses = [0, *(1 << bit for bit in range(7, 25))]
    writes = [random_write(draw, address, draw.randint(1, 3), WIDTH)
              for address in addresses]
    reads = [Burst(burst.address, burst.beats, size=burst.size, burst=burst.burst)
             for burst in writes]
    chip = LevelChip(top)

    async def testbench(ctx):
        clock = CLOCKS[0][3]
        await AxiManager(top.axi, writes=writes).run(ctx, limit=200_000)
        await AxiManager(top.axi, reads=reads).run(ctx, limit=200_000)
        assert [ctx.get(clock.o[0]), ctx.get(clock.o[1])] == [1, 0]     # high in the first half

    simulator = Simulator(top)
    simulator.add_clock(1 / CLOCK_HZ)
    simulator.add_testbench(testbench)
    simulator.add_process(chip.run)
    simulator.run()
    assert [entry[:3] for entry in CLOCKS] == [(io.Direction.Output, (False,), "sdram")]
    contents = erased(1 << 25)
    for burst in writes:
        apply(burst, contents, 0)
    for burst in reads:
        assert burst.responses == expected(burst, contents, 0)


@pytest.mark.parametrize("mhz", [25, 50, 65, 80, 100, 125])
def test_the_pll_generates_the_phase_of_the_chips_clock(mhz):
    """Lattice FPGA-TN-02200: phases count VCO periods and eighths of a VCO period."""
    chosen = board("ulx3s_85f_sdram").at(clock_hz=mhz * 1_000_000)
    plan = make_platform(chosen).prepare(DeviceTop(chosen, PinLoop(chosen.sdram)), "top",
                                         debug_verilog=False)
    netlist = plan.files["top.il"]
    netlist = netlist.decode() if isinstance(netlist, bytes) else netlist
    pll = re.search(r"cell \\EHXPLLL \\pll\n(.*?)\n  end", netlist, re.S)[1]

    def value(name):
        return int(re.search(rf"parameter \\{name} (\d+)\n", pll)[1])

    assert value("CLKOS_DIV") == value("CLKOP_DIV") and value("CLKOS_CPHASE") <= 127
    phase = (value("CLKOS_CPHASE") - value("CLKOP_CPHASE")
             + (value("CLKOS_FPHASE") - value("CLKOP_FPHASE")) / 8) / value("CLKOS_DIV")
    assert phase == sdram_phase(chosen.clock_hz)[0] / 4
    clock = re.search(r"connect \\CLKOS (\S+)", pll)[1]
    pin = re.search(r"cell \\ODDRX1F .*?\n(.*?)\n  end", netlist, re.S)[1]
    assert re.search(r"connect \\SCLK (\S+)", pin)[1] == clock
