"""Reader of DRAIN: rows in order, steps without gaps, and space in the queue for every step."""

import random

import pytest
from amaranth.sim import Simulator

from support.seeds import seed
from weft.spec.isa import Mode, decode, encode
from weft.spec.presets import preset
from weft.vector.drain import DrainReader

QUEUE_DEPTH = 32


def run(config, program, *, latency=4, stall=0.0, queue_stall=0.0, rng=None):
    """Return the steps of ``program`` as ``(cycle, settings, raw, slot, accumulators)``.

    The output queue frees an entry with probability ``1 - queue_stall`` in each cycle.
    """
    dut = DrainReader(config, queue_depth=QUEUE_DEPTH)
    rng = rng or random.Random(seed())
    steps = []
    lanes = config.vector_lanes

    def row_data(row):
        return [1000 * row + c for c in range(config.cols)]

    async def issue(ctx):
        for number, raw in enumerate(program):
            while not ctx.get(dut.o_ready):
                await ctx.tick()
            ctx.set(dut.i_instruction, int.from_bytes(raw, "little"))
            ctx.set(dut.i_settings, number & 1)
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
        kinds, cycle, previous = [], 0, None
        async for _, _, step, acc, freed in ctx.tick().sample(dut.o_step, dut.o_acc, dut.i_freed):
            cycle += 1
            assert cycle < 20000, "the reader hangs"
            if previous is not None:
                steps.append((*previous, list(acc)))
            previous = (cycle, step.settings, step.raw, step.channel) if step.valid else None
            kinds = kinds[freed:] + [step.raw] * step.valid
            assert len(kinds) <= QUEUE_DEPTH, "more steps than free entries in the queue"
            assert len(set(kinds)) <= 1, "steps of both kinds in the queue"
            ctx.set(dut.i_freed, len(kinds) > 0 and rng.random() >= queue_stall)

    sim = Simulator(dut)
    sim.add_clock(1e-8)
    sim.add_testbench(issue)
    sim.add_process(memory)
    sim.add_process(queue)
    sim.run()
    expected = []
    for number, (mode, channels, rows) in enumerate(program_rows(config, program)):
        size = 1 if mode == Mode.RAW else lanes
        for row, slot in rows:
            for channel in range(0, channels, size):
                first = channel // lanes * lanes
                expected.append((number & 1, mode == Mode.RAW, slot + channel,
                                 row_data(row)[first:first + lanes]))
    assert [step[1:] for step in steps] == expected
    return steps


def program_rows(config, program):
    """Yield ``(mode, channels, [(accumulator row, first parameter slot)])`` of each DRAIN."""
    for raw in program:
        _, f = decode(raw)
        yield f["mode"], f["channels"], [
            (f["acc_addr"] + y * f["acc_pitch"] + x,
             f["channel"] + f["apart"] * y * config.cols)
            for y in range(f["y_count"]) for x in range(f["x_count"])]


def drains(rng, config, count):
    """Yield ``count`` random DRAIN instructions."""
    groups = config.param_channels // config.cols
    for _ in range(count):
        group, apart = rng.randrange(groups), rng.randint(0, 1)
        y_count = rng.randint(1, min(groups - group, 6) if apart else 4)
        x_count, acc_pitch = rng.randint(1, 6), rng.randint(0, 9)
        reach = (y_count - 1) * acc_pitch + x_count
        yield encode("DRAIN", mode=rng.choice((0, 1, 3)), channels=rng.randint(1, config.cols),
                     channel=group * config.cols, apart=apart, acc_pitch=acc_pitch,
                     acc_addr=rng.randint(0, config.acc_rows - reach),
                     y_count=y_count, x_count=x_count)


@pytest.mark.parametrize("config", (
    preset("tiny"), preset("icebreaker"), preset("wide"), preset("small"),
    preset("wide", vector_lanes=1)), ids=lambda c: f"{c.cols}x{c.vector_lanes}")
@pytest.mark.parametrize("stall, queue_stall", ((0.0, 0.0), (0.5, 0.0), (0.0, 0.6), (0.5, 0.9)))
def test_sends_the_steps_of_all_rows_in_order(config, stall, queue_stall):
    rng = random.Random(f"{seed()}/{config.cols}/{config.vector_lanes}/{stall}/{queue_stall}")
    run(config, list(drains(rng, config, 8)), latency=rng.randint(1, 8), stall=stall,
        queue_stall=queue_stall, rng=rng)


@pytest.mark.parametrize("mode", (Mode.TFL2, Mode.RAW))
@pytest.mark.parametrize("channels", (1, 4, 5, 8))
def test_steps_follow_each_other_without_a_gap(mode, channels):
    steps = run(preset("small"), [encode(
        "DRAIN", mode=mode, channels=channels, acc_pitch=2, y_count=10, x_count=3)])
    cycles = [step[0] for step in steps]
    assert cycles == list(range(cycles[0], cycles[0] + len(cycles)))
