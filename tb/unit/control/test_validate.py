"""Validator: order of the checks, every error code, random instructions, cycles."""

import random

import pytest
from amaranth.hdl import ResetInserter, Signal
from amaranth.sim import Simulator

from support.bench import add_deadline
from support.instruction_checks import (
    CRAFTED,
    UNIT_OF,
    absolute,
    copy,
    drain,
    expected,
    matmul,
    rows,
    word,
)
from support.seeds import seed
from support.ticks import sampled
from weft.control.validate import Validator
from weft.spec import isa
from weft.spec.isa import SEQUENCER, ErrorCode
from weft.spec.presets import preset

MEM_BASE = 0x0001_2340
ALL = (0, 0xFFFFFFFF, 1, 1)
NONE = (1, 0, 1, 1)
TINY = preset("tiny")


def check(config, cases, *, windows=(ALL, NONE, NONE, NONE), mem_base=MEM_BASE, seed=None,
          stalls=False):
    """Send the instructions ``cases``, and compare the results with :func:`expected`.

    The validator is reset after every refused instruction. Return the number of results by error
    code.
    """
    dut = Validator(config)
    reset = Signal()
    sim = Simulator(ResetInserter(reset)(dut))
    sim.add_clock(1e-6)
    add_deadline(sim, 100_000)
    seen = {code: 0 for code in ErrorCode}
    rng = random.Random(seed)

    async def bench(ctx):
        for window, (base, last, read, write) in zip(dut.i_windows, windows):
            ctx.set(window, {"base": base, "last": last, "read": read, "write": write})
        ctx.set(dut.i_mem_base, mem_base)
        for index, given in enumerate(cases):
            addr = rng.randrange(1 << 27) * 32
            want = expected(config, given, addr, mem_base, windows)
            ctx.set(dut.i.payload, {"word": given, "index": index, "offset": 0, "code": 0})
            ctx.set(dut.i_program, (addr - 32 * index) % (1 << 32))
            ctx.set(dut.i.valid, 1)
            await ctx.tick().until(dut.i.ready)
            ctx.set(dut.i.valid, 0)
            ctx.set(dut.o.ready, 0 if stalls else 1)
            waited = valid = error = 0
            while not (valid or error) and waited <= dut.LATENCY:
                waited += 1
                valid, payload, error, record = await sampled(
                    ctx, dut.o.valid, dut.o.payload, dut.o_error, dut.o_record)
            where = f"seed {seed}, case {index}: {given:064x}"
            assert valid or error, where
            if stalls and valid:
                for _ in range(rng.randrange(4)):
                    still_valid, stable = await sampled(ctx, dut.o.valid, dut.o.payload)
                    assert still_valid and stable == payload, where
                ctx.set(dut.o.ready, 1)
                await ctx.tick()
            got = (record.code, record.unit, record.addr) if error else None
            assert got == want, where
            if error:
                assert record.index == index and not valid, where
                seen[ErrorCode(record.code)] += 1
                for _ in range(3):      # the input is stalled
                    ready, = await sampled(ctx, dut.i.ready)
                    assert not ready, where
                ctx.set(reset, 1)
                await ctx.tick()
                ctx.set(reset, 0)
            else:
                assert payload.word == absolute(given, mem_base), where
                assert (payload.index, payload.unit) == (index, UNIT_OF[given & 0xFF]), where
                seen[ErrorCode.NONE] += 1

    sim.add_testbench(bench)
    sim.run()
    return seen


@pytest.mark.parametrize("stalls", [False, True])
def test_every_check_at_the_limits_of_its_range(stalls):
    for given, code in CRAFTED:
        want = expected(TINY, given, 0, MEM_BASE, (ALL,))
        assert (want[0] if want else 0) == code, f"the reference model is wrong for {given:064x}"
    seen = check(TINY, [given for given, _ in CRAFTED], stalls=stalls, seed=1)
    assert all(seen[code] for code in (0, 1, 2, 3, 4, 5, 6)), seen


@pytest.mark.parametrize("addr_width", [16, 28, 32])
def test_checks_host_ranges_at_the_window_edges(addr_width):
    config = preset("tiny", addr_width=addr_width)
    top = (1 << addr_width) - 1
    windows = [(0x1000, 0x1FFF, 1, 0), (0x3000, 0x3FFF, 0, 1), (0x5000, 0x4FFF, 1, 1),
               (top - 0xFFF, 0xFFFFFFFF, 1, 1)]
    base = 0x800
    cases = []
    for name in ("LOAD", "LOAD_WGT", "STORE"):
        for first, last, *_ in windows:
            for host in (first - 1, first, first + 1, last - 1, last, last + 1, top - 1, top):
                for size in (1, 2, 3, 0x100, 0x1000, 0x1001):
                    size = min(size, TINY.wgt_bytes)
                    cases.append(copy(name, host_addr=host - base & 0xFFFFFFFF, bytes=size))
        cases += [
            copy(name, host_addr=0x1000 - base, count=16, host_pitch=0x100, bytes=0x100),
            copy(name, host_addr=0x1000 - base, count=16, host_pitch=0x100, bytes=0x101),
            copy(name, host_addr=0x1000 - base, count=0xFFFF, host_pitch=0xFFFFFFFF, bytes=1),
            copy(name, host_addr=0x3000 - base, count=17, host_pitch=0x100, bytes=1),
            copy(name, host_addr=0x3000 - base, count=17, host_pitch=0xFF, bytes=1),
            # the end wraps around to an address inside the window
            copy(name, host_addr=0x1000 - base, count=2, host_pitch=0xFFFFFFF0, bytes=16),
            copy(name, host_addr=0xFFFFFFFF, count=1, bytes=1),
        ]
    seen = check(config, cases, windows=windows, mem_base=base, seed=addr_width)
    assert seen[ErrorCode.HOST_WINDOW] > 50 and seen[ErrorCode.NONE] > 20, seen


def test_no_product_is_truncated():
    cases = [copy("FILL", count=(1 << i) + 1, local_pitch=1 << j)
             for i in range(16) for j in range(24)]
    cases += [copy(count=(1 << i) + 1, host_pitch=1 << j) for i in (0, 5, 10, 15)
              for j in range(32)]
    cases += [matmul(x_count=1 << i, y_count=1 << j) for i in range(16) for j in range(16)]
    check(TINY, cases, windows=[(MEM_BASE, MEM_BASE + 0xFFFF, 1, 0)], seed=5)


def test_mem_base_does_not_wrap():
    cases = [copy(host_addr=0x0FFFFFFF), copy(host_addr=0x10000000), copy(host_addr=0x10000100)]
    seen = check(TINY, cases, mem_base=0xF0000000, seed=3)
    assert seen[ErrorCode.HOST_WINDOW] == 2


def draw(rng, config):
    """Return a random instruction: often valid, often near a limit, sometimes invalid."""
    if rng.random() < 0.05:
        return rng.getrandbits(256)
    instruction = rng.choice(isa.INSTRUCTIONS)
    bounds = [config.spad_bytes, config.wgt_bytes, config.acc_rows, config.wgt_tiles, config.cols]
    values = {"opcode": instruction.opcode}
    for field in instruction.fields[1:]:
        top = (1 << field.width) - 1
        kind = rng.random()
        if kind < 0.55:
            value = rng.randrange(1, 5)
        elif kind < 0.9:
            value = rng.choice(bounds) // rng.choice((1, 1, 2, 4)) + rng.randrange(-4, 3)
        else:
            value = rng.choice((0, top, rng.getrandbits(field.width)))
        if field.name in ("wait", "signal"):
            value = rng.getrandbits(4) & ~(1 << instruction.unit)
        elif field.name == "host_addr" and kind < 0.9:
            value = rng.randrange(0x4000)
        elif field.name == "lead" and kind < 0.9:
            value = rng.randrange(config.rows) if values["depthwise"] else 0
        elif field.name == "clamp_max" and kind < 0.9:
            value = 127
        elif field.name == "blank" and kind < 0.9:
            value = 0 if values["depthwise"] else rng.randrange(config.rows)
        elif field.name == "y_count" and kind < 0.5 and values.get("apart"):
            value = 1
        elif field.name == "channels" and kind < 0.8:
            value = rng.randrange(1, config.cols + 1)
        elif field.name == "channel" and kind < 0.9:
            value = rng.randrange(config.param_channels // config.cols) * config.cols
        values[field.name] = value & top
    result = sum(values[field.name] << field.offset for field in instruction.fields)
    if rng.random() < 0.08:
        result ^= 1 << rng.randrange(256)
    return result


@pytest.mark.parametrize("name", ["tiny", "wide", "tall", "large"])
def test_random_instructions(name):
    run_seed = seed()
    rng = random.Random(run_seed)
    config = preset(name, addr_width=rng.choice((16, 24, 32)))
    windows = [(0x2000, 0x4FFF, 1, 0), (0x4000, 0x8FFF, 0, 1), (0x4000, 0x47FF, 1, 1), NONE]
    cases = [draw(rng, config) for _ in range(400)]
    seen = check(config, cases, windows=windows, mem_base=0x1000, seed=run_seed,
                 stalls=rng.random() < 0.5)
    assert seen[ErrorCode.NONE] > 20 and sum(seen.values()) == 400, (run_seed, seen)


def test_reports_fetch_errors_in_order():
    dut = Validator(TINY)
    sim = Simulator(dut)
    sim.add_clock(1e-6)
    add_deadline(sim, 100_000)

    async def bench(ctx):
        ctx.set(dut.o.ready, 1)
        good = word("SYNC_LOAD")
        for index, code in enumerate((0, 0, ErrorCode.BUS_DECERR)):
            ctx.set(dut.i_program, 0x1_0000_0020)
            ctx.set(dut.i.payload, {"word": good, "index": index, "offset": 0x14, "code": code})
            ctx.set(dut.i.valid, 1)
            await ctx.tick().until(dut.i.ready)
        ctx.set(dut.i.valid, 0)
        passed = 0
        for _ in range(40):
            valid, error, record = await sampled(ctx, dut.o.valid, dut.o_error, dut.o_record)
            passed += valid
            if error:
                break
        assert error and passed <= 2
        assert (record.code, record.unit, record.index, record.addr) == (
            ErrorCode.BUS_DECERR, SEQUENCER, 2, 0x74)

    sim.add_testbench(bench)
    sim.run()


@pytest.mark.parametrize("name", ["SYNC_LOAD", "LOAD", "MATMUL", "DRAIN", "PARAMS", "TABLE", "MAP",
                                  "SOFTMAX"])
def test_latency_and_throughput(name):
    given = {"SYNC_LOAD": word("SYNC_LOAD"), "LOAD": copy(), "MATMUL": matmul(), "DRAIN": drain(),
             "PARAMS": word("PARAMS", channels=1, per_channel=1), "TABLE": word("TABLE"),
             "MAP": rows(), "SOFTMAX": rows("SOFTMAX")}[name]
    dut = Validator(TINY)
    sim = Simulator(dut)
    sim.add_clock(1e-6)
    add_deadline(sim, 100_000)

    async def bench(ctx):
        ctx.set(dut.i_windows[0], {"base": 0, "last": 0xFFFFFFFF, "read": 1, "write": 1})
        ctx.set(dut.i.payload, {"word": given, "index": 0, "offset": 0, "code": 0})
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.o.ready, 1)
        cycles, passed = 0, []
        while len(passed) < 10:
            valid, = await sampled(ctx, dut.o.valid)
            cycles += 1
            if valid:
                passed.append(cycles)
        # the instruction is accepted in the first cycle
        assert passed[0] - 1 == {"SYNC_LOAD": 9, "LOAD": 10, "PARAMS": 10, "DRAIN": 11,
                                 "TABLE": 9, "MAP": 11, "SOFTMAX": 10, "MATMUL": dut.LATENCY}[name]
        assert {b - a for a, b in zip(passed, passed[1:])} == {dut.CYCLES}

    sim.add_testbench(bench)
    sim.run()
