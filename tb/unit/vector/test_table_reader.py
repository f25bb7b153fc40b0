"""TABLE: every entry at its index in every lane, whatever the stalls of the scratchpad."""

import random

import pytest
from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import connect, flipped
from amaranth.sim import Simulator

from support.bench import add_deadline
from support.local_memory import LocalMemory
from support.seeds import seed
from weft.spec.isa import encode
from weft.spec.presets import preset
from weft.vector.tables import TableReader, Tables


class Pair(wiring.Component):
    """Reader and tables, connected as in the unit."""

    def __init__(self, config):
        self.reader, self.tables = TableReader(config), Tables(config.vector_lanes)
        members = {**self.reader.signature.members, **self.tables.signature.members}
        super().__init__({
            name: members[name] for name in
            ("i_start", "i_instruction", "o_busy", "o_done", "o_multiplier", "o_shift", "spad",
             "i_table", "i_index", "o_entries", "i_clear", "o_clearing")})

    def elaborate(self, platform):
        m = Module()
        m.submodules.reader, m.submodules.tables = reader, tables = self.reader, self.tables
        connect(m, reader.spad, flipped(self.spad))
        for inner, names in ((reader, ("i_start", "i_instruction", "i_clear")),
                             (tables, ("i_table", "i_index"))):
            m.d.comb += [getattr(inner, name).eq(getattr(self, name)) for name in names]
        for name in ("o_busy", "o_done", "o_multiplier", "o_shift", "o_clearing"):
            m.d.comb += getattr(self, name).eq(getattr(reader, name))
        m.d.comb += [
            self.o_entries.eq(tables.o_entries),
            tables.i_write_en.eq(reader.o_en),
            tables.i_write_index.eq(reader.o_index),
            tables.i_write_entry.eq(reader.o_entry),
        ]
        return m


@pytest.mark.parametrize("name", ("tiny", "icebreaker", "wide"))
@pytest.mark.parametrize("stall, latency", ((0.0, 5), (0.0, 1), (0.6, 3)))
def test_loads_one_table_and_keeps_the_other(name, stall, latency):
    config = preset(name)
    dut = Pair(config)
    run_seed = seed()
    rng = random.Random(run_seed)
    memory = LocalMemory(config.spad_bytes, stall=stall, read_latency=latency, seed=run_seed)
    memory.data[:] = rng.randbytes(config.spad_bytes)
    top = config.spad_bytes - 1024
    program = ((0, 0), (1, top), (0, rng.randint(0, top)), (1, rng.randint(0, top)))

    async def bench(ctx):
        contents = {}
        for table, addr in program:
            scale = rng.getrandbits(31), rng.randint(0, 62)
            raw = encode("TABLE", table=table, table_addr=addr, multiplier=scale[0],
                         shift=scale[1])
            ctx.set(dut.i_instruction, int.from_bytes(raw, "little"))
            ctx.set(dut.i_start, 1)
            await ctx.tick()
            ctx.set(dut.i_start, 0)
            ctx.set(dut.i_instruction, rng.getrandbits(256))
            cycles = 1
            while not ctx.get(dut.o_done):
                assert ctx.get(dut.o_busy)
                await ctx.tick()
                cycles += 1
            assert stall or cycles <= 256 + latency + 2
            await ctx.tick()
            assert not ctx.get(dut.o_busy)
            assert (ctx.get(dut.o_multiplier), ctx.get(dut.o_shift)) == scale
            contents[table] = [
                int.from_bytes(memory.data[addr + 4 * i:addr + 4 * i + 4], "little", signed=True)
                for i in range(256)]
            lanes = config.vector_lanes
            for number, entries in contents.items():
                ctx.set(dut.i_table, number)
                for first in range(256):
                    # a different entry in every lane
                    index = [(first + 37 * lane) % 256 for lane in range(lanes)]
                    ctx.set(dut.i_index, index)
                    await ctx.tick().repeat(Tables.LATENCY)
                    actual = [ctx.get(dut.o_entries[lane]) for lane in range(lanes)]
                    assert actual == [entries[i] for i in index], \
                        f"seed {run_seed}: table {number}, {index}"

    sim = Simulator(dut)
    sim.add_clock(1e-8)
    add_deadline(sim, 50_000)
    sim.add_testbench(bench)
    sim.add_process(memory.reader(dut.spad))
    sim.run()


def test_clear_zeroes_tables_and_scale_and_starts_again_after_a_reset():
    config = preset("tiny")
    pair = Pair(config)
    reset = Signal()
    dut = ResetInserter(reset)(pair)
    memory = LocalMemory(config.spad_bytes, stall=0, read_latency=3, seed=0)
    memory.data[:] = b"\xA5" * config.spad_bytes

    async def load(ctx):
        for table in (1, 0):
            raw = encode("TABLE", table=table, multiplier=12345, shift=67 - 30)
            ctx.set(pair.i_instruction, int.from_bytes(raw, "little"))
            ctx.set(pair.i_start, 1)
            await ctx.tick()
            ctx.set(pair.i_start, 0)
            await ctx.tick().until(pair.o_done)
            await ctx.tick()

    async def nonzero(ctx):
        """Return the number of entries that are not 0."""
        count = 0
        for table in (0, 1):
            ctx.set(pair.i_table, table)
            for index in range(256):
                ctx.set(pair.i_index, [index, 255 - index])
                await ctx.tick().repeat(Tables.LATENCY)
                count += ctx.get(pair.o_entries[0]) != 0
        return count

    async def bench(ctx):
        for reset_at in (None, 1, 300, 513):
            await load(ctx)
            assert await nonzero(ctx) == 512
            ctx.set(pair.i_clear, 1)
            cycle = 0
            while cycle < 2 or ctx.get(pair.o_clearing) or ctx.get(reset):
                ctx.set(reset, reset_at is not None and reset_at <= cycle < reset_at + 16)
                await ctx.tick()
                cycle += 1
            assert cycle <= 2 * 514 + 16
            ctx.set(pair.i_clear, 0)
            assert await nonzero(ctx) == 0, reset_at
            assert ctx.get(pair.o_multiplier) == ctx.get(pair.o_shift) == 0
        await load(ctx)
        ctx.set(reset, 1)
        await ctx.tick()
        ctx.set(reset, 0)
        assert await nonzero(ctx) == 512, "a reset keeps the tables"
        assert (ctx.get(pair.o_multiplier), ctx.get(pair.o_shift)) == (12345, 37)

    sim = Simulator(dut)
    sim.add_clock(1e-8)
    add_deadline(sim, 50_000)
    sim.add_testbench(bench)
    sim.add_process(memory.reader(pair.spad))
    sim.run()
