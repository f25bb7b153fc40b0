"""Validator: order of the checks, every error code, random instructions, cycles."""

import random

import pytest
from amaranth.sim import Simulator

from support.bench import add_deadline
from support.instruction_checks import CRAFTED, copy, drain, expected, matmul, rows, word
from support.random_words import random_word
from support.seeds import seed
from support.ticks import sampled
from support.validator_bench import ALL, MEM_BASE, NONE, check
from weft.control.validate import Validator
from weft.spec.isa import SEQUENCER, ErrorCode
from weft.spec.presets import preset

TINY = preset("tiny")


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


@pytest.mark.parametrize("name", ["tiny", "wide", "tall", "large"])
def test_random_instructions(name):
    run_seed = seed()
    rng = random.Random(run_seed)
    config = preset(name, addr_width=rng.choice((16, 24, 32)))
    windows = [(0x2000, 0x4FFF, 1, 0), (0x4000, 0x8FFF, 0, 1), (0x4000, 0x47FF, 1, 1), NONE]
    cases = [random_word(rng, config) for _ in range(400)]
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
