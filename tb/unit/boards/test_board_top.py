"""Tops of boards in simulation: an INFO request over the serial line, and a missing chip."""

import dataclasses

import pytest
from amaranth.sim import Simulator

from weft.spec.link_frames import ANSWER_HEADER, ANSWER_MARK, CRC_BYTES, Command, Info, Status
from weft_boards import board
from weft_boards._top import BoardTop
from weft_host.link.codec import encode_request

# the other boards differ from these in pins and clock only
REPRESENTATIVES = [board("icebreaker"), board("ulx3s_25f")]
BIT = 4                 # cycles per bit on the line, to shorten the simulation
TIMEOUT_US = 10


def decode(levels, bit_cycles):
    """Return the bytes in the levels of a serial line, one sample per cycle."""
    found, cycle = [], 0
    while cycle < len(levels):
        if levels[cycle]:
            cycle += 1
            continue
        middles = [round(cycle + (1.5 + bit) * bit_cycles) for bit in range(9)]
        if middles[-1] >= len(levels):
            break
        assert levels[middles[-1]], f"no stop bit near cycle {cycle}"
        found.append(sum(levels[middle] << bit for bit, middle in enumerate(middles[:8])))
        cycle = middles[-1]
    return bytes(found)


@pytest.mark.parametrize("entry", REPRESENTATIVES, ids=lambda entry: entry.name)
def test_answers_an_info_request(entry):
    entry = dataclasses.replace(entry, baud=entry.clock_hz // BIT)
    top = BoardTop.of(entry, simulate=True, timeout_us=TIMEOUT_US)
    levels, leds = [], []

    async def send(ctx):
        # the host link discards everything until the line has been silent
        await ctx.tick().repeat(2 * TIMEOUT_US * entry.clock_hz // 1_000_000)
        for byte in encode_request(Command.INFO, 1):
            for bit in (0, *(byte >> index & 1 for index in range(8)), 1):
                ctx.set(top.rx, bit)
                await ctx.tick().repeat(BIT)
        sent = len(levels)
        await ctx.tick().repeat(BIT * 10 * (ANSWER_HEADER.size + Info.FORMAT.size + 20))
        assert 1 in leds[:sent] and leds[-1] == 0

    async def record(ctx):
        async for _, _, tx, busy in ctx.tick().sample(top.tx, top.busy):
            levels.append(tx)
            leds.append(busy)

    sim = Simulator(top)
    sim.add_clock(1 / entry.clock_hz)
    sim.add_testbench(send)
    sim.add_testbench(record, background=True)
    sim.run()
    answer = decode(levels, BIT)
    assert answer[0] == ANSWER_MARK
    status, sequence, _, length = ANSWER_HEADER.unpack_from(answer, 1)
    assert (status, sequence, length) == (Status.OKAY, 1, Info.FORMAT.size)
    info = Info.unpack(answer[1 + ANSWER_HEADER.size + CRC_BYTES:])
    assert (info.board, info.clock_hz, info.baud) == (entry.name, entry.clock_hz, entry.baud)
    assert (info.memory_base, info.memory_bytes) == (0, entry.memory_bytes)
    assert info.bus_bytes == entry.config.bus_bytes


def test_rejects_an_sdram_without_a_chip():
    with pytest.raises(ValueError) as caught:
        BoardTop(config=REPRESENTATIVES[0].config, clock_hz=1_000_000, baud=10_000,
                 memory_bytes=4096, storage="sdram", name="any")
    assert str(caught.value) == "storage 'sdram' needs a chip: set sdram"
