"""Read arbiter: routing of data and errors, priority, throughput, no combinational paths."""

import itertools
import random

import pytest
from amaranth.sim import Simulator

from support.axi_memory import AxiMemory
from support.seeds import seed
from weft.bus.axi4 import RESP_SLVERR
from weft.bus.read_arbiter import ReadArbiter
from weft.spec.presets import preset


class Manager:
    """Manager that reads ``bursts`` on ``port`` and records all beats."""

    def __init__(self, port, bursts, bus_bytes, stall, seed):
        self.port = port
        self.bursts = bursts
        self.bus_bytes = bus_bytes
        self.stall = stall
        self.random = random.Random(seed)
        self.beats = []             # (data, resp, last)
        self.first_cycle = None     # of an accepted address
        self.last_cycle = None      # of a beat

    def expected(self, memory):
        """Return the beats that the bursts must receive from ``memory``."""
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


def run(config, first_bursts, second_bursts, *, stall, latency=20, errors=(), run_seed=0):
    dut = ReadArbiter(config)
    memory = AxiMemory(size=1 << 16, bus_bytes=config.bus_bytes, stall=stall, latency=latency,
                       outstanding=2 * config.outstanding + 2, seed=run_seed)
    memory.data[:] = random.Random(run_seed).randbytes(1 << 16)
    memory.errors = dict(errors)
    first = Manager(dut.first, first_bursts, config.bus_bytes, stall, f"{run_seed}/first")
    second = Manager(dut.second, second_bursts, config.bus_bytes, stall, f"{run_seed}/second")
    beats = 0

    async def finish(ctx):
        nonlocal beats
        total = sum(count for _, count in first_bursts + second_bursts)
        for _ in range(20_000):
            _, _, beat = await ctx.tick().sample(dut.o_beat)
            beats += beat
            if len(first.beats) + len(second.beats) == total:
                break
        await ctx.tick().repeat(20)

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    for process in (memory.reader(dut.axi), first.process, second.process):
        sim.add_process(process)
    sim.add_testbench(finish)
    sim.run()
    assert first.beats == first.expected(memory), f"wrong data for first, seed {run_seed}"
    assert second.beats == second.expected(memory), f"wrong data for second, seed {run_seed}"
    assert beats == memory.beats_read == len(first.beats) + len(second.beats)
    return memory, first, second


def random_bursts(config, draw, count):
    """Return random ``(address, beats)``, none across a 4 KiB boundary."""
    bursts = []
    for _ in range(count):
        beats = draw.choice([1, 2, draw.randint(1, config.max_burst)])
        block = draw.randrange((1 << 16) // 4096) * 4096
        room = 4096 // config.bus_bytes - beats
        bursts.append((block + draw.randint(0, room) * config.bus_bytes, beats))
    return bursts


@pytest.mark.parametrize("stall", [0.0, 0.3, 0.8])
@pytest.mark.parametrize("width", [32, 64, 128, 256])
def test_each_manager_receives_its_own_data(width, stall):
    config = preset("tiny", bus_width=width, outstanding=4)
    draw = random.Random(f"{seed()}/{width}/{stall}")
    run(config, random_bursts(config, draw, 15), random_bursts(config, draw, 15), stall=stall,
        latency=5, run_seed=seed())


def test_one_manager_alone_with_one_outstanding_burst():
    config = preset("tiny", outstanding=1)
    bursts = [(0, 32), (4096 - 4, 1), (256, 7)]
    run(config, bursts, [], stall=0.0)
    run(config, [], bursts, stall=0.5)


def test_errors_reach_the_manager_that_requested_the_burst():
    config = preset("tiny")
    run(config, [(0x100, 4)], [(0x200, 4)], stall=0.2, errors={0x204: RESP_SLVERR})


def test_first_has_priority():
    config = preset("tiny")
    memory, _, _ = run(config, [(4096 * i, 1) for i in range(4)],
                       [(4096 * i + 128, 1) for i in range(4)], stall=0.0)
    assert [address & 128 for address, _ in memory.read_bursts] == [0] * 4 + [128] * 4


def test_full_throughput_while_both_managers_read():
    config = preset("small")
    _, first, second = run(config, [(4096 * i, 4) for i in range(8)],
                           [(4096 * i + 1024, 32) for i in range(8)], stall=0.0)
    start = min(first.first_cycle, second.first_cycle)
    # 20 cycles of latency and one through the arbiter in each direction
    assert max(first.last_cycle, second.last_cycle) - start == 8 * 36 - 1 + 22


def test_no_combinational_path_from_the_bus_to_a_manager():
    dut = ReadArbiter(preset("tiny"))

    async def testbench(ctx):
        ctx.set(dut.second.arvalid, 1)
        for cycle in range(40):
            seen = set()
            inputs = (dut.axi.arready, dut.axi.rvalid, dut.second.rready, dut.first.rready)
            for values in itertools.product((0, 1), repeat=len(inputs)):
                for signal, value in zip(inputs, values):
                    ctx.set(signal, value)
                seen.add((ctx.get(dut.second.arready), ctx.get(dut.axi.rready),
                          ctx.get(dut.axi.arvalid)))
            assert len(seen) == 1, seen
            ctx.set(dut.axi.arready, cycle % 3 == 0)
            ctx.set(dut.axi.rvalid, 0)
            await ctx.tick()

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(testbench)
    sim.run()
