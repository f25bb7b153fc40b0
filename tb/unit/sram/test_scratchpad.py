"""Scratchpad compared with a byte array: data, fairness, clearing, flushing, messages."""

import re

import pytest
from amaranth.sim import Simulator

from support.byte_memory import Traffic
from support.streams import STALL_PATTERNS, put
from weft.spec.presets import preset
from weft.sram.banked import BankedMemory
from weft.sram.ports import PortShape
from weft.sram.scratchpad import Scratchpad

SHAPES = [
    preset("tiny", spad_banks=1, spad_bytes=256),
    preset("tiny", spad_banks=2, spad_bytes=256),
    preset("tiny", spad_banks=4, spad_bytes=512),
    preset("tiny", spad_banks=8, spad_bytes=512),
    preset("tiny", bus_width=128, spad_bytes=256),
    preset("wide", spad_bytes=512),
    preset("tall", spad_bytes=512, spad_banks=2),
    preset("small", spad_bytes=1024, bus_width=256),
]


@pytest.mark.parametrize("config", SHAPES, ids=lambda config: config.name)
def test_simultaneous_accesses_of_all_ports_agree_with_a_byte_array(config):
    traffic = Traffic(Scratchpad(config), f"all/{config.name}")
    traffic.run(500)
    assert all(count > 100 for count in traffic.granted.values()), traffic.granted


@pytest.mark.parametrize("pattern", STALL_PATTERNS)
def test_idle_cycles_between_requests_do_not_change_the_data(pattern):
    dut = Scratchpad(SHAPES[1])
    stalls = dict.fromkeys((*dut.reads, *dut.writes), pattern)
    Traffic(dut, f"stalls/{pattern}", stalls=stalls).run(500)


@pytest.mark.parametrize("port", ["matmul", "vector", "store"])
def test_reads_every_address(port):
    dut = Scratchpad(SHAPES[6])
    order = {name: 0 for name in (*dut.reads, *dut.writes)}

    def in_order(name, rng):
        order[name] += 1
        return order[name] % dut.size
    stalls = {name: "heavy" for name in dut.reads if name != port}
    traffic = Traffic(dut, f"sweep/{port}", stalls=stalls, pick=in_order)
    traffic.run(1300)
    assert traffic.granted[port] >= dut.size


@pytest.mark.parametrize("port", ["load", "vector_out"])
def test_a_write_at_any_address_changes_no_other_byte(port):
    dut = Scratchpad(SHAPES[6])
    order = {name: 0 for name in (*dut.reads, *dut.writes)}

    def in_order(name, rng):
        order[name] += 1
        return (order[name] - (name in dut.reads) * 4) % dut.size

    def one_byte(width, rng):
        return 1 << rng.randrange(width)
    traffic = Traffic(dut, f"edges/{port}", pick=in_order, mask=one_byte,
                      stalls={name: "heavy" for name in dut.writes if name != port})
    traffic.run(1300)
    assert traffic.granted[port] >= dut.size


def test_a_write_with_an_address_before_its_first_byte_changes_only_masked_bytes():
    config = SHAPES[3]
    dut = Scratchpad(config)

    def start(name, rng):
        return rng.randrange(-3, 4) % dut.size

    def upper(width, rng):
        return (-1 << rng.randrange(width)) & ((1 << width) - 1)
    Traffic(dut, "before", pick=start, mask=upper).run(300)


@pytest.mark.parametrize("banks", [1, 2, 8])
def test_no_port_starves_when_all_request_one_bank(banks):
    dut = Scratchpad(preset("tiny", spad_banks=banks, spad_bytes=512))
    traffic = Traffic(dut, f"fair/{banks}", pick=lambda name, rng: rng.randrange(60))
    traffic.run(600)
    for ports in (dut.reads, dut.writes):
        for name in ports:
            assert traffic.longest_wait[name] <= len(ports) - 1
            assert abs(traffic.granted[name] - 600 / len(ports)) <= 3


def test_waits_are_bounded_when_accesses_span_two_banks():
    dut = Scratchpad(SHAPES[3])
    bank = dut.size // dut.banks

    def across_the_boundary(name, rng):
        return (rng.randrange(8) * bank - rng.randrange(4)) % dut.size
    traffic = Traffic(dut, "bounded", pick=across_the_boundary)
    traffic.run(600)
    for ports in (dut.reads, dut.writes):
        assert all(traffic.longest_wait[name] <= len(ports) - 1 for name in ports)


def test_different_banks_are_used_in_the_same_cycle():
    dut = Scratchpad(SHAPES[2])
    bank = dut.size // dut.banks
    bank_of = {"matmul": 0, "vector": 1, "store": 2, "load": 3, "vector_out": 0}

    def own_bank(name, rng):
        return bank_of[name] * bank + rng.randrange(bank - dut.width)
    traffic = Traffic(dut, "parallel", pick=own_bank)
    traffic.run(200)
    assert traffic.together[5] == 200
    assert not any(traffic.longest_wait.values())


@pytest.mark.parametrize("config", [SHAPES[0], SHAPES[3], SHAPES[6]],
                         ids=lambda config: config.name)
def test_clear_zeroes_every_byte_and_no_later_write(config):
    dut = Scratchpad(config)
    traffic = Traffic(dut, f"clear/{config.name}")
    traffic.run(3 * dut.depth + 300, clear_at=(100, 100 + dut.depth + 100))
    assert traffic.together[0] >= 2 * dut.depth


def test_port_widths_follow_from_the_configuration():
    dut = Scratchpad(preset("wide"))
    assert dut.addr_width == 13
    assert {name: shape.width for name, shape in {**dut.reads, **dut.writes}.items()} == {
        "matmul": 4, "vector": 16, "store": 8, "load": 8, "vector_out": 16}
    assert len(dut.matmul.req.payload) == 13


@pytest.mark.parametrize("changes, message", [
    ({"size": 100}, "size must be a power of two, not 100"),
    ({"banks": 3}, "banks must be a power of two, not 3"),
    ({"reads": {"r": PortShape(3)}}, "width of port r must be a power of two, not 3"),
    ({"reads": {"r": PortShape(4, step=3)}}, "step of port r must be a power of two, not 3"),
    ({"writes": {"w": PortShape(16)}},
     "width of port w must be from 2 to the 8 lanes of a bank, not 16"),
    ({"size": 16}, "size of 16 bytes gives each of 2 banks fewer than 2 rows of 8 bytes"),
])
def test_rejects_invalid_parameters(changes, message):
    arguments = {"size": 64, "width": 8, "banks": 2, "reads": {"r": PortShape(8)},
                 "writes": {"w": PortShape(8)}} | changes
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        BankedMemory(**arguments)


def drive(dut, bench):
    """Run ``bench`` with a list that receives the cycle number of each ``done`` of ``load``."""
    done = []

    async def count(ctx):
        cycle = 0
        async for _, _, pulse in ctx.tick().sample(dut.load.done):
            cycle += 1
            if pulse:
                done.append(cycle)

    async def testbench(ctx):
        await bench(ctx, done)

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_process(count)
    sim.add_testbench(testbench)
    sim.run()


async def write(ctx, dut, addr, last):
    """Write a pattern at ``addr`` through the port of LOAD."""
    width = len(dut.load.req.payload.data)
    ctx.set(dut.load.req.payload, {
        "addr": addr, "data": [0x5A] * width, "mask": (1 << width) - 1, "last": last})
    await put(ctx, dut.load.req, ctx.get(dut.load.req.payload))


async def read(ctx, dut, addr):
    """Return the beat at ``addr``, read through the port of STORE."""
    await put(ctx, dut.store.req, addr)
    beat, = await ctx.tick().sample(dut.store.data).until(dut.store.valid)
    return list(beat)


def test_done_acknowledges_only_requests_with_last():
    dut = Scratchpad(SHAPES[1])

    async def bench(ctx, done):
        for number in range(20):
            await write(ctx, dut, 4 * number, number % 5 == 4)
        await ctx.tick().repeat(4)
        assert done == [5 + 2, 10 + 2, 15 + 2, 20 + 2]
    drive(dut, bench)


def test_flush_discards_waiting_requests():
    dut = Scratchpad(SHAPES[1])

    async def bench(ctx, done):
        await write(ctx, dut, 0, 1)
        await ctx.tick().repeat(5)
        ctx.set(dut.i_clear, 1)             # no request is granted during the clear
        await ctx.tick()
        ctx.set(dut.i_clear, 0)
        for number in range(2):
            await write(ctx, dut, 16 + 4 * number, 1)
            await put(ctx, dut.store.req, 0)
        assert not ctx.get(dut.load.req.ready) and not ctx.get(dut.store.req.ready)
        ctx.set(dut.i_flush, 1)
        await ctx.tick()
        ctx.set(dut.i_flush, 0)
        assert ctx.get(dut.load.req.ready) and ctx.get(dut.store.req.ready)
        await ctx.tick().repeat(dut.depth + 10)
        assert len(done) == 1
        for addr in range(0, 32, 4):
            assert await read(ctx, dut, addr) == [0] * 4
    drive(dut, bench)
