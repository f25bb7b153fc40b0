"""Rotations, lane memories and bank arbiter of the byte-addressed memories."""

import math
import random

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from support.seeds import seed
from weft.sram.arbiter import BankArbiter
from weft.sram.lanes import LaneBank, rotate_down, rotate_up


def simulate(dut, bench, clock=True):
    """Run ``bench(ctx)`` as the testbench of ``dut``."""
    simulator = Simulator(dut)
    if clock:
        simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


class Rotation(wiring.Component):
    """A rotation as a component; ``rotate`` is a function of a module, items and an amount."""

    def __init__(self, rotate, count, amount_width, kept):
        self.rotate = rotate
        super().__init__({
            "i": In(data.ArrayLayout(8, count)),
            "i_amount": In(amount_width),
            "o": Out(data.ArrayLayout(8, kept)),
        })

    def elaborate(self, platform):
        m = Module()
        items = [Signal(8, name=f"item_{i}") for i in range(len(self.i))]
        m.d.comb += [item.eq(self.i[i]) for i, item in enumerate(items)]
        rotated = self.rotate(m, items, self.i_amount)
        m.d.comb += [self.o[i].eq(item) for i, item in enumerate(rotated)]
        return m


@pytest.mark.parametrize("count, kept", [(1, 1), (2, 1), (8, 8), (8, 4), (16, 2), (32, 4)])
def test_rotate_down_moves_any_item_to_the_front(count, kept):
    bits = (count - 1).bit_length()
    dut = Rotation(lambda m, items, amount: rotate_down(m, "rotated", items, amount, kept),
                   count, bits, kept)

    async def bench(ctx):
        ctx.set(dut.i, [100 + i for i in range(count)])
        for amount in range(count):
            ctx.set(dut.i_amount, amount)
            assert list(ctx.get(dut.o)) == [100 + (amount + i) % count for i in range(kept)]
    simulate(dut, bench, clock=False)


@pytest.mark.parametrize("count", [1, 2, 8, 32])
def test_rotate_up_moves_every_item_by_the_amount(count):
    bits = max(1, (count - 1).bit_length())
    dut = Rotation(lambda m, items, amount: rotate_up(m, "rotated", items, amount),
                   count, bits, count)

    async def bench(ctx):
        ctx.set(dut.i, [100 + i for i in range(count)])
        for amount in range(count):
            ctx.set(dut.i_amount, amount)
            assert list(ctx.get(dut.o)) == [100 + (i - amount) % count for i in range(count)]
    simulate(dut, bench, clock=False)


def test_lanes_below_the_offset_use_the_next_row():
    dut = LaneBank(width=4, depth=8)

    async def bench(ctx):
        ctx.set(dut.i_write_en, 0b1111)
        ctx.set(dut.i_write, {"offset": 3, "row": 5, "next_row": 6})
        ctx.set(dut.i_write_data, [1, 2, 3, 4])
        await ctx.tick()
        ctx.set(dut.i_write_en, 0b0010)
        ctx.set(dut.i_write, {"offset": 0, "row": 5, "next_row": 0})
        ctx.set(dut.i_write_data, [9, 9, 9, 9])
        await ctx.tick()
        ctx.set(dut.i_write_en, 0)
        for row, expected in ((5, [0, 9, 0, 4]), (6, [1, 2, 3, 0])):
            ctx.set(dut.i_read, {"offset": 0, "row": row, "next_row": 0})
            await ctx.tick().repeat(dut.READ_LATENCY)
            assert list(ctx.get(dut.o_read)) == expected
        ctx.set(dut.i_read, {"offset": 3, "row": 5, "next_row": 6})
        await ctx.tick().repeat(dut.READ_LATENCY)
        assert list(ctx.get(dut.o_read)) == [1, 2, 3, 4]
    simulate(dut, bench)


@pytest.mark.parametrize("ports, banks", [(2, 2), (3, 1), (3, 2), (4, 4)])
def test_arbiter_grants_the_least_recently_granted_port_first(ports, banks):
    dut = BankArbiter(ports=ports, banks=banks)
    rng = random.Random(f"{seed()}/{ports}/{banks}")
    order = list(range(ports))
    seen = set()

    async def bench(ctx):
        nonlocal order
        for _ in range(1500):
            seen.add(tuple(order))
            need = [rng.randrange(1 << banks) for _ in range(ports)]
            valid = [bool(n) and rng.random() < 0.8 for n in need]
            stop = rng.random() < 0.05
            ctx.set(dut.i_valid, sum(v << p for p, v in enumerate(valid)))
            ctx.set(dut.i_need, need)
            ctx.set(dut.i_stop, stop)
            ready = [not stop and not any(valid[q] and need[p] & need[q]
                                          for q in order[:order.index(p)]) for p in range(ports)]
            assert ctx.get(dut.o_ready) == sum(r << p for p, r in enumerate(ready)), (order, need)
            granted = [p for p in order if valid[p] and ready[p]]
            assert stop or granted or not any(valid)
            order = [p for p in order if p not in granted] + granted
            await ctx.tick()
    simulate(dut, bench)
    assert len(seen) == math.factorial(ports)


@pytest.mark.parametrize("ports, banks", [(0, 1), (1, 0)])
def test_arbiter_rejects_no_ports_and_no_banks(ports, banks):
    with pytest.raises(ValueError, match="must be at least 1, not 0$"):
        BankArbiter(ports=ports, banks=banks)
