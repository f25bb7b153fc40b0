"""LOAD_RING compared with a byte model: order, wrap-around, a full ring, faults, reset, clear."""

import pytest

from support.dma_bench import bus_config, check_memories, expected
from support.load_ring_bench import LoadRingBench, ring_contents
from weft.bus.axi4 import RESP_SLVERR
from weft.spec import isa
from weft.spec.config import Config
from weft.spec.presets import preset

BASE = 0x2000_0000
TINY = preset("tiny", fixed_point=True)
CONFIGS = [
    TINY, bus_config(256, max_burst=4, fixed_point=True), preset("wide", fixed_point=True),
    Config(name="two tiles", rows=8, cols=8, wgt_bytes=128, tile_lines=2, bus_width=32,
           max_burst=8, fixed_point=True),
]
each_config = pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.name)


def ring_load(tiles, host, *, config, count=1, pitch=0):
    return isa.encode("LOAD_RING", count=count, bytes=tiles * config.tile_bytes,
                      host_addr=BASE + host, host_pitch=pitch)


def random_program(bench, total):
    """Return random LOAD_RINGs of ``total`` tiles or more, between other copies."""
    draw, config = bench.random, bench.config
    tile = config.tile_bytes
    program, tiles = [], 0
    while tiles < total:
        choice = draw.random()
        if choice < 0.2:
            program.append(isa.encode("SYNC_LOAD"))
        elif choice < 0.4:
            program.append(isa.encode("LOAD", count=2, bytes=draw.randint(1, 40),
                                      host_addr=BASE + draw.randrange(4096), host_pitch=50,
                                      local_addr=draw.randrange(64), local_pitch=60))
        else:
            size = draw.choice((1, 1, 2, 3, draw.randint(1, min(9, config.wgt_tiles))))
            count = draw.choice((1, 1, 2, draw.randint(1, 5)))
            room = len(bench.host.data) - size * tile
            pitch = draw.randint(0, min(400, room // count))
            host = draw.choice((0, 1, draw.randrange(4096), room - (count - 1) * pitch))
            program.append(ring_load(size, host, count=count, pitch=pitch, config=config))
            tiles += size * count
    return program


def copies_of(program):
    """Return the instructions other than LOAD_RING."""
    return [raw for raw in program if isa.decode(raw)[0].name != "LOAD_RING"]


def run(bench, program, **parameters):
    """Execute ``program``; check the number of tiles and all memories but the weight buffer."""
    bench.contents = ring_contents(program, bench.host.data, BASE)
    host, spad, _ = expected(bench, copies_of(program))
    result = bench.run(program, **parameters)
    assert result.error is None and result.done == len(program), f"{result}; seed {bench.seed}"
    assert bench.reported == len(bench.contents) // bench.config.tile_bytes
    check_memories(bench, (host, spad, bench.wgt.data))


@each_config
@pytest.mark.parametrize("stall, release", [(0, 1), (0, 0.02), (0.3, 0.3), (0.6, 1)])
def test_rows_enter_the_ring_in_order_and_wrap_around(config, stall, release):
    bench = LoadRingBench(config, stall=stall, release=release, base=BASE)
    run(bench, random_program(bench, 4 * config.wgt_tiles))


@each_config
def test_a_full_ring_leaves_the_bus_idle(config):
    """LOAD requests no beat that has no space, and goes on when tiles are released."""
    bench = LoadRingBench(config, release=0, base=BASE, stall=0.2)
    size, count = min(config.wgt_tiles, 8), 3 * config.wgt_tiles // min(config.wgt_tiles, 8)
    program = [ring_load(size, 5, count=count, pitch=size * config.tile_bytes + 3, config=config)]
    full = []

    async def start_after_a_while(ctx):
        quiet = 0
        async for _, _, idle in ctx.tick().sample(bench.dut.o_idle):
            quiet = quiet + 1 if idle and bench.reported else 0
            if quiet == 100:
                full.append(bench.reported)
                bench.release = 1

    bench.processes.append(start_after_a_while)
    run(bench, program)
    longest = config.max_burst * config.bus_bytes
    least = (config.wgt_bytes - longest + 1) // config.tile_bytes
    assert full and least <= full[0] <= config.wgt_tiles


@pytest.mark.parametrize("stall", [0, 0.4])
@pytest.mark.parametrize("beat", [0, 1, 3, 4, 7, 50, 127, 128, 200])
def test_tiles_of_a_beat_with_an_error_are_not_reported(beat, stall):
    bench = LoadRingBench(TINY, stall=stall, base=BASE, seed=beat)
    program = [ring_load(2, 0x1000, config=TINY), ring_load(32, 0, count=2, pitch=512, config=TINY),
               ring_load(1, 0x1000, config=TINY)]
    bench.contents = ring_contents(program, bench.host.data, BASE)
    before = bytes(bench.wgt.data)
    bench.host.errors = {BASE + 4 * beat: RESP_SLVERR}
    result = bench.run(program)
    assert result.error == (isa.ErrorCode.BUS_SLVERR, BASE + 4 * beat)
    assert result.done == 1
    good = 32 + 4 * beat
    assert bench.reported == good // TINY.tile_bytes
    written = max(0, good - TINY.wgt_bytes)     # bytes in the second round
    after = bench.contents[TINY.wgt_bytes:good] + bench.contents[written:good][
        :TINY.wgt_bytes - written] + before[good:]
    assert bench.wgt.data == after[:TINY.wgt_bytes]


@pytest.mark.parametrize("halt_after", [1, 9, 25, 40, 77, 150])
def test_a_reset_empties_the_ring(halt_after):
    bench = LoadRingBench(TINY, stall=0.2, release=0.2, base=BASE, seed=halt_after)
    program = random_program(bench, 60)

    def restart():
        bench.reported = bench.released = 0

    run(bench, program, halt_after=halt_after, before_second=restart)


def test_after_a_clear_the_ring_begins_at_address_0():
    bench = LoadRingBench(TINY, release=0.5, base=BASE)
    program = random_program(bench, 50)
    bench.contents = ring_contents(program, bench.host.data, BASE)
    run_once = bench._execute

    async def run_twice(ctx, instructions, *rest):
        await run_once(ctx, instructions, *rest)
        while bench.released < bench.reported:
            await ctx.tick()
        await ctx.tick().repeat(2)      # the release of the last tile
        ctx.set(bench.dut.i_ring_clear, 1)
        await ctx.tick()
        ctx.set(bench.dut.i_ring_clear, 0)
        bench.reported = bench.released = 0
        bench.random.shuffle(instructions)
        bench.contents = ring_contents(instructions, bench.host.data, BASE)
        return await run_once(ctx, instructions, *rest)

    bench._execute = run_twice
    result = bench.run(program)
    assert result.done == len(program)
    assert bench.reported == len(bench.contents) // TINY.tile_bytes
    assert len(bench.contents) % TINY.wgt_bytes     # the pointer was not at 0 before the clear
