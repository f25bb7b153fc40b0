"""UART: rates that do not divide the clock, glitches, framing errors, and rejected rates."""

import random
import re

import pytest
from amaranth.sim import Simulator

from support.seeds import seed
from weft.link.uart import UartReceiver, UartTransmitter, bit_step

# cycles per bit: the minimum, integers, and rates that do not divide the clock
RATES = [(24_000_000, 6_000_000), (24_000_000, 3_000_000), (25_000_000, 3_000_000),
         (48_000_000, 3_000_000), (25_000_000, 1_000_000), (27_000_000, 921_600)]


def levels(data, bit, *, idle=0.0, phase=0.0):
    """Return the level in each cycle: ``bit`` cycles per bit, ``idle`` bits between bytes."""
    edges, now = [], phase + 3 * bit
    for byte in data:
        for level in [0, *(byte >> index & 1 for index in range(8)), 1]:
            edges.append((now, level))
            now += bit
        now += idle * bit
    line, level, at = [], 1, 0
    for cycle in range(int(now + 12 * bit)):
        while at < len(edges) and edges[at][0] <= cycle:
            level = edges[at][1]
            at += 1
        line.append(level)
    return line


def receive(dut, line):
    """Return the bytes that a receiver outputs for the level in each cycle."""
    found = []

    async def bench(ctx):
        for level in line:
            ctx.set(dut.i_rx, level)
            _, _, en, byte = await ctx.tick().sample(dut.o_en, dut.o_byte)
            if en:
                found.append(byte)

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(bench)
    sim.run()
    return found


@pytest.mark.parametrize("clock_hz, baud", RATES)
@pytest.mark.parametrize("error", [-0.02, 0.0, 0.02])
def test_receives_every_byte_at_two_percent_error(clock_hz, baud, error):
    start = f"{clock_hz}/{baud}/{error} {seed()}"
    draw = random.Random(start)
    data = [0x00, 0xFF, 0x55, 0xAA, *(draw.randrange(256) for _ in range(12))]
    for idle in (0.0, draw.random()):
        line = levels(data, clock_hz / baud * (1 + error), idle=idle, phase=draw.random())
        assert receive(UartReceiver(clock_hz, baud), line) == data, f"seed {start}, idle {idle}"


@pytest.mark.parametrize("clock_hz, baud", RATES)
def test_sends_every_byte_at_its_rate(clock_hz, baud):
    dut = UartTransmitter(clock_hz, baud)
    data = [0x00, 0xFF, 0x55, 0xA5, 0x01, 0x80]
    bit = clock_hz / baud
    line = []

    async def send(ctx):
        for byte in data:
            ctx.set(dut.i.payload, byte)
            ctx.set(dut.i.valid, 1)
            await ctx.tick().until(dut.i.ready)
        ctx.set(dut.i.valid, 0)

    async def watch(ctx):
        for _ in range(int(len(data) * (10 * bit + 2) + 3 * bit)):
            _, _, level = await ctx.tick().sample(dut.o_tx)
            line.append(level)

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(send)
    sim.add_testbench(watch)
    sim.run()

    found, at = [], 0
    starts = []
    while 0 in line[at:]:
        start = line.index(0, at)
        starts.append(start)
        bits = [line[round(start + (index + 0.5) * bit)] for index in range(10)]
        assert bits[0] == 0 and bits[9] == 1
        found.append(sum(level << index for index, level in enumerate(bits[1:9])))
        at = round(start + 9.5 * bit)
    assert found == data
    for first, second in zip(starts, starts[1:]):
        assert 10 * bit <= second - first <= 10 * bit + 2


def test_ignores_a_glitch():
    bit = 16
    for width in range(1, bit // 2 - 1):
        line = [1] * 20 + [0] * width + [1] * (12 * bit) + levels([0xC3], bit)
        assert receive(UartReceiver(16_000_000, 1_000_000), line) == [0xC3], width


def test_discards_a_byte_without_stop_bit():
    bit = 8
    # 30 bits low: no byte is received, and none starts before the line has been high
    line = [1] * 8 + [0] * (30 * bit) + [1] * (2 * bit) + levels([0x3C], bit)
    assert receive(UartReceiver(24_000_000, 3_000_000), line) == [0x3C]


def test_meets_common_rates_within_half_a_percent():
    for clock_hz in (12_000_000, 24_000_000, 25_000_000, 27_000_000, 48_000_000, 133_333_333):
        for baud in (9600, 115_200, 921_600, 1_000_000, 3_000_000):
            step, width = bit_step(clock_hz, baud)
            assert abs(step * clock_hz / 2 ** width / baud - 1) < 0.005, (clock_hz, baud)


@pytest.mark.parametrize("clock_hz, baud, error, message", [
    (11_999_999, 3_000_000, ValueError,
     "3000000 baud requires a clock of at least 12000000 Hz, not 11999999"),
    (24e6, 1_000_000, TypeError, "clock_hz must be an integer, not 24000000.0"),
    (24_000_000, True, TypeError, "baud must be an integer, not True"),
    (24_000_000, 0, ValueError, "baud must be positive, not 0"),
    (4_000_000_000, 10, ValueError,
     "a clock of 4000000000 Hz generates 10 baud only with an error of 2.4 %; the maximum is 2 %"),
])
def test_rejects_rates_that_cannot_work(clock_hz, baud, error, message):
    for component in (UartReceiver, UartTransmitter):
        with pytest.raises(error, match=f"^{re.escape(message)}$"):
            component(clock_hz, baud)
