"""Instruction register: order, decoded opcode, halt."""

import pytest
from amaranth.sim import Simulator

from support.streams import STALL_PATTERNS, Stalls, get_all, put_all
from weft.control.instruction_register import InstructionRegister
from weft.spec import isa

NAMES = ["LOAD", "FILL"]


@pytest.mark.parametrize("input_stalls", STALL_PATTERNS)
@pytest.mark.parametrize("output_stalls", STALL_PATTERNS)
def test_passes_instructions_in_order_with_their_opcode(input_stalls, output_stalls):
    dut = InstructionRegister(NAMES)
    kinds = [["LOAD", "FILL", "STORE"][index * 7 % 3] for index in range(100)]
    items = [isa.BY_NAME[kind].opcode | index << 8 for index, kind in enumerate(kinds)]
    received, decoded = [], []

    async def send(ctx):
        await put_all(ctx, dut.i, items, Stalls(input_stalls, 1))

    async def receive(ctx):
        received.extend(await get_all(ctx, dut.o, len(items), Stalls(output_stalls, 2)))

    async def monitor(ctx):
        async for _, _, valid, ready, load, fill in ctx.tick().sample(
                dut.o.valid, dut.o.ready, dut.o_is["LOAD"], dut.o_is["FILL"]):
            if valid and ready:
                decoded.append({(1, 0): "LOAD", (0, 1): "FILL", (0, 0): "STORE"}[load, fill])

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(send)
    sim.add_testbench(receive)
    sim.add_testbench(monitor, background=True)
    sim.run_until(1e-6 * 3000)
    assert received == items and decoded == kinds


def test_accepts_nothing_while_halted_and_keeps_its_instruction():
    dut = InstructionRegister(NAMES)

    async def testbench(ctx):
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.i.payload, 0x1234)
        ctx.set(dut.i_halt, 1)
        for _ in range(5):
            await ctx.tick()
            assert not ctx.get(dut.o.valid) and not ctx.get(dut.i.ready)
        ctx.set(dut.i_halt, 0)
        await ctx.tick()
        ctx.set(dut.i.payload, 0x5678)
        ctx.set(dut.i_halt, 1)
        for _ in range(5):
            await ctx.tick()
            assert ctx.get(dut.o.valid) and ctx.get(dut.o.payload) == 0x1234
        ctx.set(dut.o.ready, 1)
        await ctx.tick()
        assert not ctx.get(dut.o.valid)

    sim = Simulator(dut)
    sim.add_clock(1e-6)
    sim.add_testbench(testbench)
    sim.run()
