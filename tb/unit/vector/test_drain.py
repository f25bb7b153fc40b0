"""The reading side of DRAIN: rows in order, steps without gaps, never more than the queue holds."""

import random

import pytest
from amaranth.sim import Simulator

from weft.spec.isa import Mode, decode, encode
from weft.spec.presets import preset
from weft.vector.drain import DrainReader

ROOM = 32


def run(config, program, *, latency=4, stall=0.0, hold=0.0, seed=0):
    """The steps of ``program`` as ``(cycle, slot, raw, place, accumulators)``.

    The queue gives an entry away with chance ``1 - hold`` a cycle.
    """
    dut = DrainReader(config, room=ROOM)
    rng = random.Random(seed)
    steps = []
    lanes = config.vector_lanes

    def row_data(row):
        return [1000 * row + c for c in range(config.cols)]

    async def issue(ctx):
        for number, raw in enumerate(program):
            while not ctx.get(dut.o_ready):
                await ctx.tick()
            ctx.set(dut.i_instruction, int.from_bytes(raw, "little"))
            ctx.set(dut.i_slot, number & 1)
            ctx.set(dut.i_start, 1)
            await ctx.tick()
            ctx.set(dut.i_start, 0)
        while not ctx.get(dut.o_ready):
            await ctx.tick()
        await ctx.tick().repeat(config.cols + 5)

    async def memory(ctx):
        pipe = [None] * (latency - 1)
        async for _, _, valid, ready, row in ctx.tick().sample(
                dut.acc.req.valid, dut.acc.req.ready, dut.acc.req.payload):
            pipe.append(row if valid and ready else None)
            row = pipe.pop(0)
            ctx.set(dut.acc.valid, row is not None)
            ctx.set(dut.acc.data, [-1] * config.cols if row is None else row_data(row))
            ctx.set(dut.acc.req.ready, rng.random() >= stall)

    async def queue(ctx):
        held, cycle, before = [], 0, None
        async for _, _, step, acc, free in ctx.tick().sample(dut.o_step, dut.o_acc, dut.i_free):
            cycle += 1
            assert cycle < 20000, f"the reader hangs, seed {seed}"
            if before is not None:
                steps.append((*before, list(acc)))
            before = (cycle, step.slot, step.raw, step.channel) if step.valid else None
            held = held[free:] + [step.raw] * step.valid
            assert len(held) <= ROOM, "more steps than the queue has room for"
            assert len(set(held)) <= 1, "steps of both kinds in the queue"
            ctx.set(dut.i_free, len(held) > 0 and rng.random() >= hold)

    sim = Simulator(dut)
    sim.add_clock(1e-8)
    sim.add_testbench(issue)
    sim.add_process(memory)
    sim.add_process(queue)
    sim.run()
    expected = []
    for number, (mode, channels, rows) in enumerate(program_rows(config, program)):
        size = 1 if mode == Mode.RAW else lanes
        for row, place in rows:
            for channel in range(0, channels, size):
                first = channel // lanes * lanes
                expected.append((number & 1, mode == Mode.RAW, place + channel,
                                 row_data(row)[first:first + lanes]))
    assert [step[1:] for step in steps] == expected, seed
    return steps


def program_rows(config, program):
    """``(mode, channels, [(accumulator row, place of its parameters)])`` of each DRAIN."""
    for raw in program:
        _, f = decode(raw)
        yield f["mode"], f["channels"], [
            (f["acc_addr"] + y * f["acc_pitch"] + x,
             f["channel"] + f["apart"] * y * config.cols)
            for y in range(f["y_count"]) for x in range(f["x_count"])]


def drains(rng, config, count):
    places = config.param_channels // config.cols
    for _ in range(count):
        place, apart = rng.randrange(places), rng.randint(0, 1)
        yield encode("DRAIN", mode=rng.choice((0, 1, 3)), channels=rng.randint(1, config.cols),
                     channel=place * config.cols, apart=apart,
                     acc_addr=rng.randint(0, 20), acc_pitch=rng.randint(0, 9),
                     y_count=rng.randint(1, min(places - place, 6) if apart else 4),
                     x_count=rng.randint(1, 6))


@pytest.mark.parametrize("config", (
    preset("tiny"), preset("icebreaker"), preset("wide"), preset("small"),
    preset("wide", vector_lanes=1)), ids=lambda c: f"{c.cols}x{c.vector_lanes}")
@pytest.mark.parametrize("stall, hold", ((0.0, 0.0), (0.5, 0.0), (0.0, 0.6), (0.5, 0.9)))
def test_steps_are_those_of_the_rows_in_order(config, stall, hold):
    seed = f"{config.cols}/{config.vector_lanes}/{stall}/{hold}"
    rng = random.Random(seed)
    run(config, list(drains(rng, config, 8)), latency=rng.randint(1, 8), stall=stall, hold=hold,
        seed=seed)


@pytest.mark.parametrize("mode", (Mode.TFL2, Mode.RAW))
@pytest.mark.parametrize("channels", (1, 4, 5, 8))
def test_steps_follow_each_other_without_a_gap(mode, channels):
    steps = run(preset("small"), [encode(
        "DRAIN", mode=mode, channels=channels, acc_pitch=2, y_count=10, x_count=3)])
    cycles = [step[0] for step in steps]
    assert cycles == list(range(cycles[0], cycles[0] + len(cycles)))
