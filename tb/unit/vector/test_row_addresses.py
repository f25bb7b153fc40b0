"""The addresses of MAP and SOFTMAX: every read in its order, whoever stalls."""

import random

import pytest
from amaranth.sim import Simulator

from support.bench import add_deadline
from support.seeds import seed
from weft.spec.isa import encode
from weft.spec.presets import preset
from weft.vector.row_addresses import RowWalk


def reads(f, lanes, size, *, passes=1):
    """What is read: (address, whole, last, end), from the sentence in the instruction table."""
    found = []
    steps = -(-f["bytes"] // lanes)
    for row in range(f["count"]):
        for number in range(passes):
            for step in range(steps):
                for which in "ab"[:1 + (f.get("op", 0) > 0)]:
                    addr = f[f"{which}_addr"] + row * f[f"{which}_pitch"] + step * lanes
                    found.append([addr % size, which == "b" or not f.get("op"), 0, 0])
            ends = row == f["count"] - 1 and number == passes - 1
            found[-1][2:] = passes > 1 or ends, ends
    return [tuple(int(value) for value in entry) for entry in found]


def walk(config, program, *, stall, seed):
    """Walks each of ``(name, fields)``; returns what came out, and in how many cycles."""
    dut = RowWalk(config)
    rng = random.Random(f"walk/{seed}")
    taken, cycles = [], []

    async def bench(ctx):
        for name, fields in program:
            passes = 3 if name == "SOFTMAX" else 1
            expected = reads(fields, config.vector_lanes, config.spad_bytes, passes=passes)
            ctx.set(dut.i_instruction, int.from_bytes(encode(name, **fields), "little"))
            ctx.set(dut.i_start, 1)
            ctx.set(dut.o.ready, 0)
            await ctx.tick()
            ctx.set(dut.i_start, 0)
            ctx.set(dut.i_instruction, rng.getrandbits(256))
            ctx.set(dut.i_pause, passes > 1)
            number, found, count = 0, [], 0
            held = None
            while len(found) < len(expected):
                ctx.set(dut.i_again, number % passes < passes - 1)
                ctx.set(dut.o.ready, rng.random() >= stall)
                _, _, valid, ready, place = await ctx.tick().sample(
                    dut.o.valid, dut.o.ready, dut.o.payload)
                count += 1
                assert valid, f"seed {seed}: a gap after {len(found)} reads"
                place = place.addr, place.whole, place.last, place.end
                assert held is None or held == place, "the read changed while it waited"
                held = None if ready else place
                if ready:
                    found.append(place)
                    if place[2]:
                        assert not ctx.get(dut.o.valid), "no pause"
                        number += 1
                        await ctx.tick().repeat(rng.randint(1, 3))
                        if not place[3]:
                            ctx.set(dut.i_next, 1)
                            await ctx.tick()
                            ctx.set(dut.i_next, 0)
            assert found == expected, f"seed {seed}: {name} {fields}"
            taken.append(found)
            cycles.append(count)

    sim = Simulator(dut)
    sim.add_clock(1e-8)
    add_deadline(sim, 20_000)
    sim.add_testbench(bench)
    sim.run()
    return taken, cycles


def fields(rng, config, *, two):
    lanes = config.vector_lanes
    found = dict(count=rng.choice((1, 2, rng.randint(1, 5))),
                 bytes=rng.choice((1, lanes, lanes + 1, 2 * lanes, rng.randint(1, 6 * lanes))))
    for which in "ab"[:1 + two]:
        found |= {f"{which}_addr": rng.randrange(config.spad_bytes),
                  f"{which}_pitch": rng.choice((0, 1, rng.randrange(config.spad_bytes)))}
    return found


@pytest.mark.parametrize("name", ("tiny", "icebreaker", "wide"))
@pytest.mark.parametrize("stall", (0.0, 0.5))
def test_every_read_in_order(name, stall):
    config = preset(name)
    run_seed = seed()
    rng = random.Random(run_seed)
    program = []
    for _ in range(25):
        op = rng.randint(0, 2)
        if rng.random() < 0.3:
            program.append(("SOFTMAX", fields(rng, config, two=False)))
        else:
            program.append(("MAP", dict(op=op) | fields(rng, config, two=op > 0)))
    taken, cycles = walk(config, program, stall=stall, seed=run_seed)
    if stall == 0.0:
        assert cycles == [len(found) for found in taken], f"seed {run_seed}: a cycle without a read"


def test_a_row_of_the_whole_scratchpad():
    config = preset("tiny", spad_bytes=256)
    (found,), _ = walk(config, [("MAP", dict(count=1, bytes=256, a_addr=0, a_pitch=0))],
                       stall=0.0, seed=0)
    assert [addr for addr, *_ in found] == list(range(0, 256, 2))
