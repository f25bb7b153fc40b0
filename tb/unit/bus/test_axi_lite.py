"""AXI4-Lite subordinate: any order of AW and W, random stalls, responses."""

import random
import re

import pytest
from amaranth.sim import Simulator

from support.bench import add_deadline
from support.seeds import seed
from support.streams import STALL_PATTERNS, Stalls
from support.ticks import sampled
from weft.bus.axi4 import RESP_OKAY, RESP_SLVERR
from weft.bus.axi_lite import AxiLiteSubordinate
from weft.control.registers import Registers


def register_file(dut, latency, memory):
    """Return a process that acknowledges accesses after ``latency`` cycles.

    It refuses addresses from 0x80 on.
    """
    async def bench(ctx):
        while True:
            en, *stable = await sampled(ctx, dut.bus.en, dut.bus.write, dut.bus.addr)
            if not en:
                continue
            for _ in range(latency - 1):
                now = await sampled(ctx, dut.bus.write, dut.bus.addr)
                assert tuple(stable) == now, "the access changed before its acknowledgement"
            write, addr = stable
            refused = addr >= 0x80
            ctx.set(dut.bus.error, refused)
            if write and not refused:
                data, strb = ctx.get(dut.bus.data), ctx.get(dut.bus.strb)
                for byte in range(4):
                    if strb >> byte & 1:
                        memory[addr // 4 * 4 + byte] = data >> 8 * byte & 0xFF
            if not write:
                ctx.set(dut.bus.read_data, 0 if refused else int.from_bytes(
                    memory[addr // 4 * 4:addr // 4 * 4 + 4], "little"))
            ctx.set(dut.bus.ack, 1)
            await ctx.tick()
            ctx.set(dut.bus.ack, 0)
    return bench


async def handshake(ctx, valid, ready, stalls, **payload):
    """Transfer one payload on a channel; ``payload`` has (signal, value) pairs."""
    idle = next(stalls)
    if idle:
        await ctx.tick().repeat(idle)
    for signal, value in payload.values():
        ctx.set(signal, value)
    ctx.set(valid, 1)
    await ctx.tick().until(ready)
    ctx.set(valid, 0)


@pytest.mark.parametrize("pattern", STALL_PATTERNS)
def test_random_accesses_match_a_model(pattern):
    run_seed = seed()
    draw = random.Random(run_seed)
    dut = AxiLiteSubordinate(8)
    axil = dut.s_axil
    memory = bytearray(draw.randbytes(0x80))
    model = bytearray(memory)
    writes = [(draw.randrange(0, 256, 4), draw.getrandbits(32), draw.getrandbits(4))
              for _ in range(60)]
    results = []
    sim = Simulator(dut)
    sim.add_clock(1e-6)
    add_deadline(sim, 100_000)
    stalls = [Stalls(pattern, (run_seed, number)) for number in range(6)]

    async def addresses(ctx):
        for addr, _, _ in writes:
            await handshake(ctx, axil.awvalid, axil.awready, stalls[0], addr=(axil.awaddr, addr))

    async def data(ctx):
        for _, value, strb in writes:
            await handshake(ctx, axil.wvalid, axil.wready, stalls[1],
                            data=(axil.wdata, value), strb=(axil.wstrb, strb))

    async def responses(ctx):
        for addr, value, strb in writes:
            idle = next(stalls[2])
            for _ in range(idle):
                before = ctx.get(axil.bvalid)
                await ctx.tick()
                assert not before or ctx.get(axil.bvalid), "BVALID fell before BREADY"
            ctx.set(axil.bready, 1)
            resp, = await ctx.tick().sample(axil.bresp).until(axil.bvalid)
            ctx.set(axil.bready, 0)
            assert resp == (RESP_SLVERR if addr >= 0x80 else RESP_OKAY), f"seed {run_seed}"
            if addr < 0x80:
                for byte in range(4):
                    if strb >> byte & 1:
                        model[addr + byte] = value >> 8 * byte & 0xFF
        # a write is visible to every read after its response
        for addr in range(0, 256, 4):
            await handshake(ctx, axil.arvalid, axil.arready, stalls[3], addr=(axil.araddr, addr))
            idle = next(stalls[4])
            if idle:
                await ctx.tick().repeat(idle)
            ctx.set(axil.rready, 1)
            value, resp = await ctx.tick().sample(axil.rdata, axil.rresp).until(axil.rvalid)
            ctx.set(axil.rready, 0)
            expected = int.from_bytes(model[addr:addr + 4], "little") if addr < 0x80 else 0
            results.append((value, resp) == (
                expected, RESP_SLVERR if addr >= 0x80 else RESP_OKAY))

    latency = draw.randint(1, 4)
    sim.add_testbench(addresses)
    sim.add_testbench(data)
    sim.add_testbench(responses)
    sim.add_testbench(register_file(dut, latency, memory), background=True)
    sim.run()
    assert results == [True] * 64, f"seed {run_seed}"


def test_reads_and_writes_alternate():
    dut = AxiLiteSubordinate(8)
    axil = dut.s_axil
    order = []
    sim = Simulator(dut)
    sim.add_clock(1e-6)
    add_deadline(sim, 100_000)

    async def bench(ctx):
        for signal in (axil.awvalid, axil.wvalid, axil.arvalid, axil.bready, axil.rready):
            ctx.set(signal, 1)
        while len(order) < 12:
            write_done, read_done = await sampled(ctx, axil.bvalid, axil.rvalid)
            order.extend(["write"] * write_done + ["read"] * read_done)

    sim.add_testbench(bench)
    sim.add_testbench(register_file(dut, 1, bytearray(256)), background=True)
    sim.run()
    assert order == ["write", "read"] * 6


def test_nothing_is_ready_during_reset():
    dut = AxiLiteSubordinate(8)
    sim = Simulator(dut)
    sim.add_clock(1e-6)
    add_deadline(sim, 100_000)

    async def bench(ctx):
        assert not ctx.get(dut.s_axil.awready | dut.s_axil.wready | dut.s_axil.arready)
        await ctx.tick()
        assert ctx.get(dut.s_axil.awready & dut.s_axil.wready & dut.s_axil.arready)

    sim.add_testbench(bench)
    sim.run()


@pytest.mark.parametrize("width, error, message", [
    (2, ValueError, "addr_width must be at least 3, not 2"),
    ("12", TypeError, "addr_width must be an integer, not '12'"),
])
def test_rejects_an_invalid_address_width(width, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        AxiLiteSubordinate(width)


def test_an_access_takes_five_cycles():
    dut = AxiLiteSubordinate(8)
    axil = dut.s_axil
    sim = Simulator(dut)
    sim.add_clock(1e-6)
    add_deadline(sim, 100_000)

    async def bench(ctx):
        await ctx.tick()
        for valids, response in (((axil.awvalid, axil.wvalid), axil.bvalid),
                               ((axil.arvalid,), axil.rvalid)):
            for valid in valids:
                ctx.set(valid, 1)
            await ctx.tick()
            for valid in valids:
                ctx.set(valid, 0)
            cycles = 1
            while not ctx.get(response):
                await ctx.tick()
                cycles += 1
            assert cycles == 5
            ctx.set(axil.bready, 1)
            ctx.set(axil.rready, 1)
            await ctx.tick()

    sim.add_testbench(bench)
    sim.add_testbench(register_file(dut, Registers.LATENCY, bytearray(256)), background=True)
    sim.run()


def test_responses_are_stable_until_they_are_accepted():
    dut = AxiLiteSubordinate(8)
    axil = dut.s_axil
    sim = Simulator(dut)
    sim.add_clock(1e-6)
    add_deadline(sim, 1000)

    async def bench(ctx):
        ctx.set(axil.arvalid, 1)
        ctx.set(axil.awvalid, 1)
        ctx.set(axil.wvalid, 1)
        for addr in (0x10, 0x20):
            ctx.set(axil.araddr, addr)
            ctx.set(axil.awaddr, addr + 0x80)
            await ctx.tick().until(axil.arready)
        ctx.set(axil.arvalid, 0)
        await ctx.tick().repeat(30)
        for signal in (axil.rready, axil.bready):
            ctx.set(signal, 1)
        assert ctx.get(axil.rvalid) and ctx.get(axil.bvalid)
        assert ctx.get(axil.rdata) == 0x13121110
        await ctx.tick()
        value, = await ctx.tick().sample(axil.rdata).until(axil.rvalid)
        assert value == 0x23222120

    sim.add_testbench(bench)
    sim.add_testbench(register_file(dut, 2, bytearray(range(256))), background=True)
    sim.run()
