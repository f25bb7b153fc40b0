"""An SDRAM behind an AXI4 port: bytes, the chip's rules, and its share of the peak."""

import dataclasses
import os
import pathlib
import random

import pytest
from amaranth.hdl import ClockDomain, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from amaranth.sim import Simulator

from support.axi_manager import AxiManager, Burst, apply, expected, random_write
from support.sdram_model import SMALL, SdramModel
from weft.bus.axi4 import RESP_DECERR, RESP_OKAY, RESP_SLVERR, Axi4
from weft.host_memory.sdram import AxiSdram
from weft.host_memory.sdram_chip import M12L64322A, MT48LC16M16
from weft.host_memory.sdram_pins import Command
from weft.host_memory.sdram_simulated import SimulatedSdram
from weft_boards._top import sdram_phase

# with a short power-up
CHIPS = {"ulx3s": dataclasses.replace(MT48LC16M16, power_up=500),
         "colorlight": dataclasses.replace(M12L64322A, power_up=500), "small": SMALL,
         # ACTIVATE of another bank has to wait, even behind READ of a single beat
         "slow_rrd": dataclasses.replace(SMALL, rrd=95)}
KINDS = [("ulx3s", 128, 100e6), ("ulx3s", 32, 133e6), ("ulx3s", 64, 48e6),
         ("colorlight", 32, 80e6), ("colorlight", 64, 100e6), ("small", 32, 100e6),
         ("small", 256, 143e6), ("small", 64, 20e6), ("slow_rrd", 32, 100e6)]

# the shares of the peak that the page shows
MEASURED = KINDS[:5]
TABLE = pathlib.Path(__file__).resolve().parents[3] / "docs" / "blocks" / "sdram.inc"
HEAD = ["| chip | word | beat | clock | peak | writes | reads | both |", "|" + "---|" * 8]


class Registered(wiring.Component):
    """A controller behind registers in its pins, as on a board."""

    def __init__(self, memory):
        self.memory = memory
        self.read_latency = memory.read_latency
        super().__init__({"axi": In(memory.axi.signature.flip()),
                          "pins": Out(memory.pins.signature)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = self.memory
        connect(m, flipped(self.axi), memory.axi)
        for name, member in memory.pins.signature.members.items():
            inner, outer = getattr(memory.pins, name), getattr(self.pins, name)
            m.d.sync += outer.eq(inner) if member.flow is Out else inner.eq(outer)
        return m


def run(chip, width, clock_hz, *phases, truth=None, registered=False):
    """Runs managers made by ``phases`` one after the other; returns them and the model.

    ``truth`` is what the chip is like, if it is not what the controller believes.
    """
    dut = AxiSdram(chip=chip, clock_hz=int(clock_hz), addr_width=26, data_width=width,
                   pin_delay=2 if registered else 0)
    if registered:
        dut = Registered(dut)
    model = SdramModel(dut.pins, truth or chip, clock_hz)
    managers = [phase(dut.axi) for phase in phases]

    async def testbench(ctx):
        for manager in managers:
            await manager.run(ctx, limit=60_000)

    simulator = Simulator(dut)
    simulator.add_clock(1 / clock_hz)
    simulator.add_testbench(testbench)
    simulator.add_process(model.run)
    simulator.run()
    model.check_refreshes()
    return managers, model


def place(draw, first, last, width):
    """Address and beats of a burst between two offsets, inside a 4 KiB page."""
    count = width // 8
    beats = draw.choice((1, 2, draw.randint(1, 40)))
    page = draw.randrange(first // 4096, last // 4096) * 4096
    return page + draw.randint(0, 4096 // count - beats) * count, beats


class Simulated(wiring.Component):
    """A controller and the chip that simulates anywhere."""

    def __init__(self, chip, clock_hz, width):
        self._memory = AxiSdram(chip=chip, clock_hz=int(clock_hz), addr_width=26, data_width=width)
        self._chip = SimulatedSdram(chip=chip, size=16384)
        super().__init__({"axi": In(Axi4(addr_width=26, data_width=width))})

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory, m.submodules.chip = self._memory, self._chip
        connect(m, flipped(self.axi), self._memory.axi)
        connect(m, self._memory.pins, self._chip.pins)
        return m


@pytest.mark.parametrize("name, width, clock_hz", [KINDS[1], KINDS[3]])
def test_the_simulated_chip_keeps_bytes(name, width, clock_hz):
    draw = random.Random(width)
    dut = Simulated(CHIPS[name], clock_hz, width)
    writes = [random_write(draw, *place(draw, 0, 16384, width), width) for _ in range(12)]
    before = AxiManager(dut.axi, writes=writes)
    after = AxiManager(dut.axi, reads=[
        read(width, burst.address, burst.beats) for burst in writes], stall=0.3)

    async def testbench(ctx):
        await before.run(ctx)
        await after.run(ctx)

    simulator = Simulator(dut)
    simulator.add_clock(1 / clock_hz)
    simulator.add_testbench(testbench)
    simulator.run()
    held = bytearray(16384)
    for burst in writes:
        apply(burst, held, 0)
    for burst in after.reads:
        assert burst.responses == expected(burst, held, 0)


def read(width, address, beats):
    return Burst(address, beats, size=(width // 8).bit_length() - 1)


@pytest.mark.parametrize("name, width, clock_hz", KINDS)
@pytest.mark.parametrize("stall, registered", [(0.0, False), (0.6, False), (0.3, True)])
def test_bytes_agree_with_a_byte_array(name, width, clock_hz, stall, registered):
    chip, seed = CHIPS[name], f"{name}/{width}/{clock_hz:g}/{stall}"
    draw = random.Random(seed)
    size, half = 16384, 8192
    low = [random_write(draw, *place(draw, 0, half, width), width) for _ in range(8)]
    high = [random_write(draw, *place(draw, half, size, width), width) for _ in range(8)]
    # the lower half is written, then read while the upper half is written, then all is read
    (_, second, third), _ = run(
        chip, width, clock_hz,
        lambda port: AxiManager(port, writes=low, stall=stall, seed=seed),
        lambda port: AxiManager(port, writes=high, stall=stall, seed=seed, reads=[
            read(width, burst.address, burst.beats) for burst in low]),
        lambda port: AxiManager(port, stall=stall, seed=seed, reads=[
            read(width, burst.address, burst.beats) for burst in low + high]),
        registered=registered)
    held = bytearray(b"\xA5" * size)
    for burst in low + high:
        assert burst.responses == [(RESP_OKAY,)], f"seed {seed}"
        apply(burst, held, 0)
    for burst in second.reads + third.reads:
        assert burst.responses == expected(burst, held, 0), f"seed {seed}"


class LateChip(SdramModel):
    """The chip at edges of its own, whose words come and go when its datasheet says."""

    HOLD, ACCESS = 2.5, {2: 6.0, 3: 5.4}        # ns after an edge

    async def run(self, ctx):
        pins = self.pins
        async for _, _, cke, *taken in ctx.tick("chip").sample(
                pins.cke, pins.command, pins.bank, pins.addr, pins.mask, pins.dq_o, pins.dq_en):
            if cke:
                self._take(Command(taken[0]), *taken[1:])
            self.cycle += 1

    async def come(self, ctx):
        cycle = 0
        async for _ in ctx.tick("come"):
            cycle += 1
            ctx.set(self.pins.dq_i, self.bus.get(cycle, self._garbage()))

    async def go(self, ctx):
        async for _ in ctx.tick("go"):
            ctx.set(self.pins.dq_i, self._garbage())


def beats_read_wrong(mhz, way, quarters, pin_delay):
    """Of 12 bursts that were written before; the chip's clock is ``quarters`` of a cycle late."""
    draw, width = random.Random(3), 32
    chip = dataclasses.replace(CHIPS["ulx3s"], cas={2: 100e6, 3: 167e6})
    dut = Registered(AxiSdram(chip=chip, clock_hz=round(mhz * 1e6), addr_width=26,
                              data_width=width, pin_delay=pin_delay))
    m = Module()
    m.submodules.dut = dut
    for name in ("chip", "come", "go"):
        m.domains += ClockDomain(name, reset_less=True)
    model = LateChip(dut.pins, chip, mhz * 1e6)
    writes = [random_write(draw, *place(draw, 0, 16384, width), width) for _ in range(12)]
    reads = AxiManager(dut.axi, reads=[read(width, burst.address, burst.beats)
                                       for burst in writes])

    async def testbench(ctx):
        await AxiManager(dut.axi, writes=writes).run(ctx, limit=60_000)
        await reads.run(ctx, limit=60_000)

    period = 1e-6 / mhz
    simulator = Simulator(m)
    simulator.add_clock(period, phase=period / 2)
    edge = period / 2 + period * quarters / 4
    access = LateChip.ACCESS[chip.cycles(mhz * 1e6).cas]
    for name, late in (("chip", 0), ("come", access + way), ("go", LateChip.HOLD + way)):
        simulator.add_clock(period, phase=edge + late * 1e-9, domain=name)
    simulator.add_testbench(testbench)
    for process in (model.run, model.come, model.go):
        simulator.add_process(process)
    simulator.run()
    held = bytearray(b"\xA5" * 16384)
    for burst in writes:
        apply(burst, held, 0)
    return sum(found != wanted for burst in reads.reads
               for found, wanted in zip(burst.responses, expected(burst, held, 0)))


@pytest.mark.parametrize("way", [2.0, 3.5])
@pytest.mark.parametrize("mhz", [16, 25, 48, 66, 66.25, 80, 100, 133, 140])
def test_words_are_taken_while_they_are_there(mhz, way):
    quarters, pin_delay = sdram_phase(mhz * 1e6)
    assert beats_read_wrong(mhz, way, quarters, pin_delay) == 0


def test_words_that_are_not_there_yet_or_no_more_are_noticed():
    """Of a chip whose clock rises in the middle of a cycle, as it did."""
    assert beats_read_wrong(50, 3.5, 2, 2)
    assert beats_read_wrong(80, 3.5, 2, 1)


def shares(name, width, clock_hz):
    """Shares of the chip's peak: writes, reads, and both at once, in bursts of 256 bytes.

    Counted at the chip: what waits at the port, or is taken there ahead, does not matter.
    """
    chip, beats, bursts = CHIPS[name], 256 * 8 // width, 24
    draw = random.Random(width)
    at = [number * beats * width // 8 for number in range(bursts)]
    writes = [random_write(draw, address, beats, width) for address in at]
    _, model = run(
        chip, width, clock_hz,
        lambda port: AxiManager(port, writes=writes[:1]),       # until the chip is ready
        lambda port: AxiManager(port, writes=writes[1:]),
        lambda port: AxiManager(port, reads=[read(width, address, beats) for address in at]),
        lambda port: AxiManager(port, writes=[
            random_write(draw, chip.size // 2 + address, beats, width) for address in at],
            reads=[read(width, address, beats) for address in at]))
    words = 256 * 8 // chip.data_width      # of a burst
    left = model.accesses[words:]
    for count in (bursts - 1, bursts, 2 * bursts):
        taken, left = left[:count * words], left[count * words:]
        assert len(taken) == count * words
        yield (len(taken) - 1) / (taken[-1] - taken[0])
    assert not left


def measured(name, width, clock_hz):
    """What a row of the table begins with."""
    part, bits = {"ulx3s": "MT48LC16M16", "colorlight": "M12L64322A"}[name], CHIPS[name].data_width
    return (f"| {part} | {bits} bits | {width} bits | {clock_hz / 1e6:g} MHz | "
            f"{clock_hz * bits / 8e6:g} MB/s ")


@pytest.mark.parametrize("name, width, clock_hz", MEASURED)
def test_most_of_the_peak_is_reached(name, width, clock_hz):
    writing, reading, both = found = tuple(shares(name, width, clock_hz))
    assert writing >= 0.95 and reading >= 0.95 and both >= 0.85, found
    begin = measured(name, width, clock_hz)
    row = begin + "".join(f"| {100 * share:.1f} % " for share in found) + "|"
    kept = TABLE.read_text().splitlines() if TABLE.exists() else []
    rows = {line.rsplit("|", 4)[0]: line for line in kept}
    if os.environ.get("WEFT_UPDATE"):
        rows[begin] = row
        TABLE.write_text("\n".join([*HEAD, *(
            rows[key] for key in (measured(*kind) for kind in MEASURED) if key in rows)]) + "\n")
    else:
        assert kept[:2] == HEAD and list(rows)[2:] == [measured(*kind) for kind in MEASURED]
        assert rows[begin] == row, (
            "WEFT_UPDATE=1 pytest tb/unit/host_memory/test_sdram.py -k peak writes the table again")


@pytest.mark.parametrize("changes, message", [
    ({"rcd": 5}, "READ or WRITE after 14.0 ns"),
    ({"rp": 5, "ras": 60}, "REFRESH after 7.0 ns, 18.0 ns"),
    ({"ras": 20, "rp": 40}, "PRECHARGE after [0-9.]* ns, 42.0 ns at least"),
    ({"rfc": 5}, "after REFRESH after 7.0 ns"), ({"wr": 1}, "PRECHARGE after 14.0 ns, 15.0 ns"),
    ({"refresh": 9000}, "cycles without REFRESH"), ({"cas": {2: 143e6}}, "latency 2"),
    ({"start": 5}, "at power-up after [0-9.]* ns, 500"), ({"row_bits": 6}, "row 0x[23]. of 32")])
def test_the_model_notices_what_a_chip_does_not_allow(changes, message):
    believed = dataclasses.replace(SMALL, **changes)
    draw, width = random.Random(7), 32
    writes = [random_write(draw, *place(draw, 0, believed.size, width), width) for _ in range(100)]
    reads = [read(width, burst.address, burst.beats) for burst in writes]

    def both(port):
        return AxiManager(port, writes=writes, reads=reads, stall=0.2)
    with pytest.raises(AssertionError, match=message):
        run(believed, width, 143e6, both, truth=SMALL)


@pytest.mark.parametrize("registered", [False, True])
@pytest.mark.parametrize("name, width, clock_hz", KINDS)
def test_an_open_row_is_read_after_the_latency_that_is_told(name, width, clock_hz, registered):
    chip = dataclasses.replace(CHIPS[name], refresh=1e6)        # which would close the row
    (_, second), _ = run(
        chip, width, clock_hz, lambda port: AxiManager(port, reads=[read(width, 0, 1)]),
        lambda port: AxiManager(port, reads=[read(width, width // 8, 1)]), registered=registered)
    dut = AxiSdram(chip=chip, clock_hz=int(clock_hz), addr_width=26, data_width=width,
                   pin_delay=2 if registered else 0)
    # the address is valid the cycle before it is seen to be accepted, as the data is
    assert second.read_beats[0] - second.read_issued[0] == dut.read_latency


def test_refused_bursts_change_nothing():
    width, chip = 32, SMALL
    draw = random.Random(1)
    good = random_write(draw, 64, 8, width)
    outside = random_write(draw, chip.size, 3, width)
    fixed, narrow = (random_write(draw, 64, 3, width) for _ in range(2))
    fixed.burst, narrow.size = 0, 1
    (writes, reads), _ = run(
        chip, width, 100e6,
        lambda port: AxiManager(port, writes=[good, outside, fixed, narrow]),
        lambda port: AxiManager(port, reads=[
            Burst(burst.address, burst.beats, size=burst.size, burst=burst.burst)
            for burst in (good, outside, fixed, narrow)]))
    wanted = [RESP_OKAY, RESP_DECERR, RESP_SLVERR, RESP_SLVERR]
    assert [burst.responses[0][0] for burst in writes.writes] == wanted
    for burst, resp in zip(reads.reads, wanted):
        assert [answer[1:] for answer in burst.responses] == [
            (resp, int(index == burst.beats - 1)) for index in range(burst.beats)]
    held = bytearray(b"\xA5" * 4096)
    apply(good, held, 0)
    assert reads.reads[0].responses == expected(reads.reads[0], held, 0)


def test_rows_are_refreshed_while_nobody_asks():
    def wait(port):
        manager = AxiManager(port)

        async def idle(ctx, limit):
            for _ in range(12_000):
                await ctx.tick()
        manager.run = idle
        return manager
    _, model = run(SMALL, 32, 100e6, wait)
    assert len(model.refreshes) >= 8 + 12_000 // 300 - 4


@pytest.mark.parametrize("changes, message", [
    ({"data_width": 12}, "data_width must be 8, 16, 32 or 64, not 12"),
    ({"data_width": "16"}, "data_width must be 8, 16, 32 or 64, not '16'"),
    ({"bank_bits": 0}, "bank_bits must be 1 to 2, not 0"),
    ({"row_bits": 14}, "row_bits must be 1 to 13, not 14"),
    ({"col_bits": 11}, "col_bits must be 1 to 10, not 11"),
    *(({name: value}, f"{name} must be a positive time in ns, not {value}")
      for name in ("rcd", "rp", "ras", "rc", "rfc", "rrd", "wr", "refresh", "start")
      for value in (0, -1)),
    ({"cas": {}},
     "cas must have the highest clock of latencies of 2 or 3 cycles, not {}"),
    ({"cas": {2: 1e8, 4: 2e8}}, "cas must have the highest clock of latencies of 2 or 3 cycles, "
                                "not {2: 100000000.0, 4: 200000000.0}"),
    ({"cas": {1: 5e7, 2: 1e8}}, "cas must have the highest clock of latencies of 2 or 3 cycles, "
                                "not {1: 50000000.0, 2: 100000000.0}"),
    ({"rc": 90}, "rc of 90 ns is more than ras and rp, 42 and 18 ns: give ras as what is left of "
                 "rc"),
])
def test_a_chip_that_cannot_be_is_rejected(changes, message):
    with pytest.raises(ValueError) as caught:
        dataclasses.replace(SMALL, **changes)
    assert str(caught.value) == message


@pytest.mark.parametrize("arguments, message", [
    ({"clock_hz": 150_000_000}, "the SDRAM runs at 143 MHz at most, not at 150 MHz"),
    ({"clock_hz": 0}, "the clock of the SDRAM must be positive, not 0 Hz"),
    ({"clock_hz": -5}, "the clock of the SDRAM must be positive, not -5 Hz"),
    ({"clock_hz": 1_000_000}, "at 1 MHz there are 3 cycles between two REFRESH, 20 are needed"),
    ({"chip": dataclasses.replace(SMALL, data_width=8), "data_width": 256,
      "clock_hz": 25_000_000},
     "at 25 MHz there are 75 cycles between two REFRESH, 84 are needed"),
    ({"data_width": 48}, "data_width must be 32, 64, 128 or 256, not 48"),
    ({"data_width": "32"}, "data_width must be 32, 64, 128 or 256, not '32'"),
    ({"pin_delay": 5}, "pin_delay must be 0 to 4 cycles, not 5"),
    ({"pin_delay": -1}, "pin_delay must be 0 to 4 cycles, not -1"),
    ({"base": 4096}, "base must be a multiple of the 16384 bytes of the memory below 2 ** 26, not "
                     "0x1000"),
    ({"chip": dataclasses.replace(SMALL, data_width=64)},
     "a beat of 32 bits is not a power of two of words of 64 bits"),
])
def test_rejects(arguments, message):
    with pytest.raises(ValueError) as caught:
        AxiSdram(**{"chip": SMALL, "clock_hz": 100_000_000, "addr_width": 26, "data_width": 32,
                    **arguments})
    assert str(caught.value) == message
