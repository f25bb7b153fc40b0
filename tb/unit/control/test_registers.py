"""Registers: every entry of the table, access rules, commands, interrupt."""

import random

import pytest

from support.bench import run_bench
from support.seeds import seed
from support.ticks import sampled
from weft import __version__
from weft.control.registers import Registers
from weft.spec import register_map
from weft.spec.isa import ISA_VERSION
from weft.spec.presets import PRESETS, preset

CONFIG = preset("wide")
RW = [register for register in register_map.REGISTERS if register.access == "RW"]


def named_bits(register):
    """Return the mask of all bits that have a name."""
    return sum((1 << bits.width) - 1 << bits.offset for bits in register.fields)


async def access(ctx, dut, addr, data=None, strb=15, *, later=0):
    """Read, or write ``data``. Return ``(value, error)``.

    The acknowledgement must come ``later`` cycles after the usual latency.
    """
    ctx.set(dut.bus.addr, addr)
    ctx.set(dut.bus.write, data is not None)
    ctx.set(dut.bus.data, data or 0)
    ctx.set(dut.bus.strb, strb)
    ctx.set(dut.bus.en, 1)
    await ctx.tick()
    ctx.set(dut.bus.en, 0)
    for _ in range(dut.LATENCY - 1 + later):
        assert not ctx.get(dut.bus.ack)
        await ctx.tick()
    assert ctx.get(dut.bus.ack)
    response = ctx.get(dut.bus.read_data), ctx.get(dut.bus.error)
    await ctx.tick()
    assert not ctx.get(dut.bus.ack)
    return response


async def read(ctx, dut, name):
    """Return the value of a register."""
    value, error = await access(ctx, dut, register_map.BY_NAME[name].offset,
                                later=name.startswith("COUNTER_"))
    assert not error
    return value


async def write(ctx, dut, name, data, strb=15):
    """Write to a register, and return whether the write was accepted."""
    _, error = await access(ctx, dut, register_map.BY_NAME[name].offset, data, strb)
    return not error


@pytest.mark.parametrize("name", PRESETS)
def test_identity_registers_match_the_configuration(name):
    config = PRESETS[name]

    async def bench(ctx, dut):
        async def fields(register):
            value = await read(ctx, dut, register)
            return [value >> bits.offset & (1 << bits.width) - 1
                    for bits in register_map.BY_NAME[register].fields]

        assert (await read(ctx, dut, "ID")).to_bytes(4, "little") == b"WEFT"
        major, minor, _ = (int(part) for part in __version__.split("."))
        assert await fields("VERSION") == [ISA_VERSION, minor, major]
        assert await fields("CAP_ARRAY") == [config.rows, config.cols, config.vector_lanes,
                                             config.bus_width // 8]
        assert [1 << log2 for log2 in (await fields("CAP_MEMORY"))[:3]] == [
            config.spad_bytes, config.wgt_bytes, config.acc_rows]
        assert (await fields("CAP_MEMORY"))[3] == config.spad_banks
        assert await fields("CAP_CONTROL") == [config.queue_depth, register_map.WINDOWS,
                                               len(register_map.COUNTERS)]
        assert await read(ctx, dut, "CONFIG_HASH") == config.fingerprint

    run_bench(Registers(config), bench)


def test_random_accesses_match_a_model_of_the_table():
    run_seed = seed()
    draw = random.Random(run_seed)

    async def bench(ctx, dut):
        model = {register.name: 0 for register in RW}
        for _ in range(1200):
            busy = draw.random() < 0.2
            ctx.set(dut.i_status, {"BUSY": busy})
            register = draw.choice(RW)
            data = draw.getrandbits(32)
            if draw.random() < 0.7:
                data &= ~31
            if register.name.endswith("_CTRL") and draw.random() < 0.9:
                data &= ~4
            strb = draw.choice((15, 15, draw.getrandbits(4)))
            lock = register.name[:7] + "_CTRL"
            allowed = not (
                busy or (register.name.startswith("WINDOW") and model[lock] & 4)
                or (register.align == 32 and strb & 1 and data % 32))
            where = f"seed {run_seed}: {register.name}"
            assert await write(ctx, dut, register.name, data, strb) == allowed, where
            if allowed:
                mask = sum(0xFF << 8 * byte for byte in range(4) if strb >> byte & 1)
                mask &= named_bits(register)
                model[register.name] = model[register.name] & ~mask | data & mask
            other = draw.choice(RW).name
            assert await read(ctx, dut, other) == model[other], f"seed {run_seed}: {other}"
        windows = ctx.get(dut.o_windows)
        for index, window in enumerate(windows):
            assert (window.base, window.last, window.read | window.write << 1) == (
                model[f"WINDOW{index}_BASE"], model[f"WINDOW{index}_LAST"],
                model[f"WINDOW{index}_CTRL"] & 3)
        settings = ctx.get(dut.o_settings)
        assert [getattr(settings, name) for name in ("mem_base", "program_addr", "program_count",
                                                     "watchdog")] == [
            model[name] for name in ("MEM_BASE", "PROGRAM_ADDR", "PROGRAM_COUNT", "WATCHDOG")]

    run_bench(Registers(CONFIG), bench)


def test_reads_return_the_inputs():
    run_seed = seed()
    draw = random.Random(run_seed)

    async def bench(ctx, dut):
        for _ in range(20):
            record = {"code": draw.randrange(12), "unit": draw.randrange(5),
                      "index": draw.getrandbits(32), "addr": draw.getrandbits(32)}
            counters = [draw.getrandbits(32) for _ in register_map.COUNTERS]
            pc = draw.getrandbits(32)
            status = {bits.name: draw.getrandbits(bits.width)
                      for bits in register_map.BY_NAME["STATUS"].fields}
            ctx.set(dut.i_record, record)
            ctx.set(dut.i_pc, pc)
            ctx.set(dut.i_status, status)
            assert await read(ctx, dut, "ERROR_CODE") == record["code"] | record["unit"] << 8
            assert await read(ctx, dut, "ERROR_INDEX") == record["index"]
            assert await read(ctx, dut, "ERROR_ADDR") == record["addr"]
            assert await read(ctx, dut, "PC") == pc
            assert await read(ctx, dut, "STATUS") == sum(
                status[bits.name] << bits.offset for bits in register_map.BY_NAME["STATUS"].fields)
            for index, ((name, _), value) in enumerate(zip(register_map.COUNTERS, counters)):
                ctx.set(dut.bus.addr, register_map.BY_NAME[f"COUNTER_{name}"].offset)
                assert ctx.get(dut.o_counter) == index
                ctx.set(dut.i_counter, value)
                assert await read(ctx, dut, f"COUNTER_{name}") == value, f"seed {run_seed}"
                ctx.set(dut.i_counter, draw.getrandbits(32))
                assert await read(ctx, dut, "PC") == pc
            assert await read(ctx, dut, "CONTROL") == 0

    run_bench(Registers(CONFIG), bench)


def test_waits_is_frozen_after_an_error():
    async def bench(ctx, dut):
        ctx.set(dut.i_waits, {"LOAD_TOKENS": 5})
        assert await read(ctx, dut, "WAITS") == 5
        ctx.set(dut.i_waits, {"LOAD_TOKENS": 6})
        ctx.set(dut.i_first_error, 1)
        await ctx.tick()
        ctx.set(dut.i_first_error, 0)
        ctx.set(dut.i_record.code, 1)
        ctx.set(dut.i_waits, {"LOAD_TOKENS": 7})
        assert await read(ctx, dut, "WAITS") == 6
        ctx.set(dut.i_record.code, 0)
        assert await read(ctx, dut, "WAITS") == 7

    run_bench(Registers(CONFIG), bench)


def bit(name):
    """Return the mask of a bit of CONTROL."""
    return 1 << register_map.BY_NAME["CONTROL"].bits(name).offset


def test_commands_are_high_for_one_cycle_or_refused():
    async def bench(ctx, dut):
        async def command(value, strb=15):
            ctx.set(dut.bus.addr, register_map.BY_NAME["CONTROL"].offset)
            ctx.set(dut.bus.write, 1)
            ctx.set(dut.bus.data, value)
            ctx.set(dut.bus.strb, strb)
            ctx.set(dut.bus.en, 1)
            await ctx.tick()
            ctx.set(dut.bus.en, 0)
            seen = []
            for _ in range(6):
                ack, error, given = await sampled(ctx, dut.bus.ack, dut.bus.error, dut.o_command)
                if ack:
                    refused = error
                seen.append(given.as_bits() if hasattr(given, "as_bits") else given)
            given = [value for value in seen if value]
            assert len(given) <= 1
            return None if refused else (given or [0])[0]

        every = [bits.name for bits in register_map.BY_NAME["CONTROL"].fields]
        for name in every:
            assert await command(bit(name)) == bit(name)
        assert await command(bit("SNAPSHOT") | bit("CLEAR_COUNTERS") | bit("START")) == \
            bit("SNAPSHOT") | bit("CLEAR_COUNTERS") | bit("START")
        assert await command(0xFFFFFF00) == 0
        assert await command(bit("START"), strb=14) == 0
        for pair in (("START", "CLEAR"), ("START", "SOFT_RESET"), ("CLEAR", "SOFT_RESET")):
            assert await command(bit(pair[0]) | bit(pair[1])) is None
        for state in ("BUSY", "ERROR", "RESETTING", "CLEARING"):
            ctx.set(dut.i_status, {state: 1})
            for name in every:
                refused = name in ("START", "CLEAR")
                assert await command(bit(name)) == (None if refused else bit(name)), (state, name)

    run_bench(Registers(CONFIG), bench)


def test_accesses_to_busy_counters_are_delayed():
    async def bench(ctx, dut):
        async def cycles(name, data=None):
            """Access a register while the counters are busy for ten cycles.

            Return the cycle of the acknowledgement, and the value or the commands.
            """
            ctx.set(dut.bus.addr, register_map.BY_NAME[name].offset)
            ctx.set(dut.bus.write, data is not None)
            ctx.set(dut.bus.data, data or 0)
            ctx.set(dut.bus.strb, 15)
            ctx.set(dut.bus.en, 1)
            ctx.set(dut.i_counters_busy, 1)
            ctx.set(dut.i_counter, 0xBAD)
            found, commands = [], []
            for cycle in range(20):
                ack, value, given = await sampled(ctx, dut.bus.ack, dut.bus.read_data,
                                                  dut.o_command.as_value())
                ctx.set(dut.bus.en, 0)
                if cycle == 9:
                    ctx.set(dut.i_counters_busy, 0)
                    ctx.set(dut.i_counter, 0x600D)
                found += [(cycle, value)] if ack else []
                commands += [(cycle, given)] if given else []
            (acknowledged, value), = found
            return acknowledged, value if data is None else commands

        for name, _ in register_map.COUNTERS:
            assert await cycles(f"COUNTER_{name}") == (11, 0x600D)
        for command in (bit("SNAPSHOT"), bit("CLEAR_COUNTERS"), bit("SNAPSHOT") | bit("START")):
            assert await cycles("CONTROL", command) == (11, [(11, command)])
        assert await cycles("CONTROL", bit("SOFT_RESET")) == (2, [(2, bit("SOFT_RESET"))])
        assert await cycles("ID") == (2, register_map.MAGIC)
        assert await cycles("WATCHDOG", bit("SNAPSHOT")) == (2, [])

    run_bench(Registers(CONFIG), bench)


def test_irq_is_high_until_its_cause_is_cleared():
    async def bench(ctx, dut):
        async def irq():
            await ctx.tick()
            return ctx.get(dut.o_irq)

        async def event(name):
            ctx.set(getattr(dut, f"i_{name}_event"), 1)
            await ctx.tick()
            ctx.set(getattr(dut, f"i_{name}_event"), 0)

        await event("done")
        assert await read(ctx, dut, "IRQ_STATUS") == 1 and not await irq()
        assert await write(ctx, dut, "IRQ_ENABLE", 2)
        assert not await irq()
        await event("error")
        assert await irq() and await read(ctx, dut, "IRQ_STATUS") == 3
        assert await write(ctx, dut, "IRQ_STATUS", 1)
        assert await irq() and await read(ctx, dut, "IRQ_STATUS") == 2
        ctx.set(dut.i_status, {"BUSY": 1})      # allowed while BUSY
        assert await write(ctx, dut, "IRQ_STATUS", 2)
        assert not await irq() and await read(ctx, dut, "IRQ_STATUS") == 0
        # an event is not lost if its bit is cleared in the same cycle
        ctx.set(dut.i_done_event, 1)
        assert await write(ctx, dut, "IRQ_STATUS", 1)
        ctx.set(dut.i_done_event, 0)
        assert await read(ctx, dut, "IRQ_STATUS") == 1

    run_bench(Registers(CONFIG), bench)


def test_unmapped_offsets_are_refused():
    async def bench(ctx, dut):
        mapped = {register.offset for register in register_map.REGISTERS}
        for addr in range(0, 0x400, 4):
            if addr not in mapped:
                assert await access(ctx, dut, addr) == (0, 1)
                assert (await access(ctx, dut, addr, 0))[1]
        # the two least significant bits of an address are ignored
        assert await access(ctx, dut, 3) == (register_map.MAGIC, 0)

    run_bench(Registers(CONFIG), bench)
