"""A pair of cells compared with a model of its contract."""

import random

import pytest
from amaranth.sim import Simulator

from support.seeds import seed
from weft.array.cell import COLUMNS, Cell

CONTROLS = ("valid", "depthwise", "swap", "shift")


@pytest.mark.parametrize("forms", [("portable", "portable"), ("lut", "portable"), ("lut", "lut")])
def test_multiplies_adds_swaps_shifts_and_filters(forms):
    draw = random.Random(f"{seed()} {forms}")
    dut = Cell(forms=forms, sum_width=24)

    def operand():
        return draw.choice((-128, 127, 0, draw.randint(-128, 127)))

    inputs = [{
        "act": operand(), "swap": draw.random() < 0.3, "shift": draw.random() < 0.5,
        "valid": draw.random() < 0.7, "depthwise": draw.random() < 0.6,
        "top": [operand() for _ in range(COLUMNS)],
        "wgt": [operand() for _ in range(COLUMNS)],
        "sum": [draw.randint(-(1 << 20), 1 << 20) for _ in range(COLUMNS)],
    } for _ in range(400)]
    assert any(cycle["swap"] and cycle["shift"] for cycle in inputs)

    # the model records, for each cycle, the operands and the weights that are multiplied, and the
    # shadow weights and the inputs from above before the cycle
    shadow, active, actives, shadows = [0] * COLUMNS, [0] * COLUMNS, [], []
    current, previous, operands, tops = [0] * COLUMNS, [0] * COLUMNS, [], []
    for cycle in inputs:
        shadows.append(shadow)
        tops.append(previous)
        if cycle["valid"]:
            previous = current
            current = cycle["top"] if cycle["depthwise"] else [cycle["act"]] * COLUMNS
        operands.append(current)
        if cycle["swap"]:
            active = shadow             # the value before a shift in the same cycle
        if cycle["shift"]:
            shadow = cycle["wgt"]
        actives.append(active)

    async def testbench(ctx):
        for index, cycle in enumerate(inputs):
            ctx.set(dut.i_act, cycle["act"])
            for name in CONTROLS:
                ctx.set(getattr(dut, f"i_{name}"), cycle[name])
            ctx.set(dut.i_top, cycle["top"])
            ctx.set(dut.i_wgt, cycle["wgt"])
            ctx.set(dut.i_sum, cycle["sum"])
            assert [ctx.get(dut.o_wgt[column]) for column in range(COLUMNS)] == shadows[index]
            assert [ctx.get(dut.o_top[column]) for column in range(COLUMNS)] == tops[index]
            if index:
                last = inputs[index - 1]
                assert ctx.get(dut.o_act) == last["act"]
                for name in CONTROLS:
                    assert ctx.get(getattr(dut, f"o_{name}")) == last[name], (index, name)
            entered = index - dut.latency
            if entered >= 0:
                for column in range(COLUMNS):
                    expected = (inputs[index - 1]["sum"][column]
                                + operands[entered][column] * actives[entered][column])
                    assert ctx.get(dut.o_sum[column]) == expected, (index, column)
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(testbench)
    simulator.run()
