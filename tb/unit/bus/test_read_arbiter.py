"""The read arbiter: each manager gets its own data, fetch first, at full rate, no long wires."""

import itertools
import random

import pytest
from amaranth.sim import Simulator

from support.axi_memory import AxiMemory
from weft.bus.axi4 import RESP_SLVERR
from weft.bus.read_arbiter import ReadArbiter
from weft.spec.presets import preset


class Manager:
    """Reads bursts on ``port`` and keeps all beats it gets."""

    def __init__(self, port, bursts, bus_bytes, stall, seed):
        self.port = port
        self.bursts = bursts
        self.bus_bytes = bus_bytes
        self.stall = stall
        self.random = random.Random(seed)
        self.beats = []             # (data, resp, last)
        self.first_cycle = None     # of an accepted address
        self.last_cycle = None      # of a beat

    def wanted(self, memory):
        beats = []
        for address, count in self.bursts:
            for index in range(count):
                here = address + index * self.bus_bytes
                data = memory.data[here:here + self.bus_bytes]
                beats.append((int.from_bytes(data, "little"), memory.errors.get(here, 0),
                              int(index == count - 1)))
        return beats

    async def process(self, ctx):
        port = self.port
        waiting = list(self.bursts)
        valid = ready = False
        cycle = 0
        async for _, _, arready, rvalid, *beat in ctx.tick().sample(
                port.arready, port.rvalid, port.rdata, port.rresp, port.rlast):
            cycle += 1
            if valid and arready:
                if self.first_cycle is None:
                    self.first_cycle = cycle
                waiting.pop(0)
                valid = False
            if ready and rvalid:
                self.beats.append(tuple(beat))
                self.last_cycle = cycle
            if not valid and waiting and self.random.random() >= self.stall:
                valid = True
                ctx.set(port.araddr, waiting[0][0])
                ctx.set(port.arlen, waiting[0][1] - 1)
            ready = self.random.random() >= self.stall
            ctx.set(port.arvalid, valid)
            ctx.set(port.rready, ready)


def run(config, fetch_bursts, load_bursts, *, stall, latency=20, errors=(), seed=0):
    dut = ReadArbiter(config)
    memory = AxiMemory(size=1 << 16, bus_bytes=config.bus_bytes, stall=stall, latency=latency,
                       outstanding=2 * config.outstanding + 2, seed=seed)
    memory.data[:] = random.Random(seed).randbytes(1 << 16)
    memory.errors = dict(errors)
    fetch = Manager(dut.fetch, fetch_bursts, config.bus_bytes, stall, f"{seed}/fetch")
    load = Manager(dut.load, load_bursts, config.bus_bytes, stall, f"{seed}/load")
    beats = 0

    async def finish(ctx):
        nonlocal beats
        total = sum(count for _, count in fetch_bursts + load_bursts)
        for _ in range(20_000):
            _, _, beat = await ctx.tick().sample(dut.o_beat)
            beats += beat
            if len(fetch.beats) + len(load.beats) == total:
                break
        await ctx.tick().repeat(20)

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    for process in (memory.reader(dut.axi), fetch.process, load.process):
        sim.add_process(process)
    sim.add_testbench(finish)
    sim.run()
    assert fetch.beats == fetch.wanted(memory), f"fetch got wrong data, seed {seed}"
    assert load.beats == load.wanted(memory), f"load got wrong data, seed {seed}"
    assert beats == memory.beats_read == len(fetch.beats) + len(load.beats)
    return memory, fetch, load


def random_bursts(config, draw, count):
    bursts = []
    for _ in range(count):
        beats = draw.choice([1, 2, draw.randint(1, config.max_burst)])
        block = draw.randrange((1 << 16) // 4096) * 4096
        room = 4096 // config.bus_bytes - beats
        bursts.append((block + draw.randint(0, room) * config.bus_bytes, beats))
    return bursts


@pytest.mark.parametrize("stall", [0.0, 0.3, 0.8])
@pytest.mark.parametrize("width", [32, 64, 128, 256])
def test_each_manager_gets_its_own_data(width, stall):
    config = preset("tiny", bus_width=width, outstanding=4)
    draw = random.Random(f"{width}/{stall}")
    run(config, random_bursts(config, draw, 15), random_bursts(config, draw, 15), stall=stall,
        latency=5)


def test_one_manager_alone_and_the_smallest_depth():
    config = preset("tiny", outstanding=1)
    bursts = [(0, 32), (4096 - 4, 1), (256, 7)]
    run(config, bursts, [], stall=0.0)
    run(config, [], bursts, stall=0.5)


def test_errors_reach_the_manager_that_asked():
    config = preset("tiny")
    run(config, [(0x100, 4)], [(0x200, 4)], stall=0.2, errors={0x204: RESP_SLVERR})


def test_fetch_goes_first():
    config = preset("tiny")
    memory, _, _ = run(config, [(4096 * i, 1) for i in range(4)],
                       [(4096 * i + 128, 1) for i in range(4)], stall=0.0)
    assert [address & 128 for address, _ in memory.read_bursts] == [0] * 4 + [128] * 4


def test_full_rate_while_both_read():
    config = preset("small")
    _, fetch, load = run(config, [(4096 * i, 4) for i in range(8)],
                         [(4096 * i + 1024, 32) for i in range(8)], stall=0.0)
    first = min(fetch.first_cycle, load.first_cycle)
    # 20 cycles of latency and one through the arbiter in each direction
    assert max(fetch.last_cycle, load.last_cycle) - first == 8 * 36 - 1 + 22


def test_no_wire_from_the_bus_or_a_manager_s_ready_to_an_address_ready():
    dut = ReadArbiter(preset("tiny"))

    async def testbench(ctx):
        ctx.set(dut.load.arvalid, 1)
        for cycle in range(40):
            seen = set()
            inputs = (dut.axi.arready, dut.axi.rvalid, dut.load.rready, dut.fetch.rready)
            for values in itertools.product((0, 1), repeat=len(inputs)):
                for signal, value in zip(inputs, values):
                    ctx.set(signal, value)
                seen.add((ctx.get(dut.load.arready), ctx.get(dut.axi.rready),
                          ctx.get(dut.axi.arvalid)))
            assert len(seen) == 1, seen
            ctx.set(dut.axi.arready, cycle % 3 == 0)
            ctx.set(dut.axi.rvalid, 0)
            await ctx.tick()

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(testbench)
    sim.run()
