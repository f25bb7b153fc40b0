"""Copier: every width and alignment, stalls, error responses, and time-outs."""

import random

import pytest
from amaranth.sim import Simulator

from support.axi_memory import AxiMemory
from support.seeds import seed
from weft.bus.axi4 import RESP_DECERR, RESP_SLVERR
from weft.link.copier import Copier
from weft.spec.link_frames import Status

WIDTHS = (32, 64, 128, 256)
TICK = 50               # cycles; eight ticks are a time-out
PAYLOAD = 64
BASE, SIZE = 0x1000, 0x1000


class Bench:
    """Copier with a buffer, a memory and a register file."""

    def __init__(self, width, start, *, stall=0.3, latency=3):
        self.seed = start
        self.draw = random.Random(start)
        self.dut = Copier(addr_width=32, data_width=width, payload=PAYLOAD)
        self.memory = AxiMemory(size=SIZE, bus_bytes=width // 8, base=BASE, latency=latency,
                                stall=stall, outstanding=1, seed=start)
        self.memory.data[:] = self.draw.randbytes(SIZE)
        self.buffer = bytearray(self.draw.randbytes(PAYLOAD))
        self.words = {addr: self.draw.getrandbits(32) for addr in range(0, 64, 4)}
        self.refused = set()
        self.silent = set()         # channels of the register bus that stall: "aw", "w", ...

    async def buffer_process(self, ctx):
        dut, before = self.dut, 0
        async for _, _, index, en, data in ctx.tick().sample(
                dut.o_index, dut.o_write_en, dut.o_write_data):
            if en:
                self.buffer[index] = data
            ctx.set(dut.i_read_data, before)
            before = self.buffer[index]

    async def ticks(self, ctx):
        cycle = 0
        async for _ in ctx.tick():
            cycle += 1
            ctx.set(self.dut.i_tick, cycle % TICK == 0)

    async def lite(self, ctx):
        """AXI4-Lite subordinate with random stalls, which checks that requests remain stable."""
        port = self.dut.m_axil
        taken = {}
        waiting = {}
        while True:
            for channel in ("aw", "w", "ar"):
                ctx.set(getattr(port, channel + "ready"), channel not in self.silent
                        and channel not in taken and self.draw.random() < 0.4)
            _, _, aw, awr, addr, w, wr, data, strb, ar, arr, raddr, bready, rready, bv, rv = \
                await ctx.tick().sample(
                    port.awvalid, port.awready, port.awaddr, port.wvalid, port.wready, port.wdata,
                    port.wstrb, port.arvalid, port.arready, port.araddr, port.bready, port.rready,
                    port.bvalid, port.rvalid)
            for name, valid, ready, payload in (("aw", aw, awr, addr), ("w", w, wr, data),
                                                ("ar", ar, arr, raddr)):
                if name in waiting:
                    assert valid and payload == waiting[name], f"{name} changed during a stall"
                waiting.pop(name, None)
                if valid and not ready:
                    waiting[name] = payload
                if valid and ready:
                    taken[name] = payload
            if bv and bready:
                ctx.set(port.bvalid, 0)
            if rv and rready:
                ctx.set(port.rvalid, 0)
            if {"aw", "w"} <= taken.keys() and "b" not in self.silent:
                assert strb == 15
                addr, data = taken.pop("aw"), taken.pop("w")
                if addr not in self.refused:
                    self.words[addr] = data
                ctx.set(port.bresp, RESP_SLVERR if addr in self.refused else 0)
                ctx.set(port.bvalid, 1)
            if "ar" in taken and "r" not in self.silent:
                addr = taken.pop("ar")
                ctx.set(port.rdata, self.words[addr])
                ctx.set(port.rresp, RESP_SLVERR if addr in self.refused else 0)
                ctx.set(port.rvalid, 1)

    async def copy(self, ctx, addr, length, *, write, registers=False):
        """Run a copy and return its status and its duration in cycles."""
        dut = self.dut
        for signal, value in ((dut.i_addr, addr), (dut.i_length, length), (dut.i_write, write),
                              (dut.i_registers, registers), (dut.i_en, 1)):
            ctx.set(signal, value)
        await ctx.tick()
        ctx.set(dut.i_en, 0)
        ctx.set(dut.i_addr, 0)
        cycles = 0
        while True:
            _, _, done, status = await ctx.tick().sample(dut.o_done, dut.o_status)
            cycles += 1
            if done:
                return Status(status), cycles
            assert cycles < 10_000, "the copy does not end"

    def run(self, bench, *, memory=True):
        sim = Simulator(self.dut)
        sim.add_clock(1e-6)
        sim.add_testbench(bench)
        for process in (self.buffer_process, self.ticks, self.lite):
            sim.add_testbench(process, background=True)
        if memory:
            sim.add_process(self.memory.reader(self.dut.m_axi))
            sim.add_process(self.memory.writer(self.dut.m_axi))
        sim.run()


@pytest.mark.parametrize("width", WIDTHS)
def test_copies_exactly_the_requested_bytes(width):
    bench = Bench(width, seed(10 + width))
    lanes = width // 8
    cases = [(lanes - 1, 1), (0, lanes), (1, lanes), (lanes - 1, 2), (4096 - PAYLOAD, PAYLOAD),
             (4096 - lanes, lanes), *((bench.draw.randrange(4000), bench.draw.randint(1, PAYLOAD))
                                      for _ in range(10))]

    async def copies(ctx):
        for offset, length in cases:
            for write in (1, 0):
                bench.buffer[:] = bench.draw.randbytes(PAYLOAD)
                buffer, data = bytes(bench.buffer), bytes(bench.memory.data)
                status, _ = await bench.copy(ctx, BASE + offset, length, write=write)
                await ctx.tick()
                where = f"seed {bench.seed}, {length} bytes at {offset:#x}"
                assert status == Status.OKAY, where
                if write:
                    data = data[:offset] + buffer[:length] + data[offset + length:]
                else:
                    buffer = data[offset:offset + length] + buffer[length:]
                assert bench.memory.data == data and bench.buffer == buffer, where

    bench.run(copies)


@pytest.mark.parametrize("width", WIDTHS)
def test_copies_registers_at_every_memory_width(width):
    bench = Bench(width, seed(20 + width))

    async def copies(ctx):
        for first, count in ((0, 1), (4, 1), (12, 3), (20, 11)):
            expected = b"".join(bench.words[addr].to_bytes(4, "little")
                                for addr in range(first, first + 4 * count, 4))
            status, _ = await bench.copy(ctx, first, 4 * count, write=0, registers=True)
            await ctx.tick()
            assert status == Status.OKAY, f"seed {bench.seed}"
            assert bench.buffer[:4 * count] == expected, f"seed {bench.seed}"
            bench.buffer[:] = bench.draw.randbytes(PAYLOAD)
            others = {addr: word for addr, word in bench.words.items()
                      if not first <= addr < first + 4 * count}
            status, _ = await bench.copy(ctx, first, 4 * count, write=1, registers=True)
            assert status == Status.OKAY
            assert bench.words == others | {
                first + at: int.from_bytes(bench.buffer[at:at + 4], "little")
                for at in range(0, 4 * count, 4)}, f"seed {bench.seed}"

    bench.run(copies)


@pytest.mark.parametrize("response", [RESP_SLVERR, RESP_DECERR])
def test_ends_a_copy_with_the_first_error_response(response):
    bench = Bench(64, seed(3))
    bench.memory.errors[BASE + 0x18] = response

    async def copies(ctx):
        for write in (0, 1):
            assert (await bench.copy(ctx, BASE + 3, 0x15, write=write))[0] == Status.OKAY
            bursts = len(bench.memory.read_bursts) + len(bench.memory.write_bursts)
            assert (await bench.copy(ctx, BASE + 3, 0x30, write=write))[0] == response
            # beats at 0x00, 0x08, 0x10 and 0x18, and none after the error
            assert len(bench.memory.read_bursts) + len(bench.memory.write_bursts) == bursts + 4
        bench.refused.add(8)
        for write in (0, 1):
            before = bench.words[12]
            bench.buffer[:] = bench.draw.randbytes(PAYLOAD)
            assert (await bench.copy(ctx, 0, 16, write=write, registers=True))[0] == \
                Status.SLVERR
            assert bench.words[12] == before

    bench.run(copies)


@pytest.mark.parametrize("channel, write", [("aw", 1), ("w", 1), ("b", 1), ("ar", 0), ("r", 0)])
def test_reports_a_time_out_and_discards_the_response_that_follows(channel, write):
    bench = Bench(32, seed(4))

    async def copies(ctx):
        dut = bench.dut
        bench.silent.add(channel)
        before = bytes(bench.buffer)
        status, cycles = await bench.copy(ctx, 8, 8, write=write, registers=True)
        assert status == Status.TIMEOUT
        assert 7 * TICK <= cycles <= 8 * TICK + 20
        for _ in range(500):
            await ctx.tick()
            assert ctx.get(dut.o_outstanding)
        bench.silent.clear()
        for _ in range(100):
            await ctx.tick()
        assert not ctx.get(dut.o_outstanding)
        assert bench.buffer == before
        # later copies work
        bench.buffer[:] = bench.draw.randbytes(PAYLOAD)
        assert (await bench.copy(ctx, 16, 4, write=1, registers=True))[0] == Status.OKAY
        assert bench.words[16] == int.from_bytes(bench.buffer[:4], "little")
        assert (await bench.copy(ctx, 24, 4, write=0, registers=True))[0] == Status.OKAY
        await ctx.tick()
        assert bench.buffer[:4] == bench.words[24].to_bytes(4, "little")

    bench.run(copies)


@pytest.mark.parametrize("write", [0, 1])
def test_reports_a_memory_that_never_responds(write):
    bench = Bench(128, seed(5))

    async def copies(ctx):
        status, cycles = await bench.copy(ctx, BASE, 16, write=write)
        assert status == Status.TIMEOUT and 7 * TICK <= cycles <= 8 * TICK + 50
        await ctx.tick()
        port = bench.dut.m_axi
        assert ctx.get(bench.dut.o_outstanding)
        assert ctx.get(port.awvalid) == write and ctx.get(port.arvalid) == 1 - write

    bench.run(copies, memory=False)
