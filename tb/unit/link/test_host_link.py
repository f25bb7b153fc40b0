"""Host link at its pins: a bus that never responds, rejected parameters, and throughput."""

import re
from pathlib import Path

import pytest
from amaranth.sim import Simulator

from support.link_board import MemoryBoard
from support.link_sim import LinkSimulation
from weft.link.host_link import HostLink
from weft.spec.link_frames import Command, Status
from weft_host.link.codec import AnswerParser, encode_request

BIT = 4
BYTE = 10 * BIT + 1
PAGE = Path(__file__).resolve().parents[3] / "docs" / "host_link.md"
GOOD = dict(addr_width=32, data_width=32, clock_hz=24_000_000, baud=6_000_000)


def test_reports_a_memory_that_never_responds_and_continues_to_answer():
    dut = HostLink(**GOOD, timeout_us=50, board="dead")
    silence = 8 * dut.tick_cycles
    parser = AnswerParser()

    async def send(ctx, frame):
        for byte in frame:
            for level in (0, *(byte >> bit & 1 for bit in range(8)), 1):
                ctx.set(dut.rx, level)
                await ctx.tick().repeat(BIT)

    async def receive(ctx, cycles):
        """Return the answers that arrive within a number of cycles."""
        found = bytearray()
        left = cycles
        while left > 0:
            _, _, level = await ctx.tick().sample(dut.tx)
            left -= 1
            if level:
                continue
            await ctx.tick().repeat(BIT // 2)
            bits = []
            for _ in range(9):
                *_, level = await ctx.tick().sample(dut.tx).repeat(BIT)
                bits.append(level)
            left -= 10 * BIT
            found.append(sum(level << index for index, level in enumerate(bits[:8])))
        return parser.feed(bytes(found))

    async def bench(ctx):
        port = dut.m_axi
        ctx.set(dut.m_axil.arready, 1)
        await ctx.tick().repeat(silence + 10)
        write = encode_request(Command.WRITE_MEMORY, 1, 64, 0, b"\x12\x34\x56\x78")
        await send(ctx, write)
        answer, = await receive(ctx, silence + 20 * BYTE)
        assert (answer.status, answer.sequence, answer.last) == (Status.TIMEOUT, 1, 1)
        # a repetition and another request: no new access is issued
        for frame, sequence in ((write, 1), (encode_request(Command.READ_REGISTERS, 2, 0, 4), 2)):
            await send(ctx, frame)
            answer, = await receive(ctx, 20 * BYTE)
            assert (answer.status, answer.sequence) == (Status.TIMEOUT, sequence)
            assert not ctx.get(dut.m_axil.arvalid)
        await send(ctx, encode_request(Command.INFO, 77))
        answer, = await receive(ctx, 70 * BYTE)
        assert answer.status == Status.OKAY and answer.payload == dut.info.pack()
        # the access that timed out stays on the bus, unchanged, until the response
        assert ctx.get(port.awvalid) and ctx.get(port.wvalid)
        assert ctx.get(port.awaddr) == 64 and ctx.get(port.wdata) == 0x78563412
        ctx.set(port.awready, 1)
        ctx.set(port.wready, 1)
        await ctx.tick()
        ctx.set(port.bvalid, 1)
        await ctx.tick().repeat(2)
        ctx.set(port.bvalid, 0)
        ctx.set(dut.m_axil.rdata, 0xCAFEF00D)
        ctx.set(dut.m_axil.rvalid, 1)
        await send(ctx, encode_request(Command.READ_REGISTERS, 3, 0, 4))
        answer, = await receive(ctx, 30 * BYTE)
        assert answer.status == Status.OKAY
        assert answer.payload == (0xCAFEF00D).to_bytes(4, "little")

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(bench)
    sim.run()


def cycles_of(simulation, requests, answered):
    """Return the cycles until ``answered`` bytes have been received."""
    start = simulation.cycle
    count = len(simulation.run(requests, 8))
    while count < answered:
        assert simulation.cycle - start < 10_000_000
        count += len(simulation.run(b"", 8))
    return simulation.cycle - start


@pytest.mark.parametrize("bit", [4, 8, 24])
def test_uses_most_of_the_line_rate_in_a_long_transfer(bit):
    """The results, as a fraction of the line rate, are in docs/host_link.md."""
    board = MemoryBoard(32, clock_hz=6_000_000 * bit, baud=6_000_000, board="memory",
                        timeout_us=80)
    simulation = LinkSimulation(board, bit_cycles=bit)
    simulation.run(b"", 8 * board.link.tick_cycles + 100)
    count, size, byte = 16, 256, 10 * bit
    writes = b"".join(encode_request(Command.WRITE_MEMORY, index + 1, 0x1000, 0, bytes(size))
                      for index in range(count))
    wrote = count * size * byte / cycles_of(simulation, writes, 10 * count)
    reads = b"".join(encode_request(Command.READ_MEMORY, count + index + 1, 0x1000, size)
                     for index in range(count))
    read = count * size * byte / cycles_of(simulation, reads, 270 * count)
    register = encode_request(Command.READ_REGISTERS, 2 * count + 1, 0, 4)
    once = cycles_of(simulation, register, 18) / byte
    simulation.close()
    assert wrote >= 0.92 and read >= 0.85 and once < 35
    row = f"| {bit} | {24 // bit} Mbaud at 24 MHz | {wrote:.3f} | {read:.3f} | {once:.1f} |"
    assert row in PAGE.read_text().splitlines(), f"the table in {PAGE.name} must contain {row}"


@pytest.mark.parametrize("change, error, message", [
    ({"data_width": 48}, ValueError, "data_width must be 32, 64, 128 or 256, not 48"),
    ({"addr_width": 33}, ValueError, "addr_width must be from 12 to 32, not 33"),
    ({"addr_width": "32"}, TypeError, "addr_width must be an integer, not '32'"),
    ({"payload": 100}, ValueError, "payload must be a power of two from 64 to 4096, not 100"),
    ({"memory_base": 1 << 31, "memory_bytes": (1 << 31) + 1}, ValueError,
     "2147483649 bytes of memory from 0x80000000 on exceed the address space of 32 bits"),
    ({"memory_bytes": 1 << 32}, ValueError,
     "memory_bytes must fit 32 bits, not 4294967296: pass half of it, or pass 0 and give the size "
     "to the driver"),
    ({"memory_base": 100}, ValueError, "memory_base must be a multiple of 4096, not 0x64"),
    ({"board": "a name of 17 chars"[:17]}, ValueError,
     "board must be at most 16 characters of ASCII, not 'a name of 17 char'"),
    ({"board": 5}, TypeError, "board must be a string, not 5"),
    ({"timeout_us": 0}, ValueError, "timeout_us must be from 1 to 10000000, not 0"),
    ({"baud": 6_000_001}, ValueError,
     "6000001 baud requires a clock of at least 24000004 Hz, not 24000000"),
])
def test_rejects_parameters_that_cannot_work(change, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        HostLink(**{**GOOD, **change})


def test_supports_three_megabaud_at_every_clock_from_24_megahertz_on():
    for clock_hz in (24_000_000, 25_000_000, 27_000_000, 50_000_000, 100_000_000, 133_000_000):
        assert HostLink(**{**GOOD, "clock_hz": clock_hz, "baud": 3_000_000}).baud == 3_000_000
