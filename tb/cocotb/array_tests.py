"""Cocotb tests of the systolic array: legal schedules, all sums compared with numpy."""

import json
import os

import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge

import cocotb
from support.array_schedule import corner_tiles, mixed_tiles, random_tiles, schedule
from weft.spec.config import Config

CONFIG = Config(**json.loads(os.environ["WEFT_CONFIG"]))
SEED = int(os.environ["WEFT_SEED"])
LATENCY = int(os.environ["WEFT_LATENCY"])
ROWS, COLS = CONFIG.rows, CONFIG.cols


def pack(values):
    """Return signed bytes as one integer, the first in the lowest bits."""
    return sum((value & 0xFF) << 8 * index for index, value in enumerate(values))


def unpack(word):
    """Return the signed sums of all columns."""
    half = 1 << CONFIG.sum_width - 1
    return [((word >> CONFIG.sum_width * column) + half) % (2 * half) - half
            for column in range(COLS)]


async def reset(dut):
    """Start the clock and reset the array."""
    Clock(dut.clk, 10, "ns").start()
    dut.i_valid.value = dut.i_load_next.value = dut.i_swap.value = dut.i_depthwise.value = 0
    dut.i_act.value = dut.i_wgt.value = 0
    dut.rst.value = 1
    # long enough to fill the registers of a primitive, which have no initial value
    await ClockCycles(dut.clk, LATENCY + 1)
    await FallingEdge(dut.clk)
    dut.rst.value = 0


async def check(dut, cycles):
    """Drive ``cycles`` and check every output; inputs change on the falling edge."""
    await reset(dut)
    dut.i_load_next.value = cycles[0].load
    await FallingEdge(dut.clk)
    checked = 0
    for index in range(len(cycles) + LATENCY + 1):
        if index < len(cycles):
            cycle = cycles[index]
            dut.i_act.value, dut.i_wgt.value = pack(cycle.act), pack(cycle.wgt)
            dut.i_valid.value, dut.i_swap.value = cycle.valid, cycle.swap
            dut.i_depthwise.value = cycle.depthwise
            following = cycles[index + 1:index + 2]
            dut.i_load_next.value = following[0].load if following else 0
        else:
            dut.i_valid.value = dut.i_load_next.value = 0
        # between the edges, the outputs are those of the cycle that began at the last rising edge
        entered = index - LATENCY
        expected = cycles[entered] if 0 <= entered < len(cycles) else None
        valid = int(expected is not None and expected.valid)
        assert dut.o_valid.value == valid, f"cycle {index}: o_valid should be {valid}"
        assert dut.o_sum.value.is_resolvable, f"cycle {index}: o_sum is {dut.o_sum.value}"
        checked += valid
        if valid and expected.expected:
            sums = unpack(dut.o_sum.value.to_unsigned())
            assert sums == expected.expected, (
                f"cycle {index}: expected {expected.expected}, got {sums}")
        await FallingEdge(dut.clk)
    assert checked == sum(cycle.valid for cycle in cycles)


def tiles_of(rng, counts):
    """Return random tiles with these numbers of vectors."""
    return random_tiles(rng, rows=ROWS, cols=COLS, counts=counts)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def passes_follow_without_a_gap(dut):
    rng = np.random.default_rng([SEED, 1])
    count = ROWS + 3
    cycles = schedule(tiles_of(rng, [count] * 6), rng)
    first = next(index for index, cycle in enumerate(cycles) if cycle.valid)
    assert len(cycles) - first == 6 * count and all(cycle.valid for cycle in cycles[first:])
    await check(dut, cycles)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def single_vectors_repeat_every_rows_cycles(dut):
    rng = np.random.default_rng([SEED, 2])
    cycles = schedule(tiles_of(rng, [1] * 8), rng)
    starts = [index for index, cycle in enumerate(cycles) if cycle.valid]
    assert np.diff(starts).tolist() == [ROWS] * 7
    await check(dut, cycles)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def extreme_values_do_not_overflow(dut):
    await check(dut, schedule(corner_tiles(rows=ROWS, cols=COLS), np.random.default_rng(SEED)))


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def random_bubbles_and_gaps(dut):
    rng = np.random.default_rng([SEED, 3])
    for bubbles, gaps in ((0.3, 0), (0, 0.3), (0.2, 0.2), (0.8, 0.1), (0.1, 0.8)):
        counts = rng.integers(1, 2 * ROWS + 1, 8).tolist()
        for draw in (random_tiles, mixed_tiles):
            tiles = draw(rng, rows=ROWS, cols=COLS, counts=counts)
            await check(dut, schedule(tiles, rng, bubbles=bubbles, gaps=gaps))


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def dense_and_depthwise_passes_follow_each_other_without_a_gap(dut):
    rng = np.random.default_rng([SEED, 4])
    await check(dut, schedule(mixed_tiles(rng, rows=ROWS, cols=COLS, counts=[ROWS] * 12), rng))
