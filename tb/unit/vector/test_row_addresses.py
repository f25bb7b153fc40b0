"""Address generator of MAP and SOFTMAX: every read in order, with and without stalls."""

import random

import pytest
from amaranth.sim import Simulator

from support.bench import add_deadline
from support.seeds import seed
from weft.spec.integers import ceil_div
from weft.spec.isa import encode
from weft.spec.presets import preset
from weft.vector.row_addresses import RowAddressGenerator


def reads(f, lanes, size, *, readings=1):
    """Return the expected (address, ends_step, ends_reading, ends_all) of every read."""
    result = []
    for row in range(f["count"]):
        for number in range(readings):
            for step in range(ceil_div(f["bytes"], lanes)):
                for operand in "ab"[:1 + (f.get("op", 0) > 0)]:
                    addr = f[f"{operand}_addr"] + row * f[f"{operand}_pitch"] + step * lanes
                    result.append([addr % size, operand == "b" or not f.get("op"), 0, 0])
            ends_all = row == f["count"] - 1 and number == readings - 1
            result[-1][2:] = readings > 1 or ends_all, ends_all
    return [tuple(int(value) for value in read) for read in result]


def generate(config, program, *, stall, seed):
    """Return the reads of each of ``(name, fields)``, and the cycles of each."""
    dut = RowAddressGenerator(config)
    rng = random.Random(f"addresses/{seed}")
    results, cycles = [], []

    async def bench(ctx):
        for name, fields in program:
            readings = 3 if name == "SOFTMAX" else 1
            expected = reads(
                fields, config.vector_lanes, config.spad_bytes, readings=readings)
            ctx.set(dut.i_instruction, int.from_bytes(encode(name, **fields), "little"))
            ctx.set(dut.i_start, 1)
            ctx.set(dut.o.ready, 0)
            await ctx.tick()
            ctx.set(dut.i_start, 0)
            ctx.set(dut.i_instruction, rng.getrandbits(256))
            ctx.set(dut.i_pause, readings > 1)
            number, actual, count = 0, [], 0
            stalled = None
            while len(actual) < len(expected):
                ctx.set(dut.i_repeat, number % readings < readings - 1)
                ctx.set(dut.o.ready, rng.random() >= stall)
                _, _, valid, ready, read = await ctx.tick().sample(
                    dut.o.valid, dut.o.ready, dut.o.payload)
                count += 1
                assert valid, f"seed {seed}: a gap after {len(actual)} reads"
                read = read.addr, read.ends_step, read.ends_reading, read.ends_all
                assert stalled is None or stalled == read, "the read changed while it was stalled"
                stalled = None if ready else read
                if ready:
                    actual.append(read)
                    _, _, ends_reading, ends_all = read
                    if ends_reading:
                        assert not ctx.get(dut.o.valid), "no pause"
                        number += 1
                        await ctx.tick().repeat(rng.randint(1, 3))
                        if not ends_all:
                            ctx.set(dut.i_next, 1)
                            await ctx.tick()
                            ctx.set(dut.i_next, 0)
            assert actual == expected, f"seed {seed}: {name} {fields}"
            results.append(actual)
            cycles.append(count)

    sim = Simulator(dut)
    sim.add_clock(1e-8)
    add_deadline(sim, 20_000)
    sim.add_testbench(bench)
    sim.run()
    return results, cycles


def random_fields(rng, config, *, two):
    """Return random fields of a MAP or SOFTMAX with one or two operands."""
    lanes = config.vector_lanes
    fields = dict(count=rng.choice((1, 2, rng.randint(1, 5))),
                  bytes=rng.choice((1, lanes, lanes + 1, 2 * lanes, rng.randint(1, 6 * lanes))))
    for operand in "ab"[:1 + two]:
        fields |= {f"{operand}_addr": rng.randrange(config.spad_bytes),
                   f"{operand}_pitch": rng.choice((0, 1, rng.randrange(config.spad_bytes)))}
    return fields


@pytest.mark.parametrize("name", ("tiny", "icebreaker", "wide"))
@pytest.mark.parametrize("stall", (0.0, 0.5))
def test_generates_every_read_in_order(name, stall):
    config = preset(name)
    run_seed = seed()
    rng = random.Random(run_seed)
    program = []
    for _ in range(25):
        op = rng.randint(0, 2)
        if rng.random() < 0.3:
            program.append(("SOFTMAX", random_fields(rng, config, two=False)))
        else:
            program.append(("MAP", dict(op=op) | random_fields(rng, config, two=op > 0)))
    results, cycles = generate(config, program, stall=stall, seed=run_seed)
    if stall == 0.0:
        assert cycles == [len(result) for result in results], \
            f"seed {run_seed}: a cycle without a read"


def test_a_row_as_large_as_the_scratchpad():
    config = preset("tiny", spad_bytes=256)
    (result,), _ = generate(config, [("MAP", dict(count=1, bytes=256, a_addr=0, a_pitch=0))],
                            stall=0.0, seed=0)
    assert [addr for addr, *_ in result] == list(range(0, 256, 2))
