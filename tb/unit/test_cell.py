"""One pair of cells against a model of its contract."""

import random

import pytest
from amaranth.sim import Simulator

from weft.array.cell import COLUMNS, Cell


@pytest.mark.parametrize("forms", [("portable", "portable"), ("lut", "portable"), ("lut", "lut")])
def test_multiplies_adds_swaps_and_shifts(forms):
    seed = repr(forms)
    print("seed", seed)
    draw = random.Random(seed)
    dut = Cell(forms=forms, sum_width=24)

    def operand():
        return draw.choice((-128, 127, 0, draw.randint(-128, 127)))

    inputs = [{
        "act": operand(), "swap": draw.random() < 0.3, "shift": draw.random() < 0.5,
        "wgt": [operand() for _ in range(COLUMNS)],
        "sum": [draw.randint(-(1 << 20), 1 << 20) for _ in range(COLUMNS)],
    } for _ in range(400)]
    assert any(cycle["swap"] and cycle["shift"] for cycle in inputs)

    # what each cycle's activation is multiplied by, and the shadows before each cycle
    shadow, active, actives, shadows = [0] * COLUMNS, [0] * COLUMNS, [], []
    for cycle in inputs:
        shadows.append(shadow)
        if cycle["swap"]:
            active = shadow             # from before a shift in the same cycle
        if cycle["shift"]:
            shadow = cycle["wgt"]
        actives.append(active)

    async def testbench(ctx):
        for index, cycle in enumerate(inputs):
            ctx.set(dut.i_act, cycle["act"])
            ctx.set(dut.i_swap, cycle["swap"])
            ctx.set(dut.i_shift, cycle["shift"])
            ctx.set(dut.i_wgt, cycle["wgt"])
            ctx.set(dut.i_sum, cycle["sum"])
            assert [ctx.get(dut.o_wgt[column]) for column in range(COLUMNS)] == shadows[index]
            if index:
                before = inputs[index - 1]
                assert (ctx.get(dut.o_act), ctx.get(dut.o_swap), ctx.get(dut.o_shift)) == (
                    before["act"], before["swap"], before["shift"])
            entered = index - dut.latency
            if entered >= 0:
                for column in range(COLUMNS):
                    expected = (inputs[index - 1]["sum"][column]
                                + inputs[entered]["act"] * actives[entered][column])
                    assert ctx.get(dut.o_sum[column]) == expected, (index, column)
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
