"""Bench of the validator: comparison of its results with the host software, and its inputs."""

import random

from amaranth.hdl import ResetInserter, Signal
from amaranth.sim import Simulator

from support.bench import add_deadline
from support.instruction_checks import UNIT_OF, absolute, expected
from support.ticks import sampled
from weft.control.validate import Validator
from weft.spec import isa
from weft.spec.isa import ErrorCode
from weft.spec.step_instructions import STEP_REGISTERS, count_of, resolve
from weft_host.program.validate import check_instruction

__all__ = ["ALL", "MEM_BASE", "NONE", "check", "issued", "outcome"]

MEM_BASE = 0x0001_2340
ALL = (0, 0xFFFFFFFF, 1, 1)
NONE = (1, 0, 1, 1)
_EACH = 1 << isa.BY_NAME["LOAD"].field("each").offset


def outcome(config, word, addr, mem_base, windows, steps):
    """Return the error of an instruction, ``(code, unit, addr)`` or ``None``.

    The host software is the reference of the fixed-point instructions, and the model
    :func:`expected` that of all others.
    """
    if not config.fixed_point:
        return expected(config, word, addr, mem_base, windows)
    found = check_instruction(config, word.to_bytes(32, "little"), address=addr, mem_base=mem_base,
                              windows=windows, steps=steps)
    return (found.code, found.unit, found.addr) if found else None


def issued(config, word, mem_base, steps):
    """Return the word that the unit receives for a valid instruction, and its significant bits."""
    instruction, values = isa.decode(word.to_bytes(32, "little"))
    if not config.fixed_point:
        return absolute(word, mem_base), -1
    base, values = resolve(instruction, values, steps)
    if base is not instruction and not count_of(base, values):
        sync = isa.BY_NAME[f"SYNC_{isa.UNITS[base.unit]}"].opcode
        return sync | word & 0xFF00, _EACH | 0xFFFF
    encoded = isa.encode(base.name, **{key: value for key, value in values.items()
                                       if key != "opcode"})
    return absolute(int.from_bytes(encoded, "little"), mem_base), -1


def _unit(word):
    """Return the unit of an instruction with a known opcode."""
    return UNIT_OF[word & 0xFF] if word & 0xFF in UNIT_OF else isa.BY_OPCODE[word & 0xFF].unit


def check(config, cases, *, windows=(ALL, NONE, NONE, NONE), mem_base=MEM_BASE, seed=None,
          stalls=False, steps=(0,) * STEP_REGISTERS):
    """Send the instructions ``cases``, and compare the results with :func:`outcome`.

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

    async def registers(ctx):
        left = 0                        # cycles until all registers are zeroed after a reset
        async for _, _, resets, busy, en, index in ctx.tick().sample(
                reset, dut.steps.busy, dut.steps.en, dut.steps.index):
            assert not (en and busy)
            ctx.set(dut.steps.value, steps[index] if en else rng.getrandbits(32))
            left = rng.randrange(20) if resets and stalls else max(0, left - 1)
            ctx.set(dut.steps.busy, left > 0)

    async def bench(ctx):
        for window, (base, last, read, write) in zip(dut.i_windows, windows):
            ctx.set(window, {"base": base, "last": last, "read": read, "write": write})
        ctx.set(dut.i_mem_base, mem_base)
        for index, given in enumerate(cases):
            addr = rng.randrange(1 << 27) * 32
            want = outcome(config, given, addr, mem_base, windows, steps)
            ctx.set(dut.i.payload, {"word": given, "index": index, "offset": 0, "code": 0})
            ctx.set(dut.i_program, (addr - 32 * index) % (1 << 32))
            ctx.set(dut.i.valid, 1)
            await ctx.tick().until(dut.i.ready)
            ctx.set(dut.i.valid, 0)
            ctx.set(dut.o.ready, 0 if stalls else 1)
            waited = valid = error = 0
            while not (valid or error) and waited <= dut.LATENCY + 50 * config.fixed_point:
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
                word, significant = issued(config, given, mem_base, steps)
                assert (payload.word ^ word) & significant == 0, where
                assert (payload.index, payload.unit) == (index, _unit(given)), where
                seen[ErrorCode.NONE] += 1

    if config.fixed_point:
        sim.add_process(registers)
    sim.add_testbench(bench)
    sim.run()
    return seen
