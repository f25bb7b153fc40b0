"""Reader of MAP and SOFTMAX: values, the scale of each row, and the shared read port."""

import random

import numpy as np
import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from amaranth.sim import Simulator

from golden.softmax import get_reciprocal
from support.bench import add_deadline
from support.local_memory import LocalMemory
from support.seeds import seed
from weft.spec.isa import encode
from weft.spec.presets import preset
from weft.sram.ports import ReadPort
from weft.vector.drain import DrainReader
from weft.vector.map import MapReader
from weft.vector.read import SharedRead
from weft.vector.softmax import SoftmaxControl

QUEUE_DEPTH = 6         # entries of the output queue


class Reader(wiring.Component):
    """Map reader and softmax control, as they are connected in the unit."""

    def __init__(self, config):
        self.config = config
        self.map, self.softmax = MapReader(config), SoftmaxControl(config)
        members = self.map.signature.members
        super().__init__({
            **{name: members[name] for name in (
                "i_start", "i_instruction", "o_busy", "i_table_en", "i_table_index",
                "i_table_entry", "i_space", "o_reserve", "o_step", "o_values")},
            "i_softmax": In(1),
            "spad": Out(ReadPort(config.spad_addr_width, config.vector_port_bytes)),
            "o_scale_en": Out(1), "o_multiplier": Out(31), "o_shift": Out(6),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.map, m.submodules.softmax = map_, softmax = self.map, self.softmax
        m.submodules.read = read = SharedRead(self.config)
        connect(m, map_.spad, read.map)
        connect(m, read.spad, flipped(self.spad))
        for name in ("i_start", "i_instruction", "i_table_en", "i_table_index", "i_table_entry",
                     "i_space"):
            m.d.comb += getattr(map_, name).eq(getattr(self, name))
        for part, names in ((map_, ("o_busy", "o_reserve", "o_step", "o_values")),
                            (softmax, ("o_scale_en", "o_multiplier", "o_shift"))):
            m.d.comb += [getattr(self, name).eq(getattr(part, name)) for name in names]
        m.d.comb += [
            read.i_map.eq(map_.o_busy),
            map_.i_reading.eq(softmax.o_reading),
            map_.i_next.eq(softmax.o_next),
            softmax.i_start.eq(self.i_start & self.i_softmax),
            softmax.i_instruction.eq(self.i_instruction),
            softmax.i_index.eq(map_.o_index),
            softmax.i_indexed.eq(map_.o_indexed),
            softmax.i_entries.eq(map_.o_entries),
            softmax.i_looked_up.eq(map_.o_looked_up),
        ]
        return m


def wrapped(value, bits=32):
    """Return ``value`` modulo ``2**bits`` as a signed integer."""
    return (value + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)


def expected(memory, tables, name, f, lanes):
    """Return (values of the lanes in use, scale or ``None``) of each step of an instruction."""
    steps = []
    for row in range(f["count"]):
        a, b = ([memory[(f.get(f"{operand}_addr", 0) + row * f.get(f"{operand}_pitch", 0) + i)
                        % len(memory)] for i in range(f["bytes"])] for operand in "ab")
        scale = None
        if name == "SOFTMAX":
            signed = [(x ^ 128) - 128 for x in a]
            values = [tables[0][x - max(signed) + 255] for x in signed]
            total = sum(e + 2048 >> 12 for e in values) % (1 << 32)
            multiplier, bits = get_reciprocal(np.array([total or 1]))
            scale = int(multiplier[0]), min(62, 54 + int(bits[0]))
        else:
            values = [tables[0][x ^ 128] for x in a]
            others = [tables[1][x ^ 128] for x in b]
            if f["op"] == 1:
                values = [wrapped(x + y) for x, y in zip(values, others)]
            if f["op"] == 2:
                values = [wrapped(x, 16) * wrapped(y, 16) for x, y in zip(values, others)]
        steps += [(values[i:i + lanes], scale) for i in range(0, f["bytes"], lanes)]
    return steps


def entry(rng):
    """Return a random table entry, often a corner case."""
    if rng.random() < 0.3:
        return rng.choice((0, -1, 2047, 2048, -2048, -2049, 32767, 32768, -32768, (1 << 31) - 1,
                           -(1 << 31)))
    return wrapped(rng.getrandbits(32)) >> rng.randint(0, 31)


@pytest.mark.parametrize("name, lanes", (("tiny", 1), ("tiny", 2), ("small", 4), ("wide", 16)))
@pytest.mark.parametrize("stall, latency", ((0.0, 5), (0.5, 1), (0.3, 30)))
def test_values_and_scales_agree_with_the_model(name, lanes, stall, latency):
    config = preset(name, vector_lanes=lanes, spad_bytes=1024)
    run_seed = seed()
    rng = random.Random(run_seed)
    dut = Reader(config)
    memory = LocalMemory(config.spad_bytes, stall=stall, read_latency=latency, seed=run_seed)
    memory.data[:] = rng.randbytes(config.spad_bytes)
    memory.data[:64] = bytes([0x80] * 40 + [0x7F] * 24)
    tables = [[entry(rng) for _ in range(256)] for _ in range(2)]
    state = {"free": QUEUE_DEPTH, "scale": None}
    queue_stall = rng.choice((stall, 0.9))
    steps = []

    async def queue(ctx):
        """Model the free entries of a queue that is emptied at random."""
        while True:
            _, _, reserve = await ctx.tick().sample(dut.o_reserve)
            ctx.set(dut.i_space, state["free"] >= DrainReader.AHEAD)
            state["free"] -= reserve
            assert state["free"] >= 0, f"seed {run_seed}: a step without an entry"
            state["free"] += state["free"] < QUEUE_DEPTH and rng.random() >= queue_stall

    async def collect(ctx):
        previous_valid = 0
        async for _, _, scale_en, multiplier, shift, valid, values in ctx.tick().sample(
                dut.o_scale_en, dut.o_multiplier, dut.o_shift, dut.o_step.valid,
                dut.o_values.as_value()):
            if previous_valid:
                steps.append(([wrapped(values >> 32 * lane & 0xFFFFFFFF) for lane in range(lanes)],
                              state["scale"]))
            if scale_en:
                state["scale"] = multiplier, shift
            previous_valid = valid

    async def bench(ctx):
        for index, word in enumerate(tables[0] + tables[1]):
            ctx.set(dut.i_table_index, index)
            ctx.set(dut.i_table_entry, word % (1 << 32))
            ctx.set(dut.i_table_en, 1)
            await ctx.tick()
        ctx.set(dut.i_table_en, 0)
        for _ in range(16):
            kind = rng.choice(("MAP", "MAP", "SOFTMAX"))
            size = rng.choice((1, lanes, lanes + 1, rng.randint(1, 5 * lanes)))
            f = dict(count=rng.randint(1, 4), bytes=size, a_pitch=rng.choice((0, size)),
                     a_addr=rng.choice((0, rng.randrange(600))))
            if kind == "MAP":
                f |= dict(op=rng.randint(0, 2), b_addr=rng.randrange(600), b_pitch=size + 3)
            steps.clear()
            state["scale"] = None
            ctx.set(dut.i_instruction, int.from_bytes(encode(kind, **f), "little"))
            ctx.set(dut.i_start, 1)
            ctx.set(dut.i_softmax, kind == "SOFTMAX")
            await ctx.tick()
            ctx.set(dut.i_start, 0)
            ctx.set(dut.i_instruction, rng.getrandbits(256))
            assert ctx.get(dut.o_busy)
            await ctx.tick().until(~dut.o_busy)
            await ctx.tick().repeat(6)
            wanted = expected(memory.data, tables, kind, f, lanes)
            actual = [(values[:len(used)], scale)
                      for (values, scale), (used, _) in zip(steps, wanted)]
            assert len(steps) == len(wanted) and actual == wanted, f"seed {run_seed}: {kind} {f}"

    sim = Simulator(dut)
    sim.add_clock(1e-8)
    add_deadline(sim, 60_000)
    sim.add_testbench(bench)
    sim.add_testbench(queue, background=True)
    sim.add_process(collect)
    sim.add_process(memory.reader(dut.spad))
    sim.run()


def test_each_part_receives_only_the_data_of_its_own_reads():
    config = preset("wide")
    dut = SharedRead(config)
    rng = random.Random(f"{seed()}/shared")
    memory = LocalMemory(config.spad_bytes, stall=0.4, read_latency=4, seed=f"{seed()}/shared")
    memory.data[:] = rng.randbytes(config.spad_bytes)
    received = {"params": [], "table": [], "map": []}

    async def bench(ctx):
        for _ in range(30):
            name = rng.choice(tuple(received))
            part = getattr(dut, name)
            ctx.set(dut.i_table, name == "table")
            ctx.set(dut.i_map, name == "map")
            addrs = [rng.randrange(config.spad_bytes - 16) for _ in range(rng.randint(1, 9))]
            for addr in addrs:
                ctx.set(part.req.payload, addr)
                ctx.set(part.req.valid, 1)
                await ctx.tick().until(part.req.ready)
                ctx.set(part.req.valid, 0)
            while len(received[name]) < len(addrs):
                await ctx.tick()
            width = len(part.data)
            assert received[name] == [bytes(memory.data[addr:addr + width]) for addr in addrs]
            for words in received.values():
                assert words is received[name] or not words
            received[name].clear()

    async def collect(ctx):
        async for _, _, *sampled in ctx.tick().sample(
                *(getattr(dut, name).valid for name in received),
                *(getattr(dut, name).data.as_value() for name in received)):
            for name, valid, word in zip(received, sampled[:3], sampled[3:]):
                if valid:
                    received[name].append(word.to_bytes(len(getattr(dut, name).data), "little"))

    m = Module()
    m.submodules.dut = dut          # without registers, and therefore without a clock
    m.d.sync += Signal().eq(1)
    sim = Simulator(m)
    sim.add_clock(1e-8)
    add_deadline(sim, 20_000)
    sim.add_testbench(bench)
    sim.add_process(collect)
    sim.add_process(memory.reader(dut.spad))
    sim.run()
