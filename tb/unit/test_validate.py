"""Validator: the order of the checks, every error code, fuzzed instructions."""

import random

import pytest
from amaranth.hdl import ResetInserter, Signal
from amaranth.sim import Simulator

from support.bench import add_deadline
from support.ticks import sampled
from weft.control import isa
from weft.control.isa import ErrorCode
from weft.control.validate import Validator
from weft.presets import preset

SPAD, WGT, ACC = ErrorCode.SPAD_BOUNDS, ErrorCode.WGT_BOUNDS, ErrorCode.ACC_BOUNDS
LOAD, MATMUL, VECTOR, STORE, SEQUENCER = range(5)
UNIT_OF = {0x10: LOAD, 0x11: LOAD, 0x12: LOAD, 0x1F: LOAD, 0x20: MATMUL, 0x2F: MATMUL,
           0x30: VECTOR, 0x31: VECTOR, 0x32: VECTOR, 0x33: VECTOR, 0x34: VECTOR, 0x3F: VECTOR,
           0x40: STORE, 0x4F: STORE}
MEM_BASE = 0x0001_2340
ALL = (0, 0xFFFFFFFF, 1, 1)
NONE = (1, 0, 1, 1)


def expected(config, word, addr, mem_base, windows):
    """The checks of decision 0001, written from its text: ``None`` or (code, unit, addr)."""
    def bits(offset, width):
        return word >> offset & (1 << width) - 1

    opcode = bits(0, 8)
    if opcode not in UNIT_OF:
        return ErrorCode.ILLEGAL_OPCODE, SEQUENCER, addr
    unit = UNIT_OF[opcode]
    name = isa.BY_OPCODE[opcode].name
    v = isa.decode(word.to_bytes(32, "little"))[1]
    named = sum((1 << f.width) - 1 << f.offset for f in isa.BY_OPCODE[opcode].fields)
    if word & ~named or (v["wait"] | v["signal"]) >> unit & 1:
        return ErrorCode.RESERVED_BITS, unit, addr

    bad = any(v[key] == 0 for key in ("count", "bytes", "row_count", "chunk_count", "y_count",
                                      "x_count") if key in v)
    if "channels" in v:
        bad |= not 1 <= v["channels"] <= config.cols
    if name == "MATMUL":
        bad |= v["lead"] >= (config.rows if v["depthwise"] else 1)
    if name in ("PARAMS", "TABLE"):
        bad |= v["shift"] > 62 or v["multiplier"] >= 2 ** 31
    if name in ("DRAIN", "MAP"):
        bad |= v["clamp_min"] > v["clamp_max"]
    if name == "MAP":
        bad |= v["op"] == 3 or v["mode"] == 3
    if bad:
        return ErrorCode.BAD_FIELD, unit, addr

    checks = []
    if name in ("LOAD", "FILL", "STORE"):
        end = v["local_addr"] + (v["count"] - 1) * v["local_pitch"] + v["bytes"]
        checks.append((end <= config.spad_bytes, SPAD, v["local_addr"]))
    if name == "LOAD_WGT":
        end = v["local_addr"] + (v["count"] - 1) * v["local_pitch"] + v["bytes"]
        checks.append((end <= config.wgt_bytes, WGT, v["local_addr"]))
    if name == "MATMUL":
        end = (v["act_addr"] + (v["row_count"] - 1) * v["row_pitch"]
               + (v["chunk_count"] - 1) * v["chunk_pitch"] + (v["y_count"] - 1) * v["y_pitch"]
               + (v["x_count"] - 1 + v["lead"]) * v["x_pitch"] + config.rows)
        checks.append((end <= config.spad_bytes, SPAD, v["act_addr"]))
        tiles = 1 if v["hold"] else v["row_count"] * v["chunk_count"]
        checks.append((v["wgt_addr"] + tiles <= config.wgt_bytes // (config.rows * config.cols),
                       WGT, v["wgt_addr"]))
        checks.append((v["acc_addr"] + v["y_count"] * v["x_count"] <= config.acc_rows, ACC,
                       v["acc_addr"]))
    if name == "PARAMS":
        checks.append((v["bias_addr"] + 4 * v["channels"] <= config.spad_bytes, SPAD,
                       v["bias_addr"]))
        if v["per_channel"]:
            checks.append((v["scale_addr"] + 8 * v["channels"] <= config.spad_bytes, SPAD,
                           v["scale_addr"]))
    if name == "DRAIN":
        size = v["channels"] * (4 if v["mode"] == 3 else 1)
        end = (v["out_addr"] + (v["y_count"] - 1) * v["y_pitch"]
               + (v["x_count"] - 1) * v["x_pitch"] + size)
        checks.append((end <= config.spad_bytes, SPAD, v["out_addr"]))
        end = v["acc_addr"] + (v["y_count"] - 1) * v["acc_pitch"] + v["x_count"]
        checks.append((end <= config.acc_rows, ACC, v["acc_addr"]))
    if name == "TABLE":
        checks.append((v["table_addr"] + 1024 <= config.spad_bytes, SPAD, v["table_addr"]))
    if name in ("MAP", "SOFTMAX"):
        for which in ("a", "b", "out") if v.get("op") else ("a", "out"):
            start = v[f"{which}_addr"]
            end = start + (v["count"] - 1) * v[f"{which}_pitch"] + v["bytes"]
            checks.append((end <= config.spad_bytes, SPAD, start))
    for ok, code, where in checks:
        if not ok:
            return code, unit, where

    if name in ("LOAD", "LOAD_WGT", "STORE"):
        first = mem_base + v["host_addr"]
        last = first + (v["count"] - 1) * v["host_pitch"] + v["bytes"] - 1
        right = 3 if name == "STORE" else 2
        inside = any(w[0] <= first and last <= w[1] and w[right] for w in windows)
        if not inside or last >= 1 << config.addr_width:
            return ErrorCode.HOST_WINDOW, unit, first % 2 ** 32
    return None


def absolute(word, mem_base):
    """The word as a unit gets it: MEM_BASE added to ``host_addr``."""
    if word & 0xFF in (0x10, 0x11, 0x40):
        host = (word >> 32) + mem_base & 0xFFFFFFFF
        word = word & ~(0xFFFFFFFF << 32) | host << 32
    return word


def check(config, cases, *, windows=(ALL, NONE, NONE, NONE), mem_base=MEM_BASE, seed=None,
          stalls=False):
    """Sends words, each with a freshly reset validator if the one before was refused.

    ``cases`` are words; what comes out must be what :func:`expected` says.
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
        for index, word in enumerate(cases):
            addr = rng.randrange(1 << 27) * 32
            want = expected(config, word, addr, mem_base, windows)
            ctx.set(dut.i.payload, {"word": word, "index": index, "addr": addr, "code": 0})
            ctx.set(dut.i.valid, 1)
            await ctx.tick().until(dut.i.ready)
            ctx.set(dut.i.valid, 0)
            ctx.set(dut.o.ready, 0 if stalls else 1)
            waited = valid = error = 0
            while not (valid or error) and waited <= dut.LATENCY:
                waited += 1
                valid, payload, error, record = await sampled(
                    ctx, dut.o.valid, dut.o.payload, dut.o_error, dut.o_record)
            where = f"seed {seed}, case {index}: {word:064x}"
            assert valid or error, where
            if stalls and valid:
                for _ in range(rng.randrange(4)):
                    ok, held = await sampled(ctx, dut.o.valid, dut.o.payload)
                    assert ok and held == payload, where
                ctx.set(dut.o.ready, 1)
                await ctx.tick()
            got = (record.code, record.unit, record.addr) if error else None
            assert got == want, where
            if error:
                assert record.index == index and not valid, where
                seen[ErrorCode(record.code)] += 1
                for _ in range(3):      # nothing more is taken
                    ready, = await sampled(ctx, dut.i.ready)
                    assert not ready, where
                ctx.set(reset, 1)
                await ctx.tick()
                ctx.set(reset, 0)
            else:
                assert payload.word == absolute(word, mem_base), where
                assert (payload.index, payload.unit) == (index, UNIT_OF[word & 0xFF]), where
                seen[ErrorCode.NONE] += 1

    sim.add_testbench(bench)
    sim.run()
    return seen


def word(name, **values):
    return int.from_bytes(isa.encode(name, **values), "little")


def matmul(**values):
    return word("MATMUL", **{"row_count": 1, "chunk_count": 1, "y_count": 1, "x_count": 1} | values)


def drain(**values):
    return word("DRAIN", **{"y_count": 1, "x_count": 1, "channels": 1} | values)


def rows(name="MAP", **values):
    return word(name, **{"count": 1, "bytes": 1} | values)


def copy(name="LOAD", **values):
    return word(name, **{"count": 1, "bytes": 1} | values)


TINY = preset("tiny")
S, W, A = TINY.spad_bytes, TINY.wgt_bytes, TINY.acc_rows
WORST = dict(count=0xFFFF, local_pitch=0xFFFFFF, bytes=0xFFFFFF, local_addr=0xFFFFFF)

CRAFTED = [
    (0, ErrorCode.ILLEGAL_OPCODE), (0x13, ErrorCode.ILLEGAL_OPCODE), (0xFF, 1),
    (word("SYNC_LOAD"), 0), (word("SYNC_LOAD") | 1 << 255, ErrorCode.RESERVED_BITS),
    (word("SYNC_STORE", wait=7, signal=7), 0),
    (word("SYNC_STORE", wait=8), ErrorCode.RESERVED_BITS),
    (word("SYNC_VECTOR", signal=4), ErrorCode.RESERVED_BITS),
    (copy() | 1 << 124, ErrorCode.RESERVED_BITS),
    (copy(count=0), ErrorCode.BAD_FIELD), (copy(bytes=0), ErrorCode.BAD_FIELD),
    (matmul(row_count=0), ErrorCode.BAD_FIELD), (matmul(chunk_count=0), ErrorCode.BAD_FIELD),
    (matmul(x_count=0), ErrorCode.BAD_FIELD), (matmul(y_count=0), ErrorCode.BAD_FIELD),
    (drain(channels=4), 0), (drain(channels=5), ErrorCode.BAD_FIELD),
    (drain(channels=0), ErrorCode.BAD_FIELD),
    (drain(clamp_min=-128, clamp_max=127, zero_point=-128), 0),
    (drain(clamp_min=1, clamp_max=0), ErrorCode.BAD_FIELD),
    (drain(mode=3, clamp_min=127, clamp_max=-128), ErrorCode.BAD_FIELD),
    (word("PARAMS", channels=1, shift=62, multiplier=0x7FFFFFFF), 0),
    (word("PARAMS", channels=1, shift=63), ErrorCode.BAD_FIELD),
    (word("PARAMS", channels=1, multiplier=1 << 31), ErrorCode.BAD_FIELD),
    (word("PARAMS", channels=4, bias_addr=S - 16), 0),
    (word("PARAMS", channels=4, bias_addr=S - 15), SPAD),
    (word("PARAMS", channels=4, scale_addr=S - 31), 0),
    (word("PARAMS", channels=4, scale_addr=S - 31, per_channel=1), SPAD),
    (word("PARAMS", channels=4, scale_addr=S - 32, per_channel=1), 0),
    (copy(bytes=S), 0), (copy(bytes=S + 1), SPAD), (copy(local_addr=S - 1), 0),
    (copy(local_addr=S), SPAD), (copy(count=S, local_pitch=1), 0),
    (copy(count=S + 1, local_pitch=1), SPAD), (copy(**WORST), SPAD),
    (copy("FILL", value=255, count=2, local_pitch=S - 1), 0),
    (copy("FILL", count=2, local_pitch=S), SPAD),
    (copy("LOAD_WGT", bytes=W), 0), (copy("LOAD_WGT", bytes=W + 1), WGT),
    (matmul(act_addr=S - 4), 0), (matmul(act_addr=S - 3), SPAD),
    (matmul(row_count=0xFFFF, chunk_count=0xFFFF, y_count=0xFFFF, x_count=0xFFFF,
            row_pitch=0xFFFFFF, chunk_pitch=0xFFFFFF, y_pitch=0xFFFFFF, x_pitch=0xFFFFFF), SPAD),
    (matmul(row_count=2, row_pitch=1, chunk_count=2, chunk_pitch=1, y_count=2, y_pitch=1,
            x_count=2, x_pitch=S - 7), 0),
    (matmul(row_count=2, row_pitch=1, chunk_count=2, chunk_pitch=1, y_count=2, y_pitch=1,
            x_count=2, x_pitch=S - 6), SPAD),
    (matmul(depthwise=1, lead=3), 0), (matmul(depthwise=1, lead=4), ErrorCode.BAD_FIELD),
    (matmul(depthwise=1, lead=63), ErrorCode.BAD_FIELD), (matmul(lead=1), ErrorCode.BAD_FIELD),
    (matmul(depthwise=1, lead=3, x_count=2, x_pitch=(S - 4) // 4), 0),
    (matmul(depthwise=1, lead=3, x_count=2, x_pitch=(S - 4) // 4 + 1), SPAD),
    (matmul(depthwise=1, lead=2, x_pitch=0xFFFFFF, x_count=0xFFFF), SPAD),
    (matmul(row_count=4, chunk_count=8), 0), (matmul(row_count=3, chunk_count=11), WGT),
    (matmul(row_count=3, chunk_count=11, hold=1), 0),
    (matmul(row_count=1 << 15, chunk_count=1 << 15, hold=1, wgt_addr=31), 0),
    (matmul(hold=1, wgt_addr=32), WGT), (matmul(wgt_addr=0xFFFF, hold=1), WGT),
    (matmul(x_count=8, y_count=8), 0), (matmul(x_count=8, y_count=8, acc_addr=1), ACC),
    (matmul(x_count=1 << 15, y_count=1 << 15), ACC),
    (drain(x_count=32, y_count=2, acc_pitch=32), 0),
    (drain(x_count=32, y_count=2, acc_pitch=33), ACC),
    (drain(out_addr=S - 4, channels=4), 0), (drain(out_addr=S - 3, channels=4), SPAD),
    (drain(out_addr=S - 16, channels=4, mode=3), 0),
    (drain(out_addr=S - 15, channels=4, mode=3), SPAD),
    (drain(out_addr=S, acc_addr=A), SPAD), (drain(acc_addr=A), ACC),
    (word("TABLE", table_addr=S - 1024, shift=62, multiplier=0x7FFFFFFF, table=1), 0),
    (word("TABLE", table_addr=S - 1023), SPAD), (word("TABLE", table_addr=0xFFFFFF), SPAD),
    (word("TABLE", shift=63), ErrorCode.BAD_FIELD),
    (word("TABLE", multiplier=1 << 31), ErrorCode.BAD_FIELD),
    (rows(op=2, mode=2), 0), (rows(op=3), ErrorCode.BAD_FIELD),
    (rows(mode=3), ErrorCode.BAD_FIELD), (rows(clamp_min=1), ErrorCode.BAD_FIELD),
    (rows(count=0), ErrorCode.BAD_FIELD), (rows(bytes=0), ErrorCode.BAD_FIELD),
    (rows(bytes=S), 0), (rows(bytes=S + 1), SPAD), (rows(a_addr=S), SPAD),
    (rows(a_addr=S, out_addr=S + 1), SPAD), (rows(out_addr=S - 1), 0), (rows(out_addr=S), SPAD),
    (rows(b_addr=S), 0), (rows(b_addr=S, op=1), SPAD), (rows(b_addr=S, op=2), SPAD),
    (rows(b_addr=S, out_addr=S + 7, op=2), SPAD), (rows(b_addr=S - 1, op=1), 0),
    (rows(count=3, a_pitch=(S - 1) // 2, op=1, b_pitch=5, out_pitch=9), 0),
    (rows(count=3, a_pitch=S // 2, op=1, b_pitch=5, out_pitch=9), SPAD),
    (rows(count=3, op=1, b_pitch=S // 2), SPAD), (rows(count=3, b_pitch=S // 2), 0),
    (rows(count=3, out_pitch=S // 2), SPAD),
    (rows(count=0xFFFF, bytes=0xFFFFFF, a_pitch=0xFFFFFF, a_addr=0xFFFFFF), SPAD),
    (rows("SOFTMAX", count=2, bytes=S - 1, a_pitch=1), 0),
    (rows("SOFTMAX", count=2, bytes=S - 1, a_pitch=2), SPAD),
    (rows("SOFTMAX", count=2, bytes=S - 1, out_pitch=2), SPAD),
    (rows("SOFTMAX", bytes=0), ErrorCode.BAD_FIELD),
    (rows("SOFTMAX") | 1 << 18, ErrorCode.RESERVED_BITS),       # MAP's op
    (rows("SOFTMAX") | 1 << 200, ErrorCode.RESERVED_BITS),      # MAP's b_addr
]


@pytest.mark.parametrize("stalls", [False, True])
def test_every_check_at_its_limit(stalls):
    for given, code in CRAFTED:
        want = expected(TINY, given, 0, MEM_BASE, (ALL,))
        assert (want[0] if want else 0) == code, f"the test itself is wrong about {given:064x}"
    seen = check(TINY, [given for given, _ in CRAFTED], stalls=stalls, seed=1)
    assert all(seen[code] for code in (0, 1, 2, 3, 4, 5, 6)), seen


@pytest.mark.parametrize("addr_width", [16, 28, 32])
def test_host_windows(addr_width):
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
                    size = min(size, W)
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


def test_no_product_is_cut_short():
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
    """A word that is often valid, near its limits, or a little wrong."""
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
        elif field.name == "channels" and kind < 0.8:
            value = rng.randrange(1, config.cols + 1)
        values[field.name] = value & top
    result = sum(values[field.name] << field.offset for field in instruction.fields)
    if rng.random() < 0.08:
        result ^= 1 << rng.randrange(256)
    return result


@pytest.mark.parametrize("name", ["tiny", "wide", "tall", "large"])
def test_fuzzed_instructions(name):
    seed = random.randrange(1 << 32)
    rng = random.Random(seed)
    config = preset(name, addr_width=rng.choice((16, 24, 32)))
    windows = [(0x2000, 0x4FFF, 1, 0), (0x4000, 0x8FFF, 0, 1), (0x4000, 0x47FF, 1, 1), NONE]
    cases = [draw(rng, config) for _ in range(400)]
    seen = check(config, cases, windows=windows, mem_base=0x1000, seed=seed,
                 stalls=rng.random() < 0.5)
    assert seen[ErrorCode.NONE] > 20 and sum(seen.values()) == 400, (seed, seen)


def test_fetch_errors_pass_in_order():
    dut = Validator(TINY)
    sim = Simulator(dut)
    sim.add_clock(1e-6)
    add_deadline(sim, 100_000)

    async def bench(ctx):
        ctx.set(dut.o.ready, 1)
        good = word("SYNC_LOAD")
        for index, code in enumerate((0, 0, ErrorCode.BUS_DECERR)):
            ctx.set(dut.i.payload, {"word": good, "index": index, "addr": 0x77, "code": code})
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
            ErrorCode.BUS_DECERR, SEQUENCER, 2, 0x77)

    sim.add_testbench(bench)
    sim.run()


@pytest.mark.parametrize("name", ["SYNC_LOAD", "LOAD", "MATMUL", "DRAIN", "PARAMS", "TABLE", "MAP",
                                  "SOFTMAX"])
def test_cycles_of_a_stream(name):
    given = {"SYNC_LOAD": word("SYNC_LOAD"), "LOAD": copy(), "MATMUL": matmul(), "DRAIN": drain(),
             "PARAMS": word("PARAMS", channels=1, per_channel=1), "TABLE": word("TABLE"),
             "MAP": rows(), "SOFTMAX": rows("SOFTMAX")}[name]
    dut = Validator(TINY)
    sim = Simulator(dut)
    sim.add_clock(1e-6)
    add_deadline(sim, 100_000)

    async def bench(ctx):
        ctx.set(dut.i_windows[0], {"base": 0, "last": 0xFFFFFFFF, "read": 1, "write": 1})
        ctx.set(dut.i.payload, {"word": given, "index": 0, "addr": 0, "code": 0})
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.o.ready, 1)
        cycles, passed = 0, []
        while len(passed) < 10:
            valid, = await sampled(ctx, dut.o.valid)
            cycles += 1
            if valid:
                passed.append(cycles)
        # the first cycle is the one in which the instruction is taken
        assert passed[0] - 1 == {"SYNC_LOAD": 10, "LOAD": 11, "PARAMS": 11, "DRAIN": 12,
                                 "TABLE": 10, "MAP": 12, "SOFTMAX": 11, "MATMUL": dut.LATENCY}[name]
        assert {b - a for a, b in zip(passed, passed[1:])} == {dut.CYCLES}

    sim.add_testbench(bench)
    sim.run()
