"""Weight buffer compared with a byte array: lines, writes at odd addresses, groups of lanes."""

import pytest
from amaranth.sim import Simulator

from support.byte_memory import Traffic
from weft.spec.presets import preset
from weft.sram.banked import BankedMemory
from weft.sram.ports import PortShape
from weft.sram.weights import WeightBuffer

SHAPES = [
    preset("tiny", wgt_bytes=128),
    preset("tiny", wgt_bytes=256, bus_width=256),
    preset("tiny", cols=2, vector_lanes=1, wgt_bytes=64),
    preset("wide", wgt_bytes=256),
    preset("tall", wgt_bytes=256),
]


@pytest.mark.parametrize("config", SHAPES, ids=lambda config: config.name)
def test_lines_agree_with_a_byte_array_without_a_stall(config):
    dut = WeightBuffer(config)

    def pick(name, rng):
        return (rng.randrange(0, dut.size, 2) if name == "load"
                else rng.randrange(1 << dut.line_width))
    traffic = Traffic(dut, f"lines/{config.name}", pick=pick)
    traffic.run(600)
    assert traffic.together[2] == 600
    assert len(dut.matmul.req.payload) == dut.line_width
    assert 1 << dut.line_width == config.wgt_bytes // config.cols


@pytest.mark.parametrize("config", SHAPES, ids=lambda config: config.name)
def test_a_beat_as_wide_as_the_buffer_takes_two_cycles_at_an_odd_address(config):
    dut = WeightBuffer(config)
    traffic = Traffic(dut, f"odd/{config.name}")
    traffic.run(600)
    assert traffic.longest_wait["load"] == (config.bus_bytes == dut.width)
    assert not traffic.longest_wait["matmul"] and traffic.granted["matmul"] == 600


@pytest.mark.parametrize("wgt_bytes, group", [(16384, 2), (32768, 1)])
def test_two_lanes_share_a_block_ram_if_they_fit(wgt_bytes, group):
    assert WeightBuffer(preset("ulx3s", wgt_bytes=wgt_bytes)).group == group


def test_rejects_reads_at_odd_addresses_with_groups_of_two_lanes():
    with pytest.raises(ValueError, match="^step of port a must be a multiple of the 2 lanes of a "
                                         "group, not 1$"):
        BankedMemory(size=64, width=4, banks=1, reads={"a": PortShape(4)},
                     writes={"b": PortShape(4)}, group=2)
    with pytest.raises(ValueError, match="^group must be 1 or 2, not 4$"):
        BankedMemory(size=64, width=4, banks=1, reads={}, writes={"b": PortShape(4)}, group=4)


def test_idle_cycles_between_requests_do_not_change_the_data():
    traffic = Traffic(WeightBuffer(SHAPES[1]), "stalls",
                      stalls={"matmul": "heavy", "load": "bursts"})
    traffic.run(600)
    assert traffic.granted["matmul"] > 60


def test_a_write_at_any_address_changes_no_other_byte():
    dut = WeightBuffer(SHAPES[3])
    count = iter(range(10**6))

    def pick(name, rng):
        if name == "load":
            return next(count) % dut.size
        # lines anywhere, among them those around the bytes just written
        return rng.randrange(dut.size // SHAPES[3].cols)

    def one_byte(width, rng):
        return 1 << rng.randrange(width)
    Traffic(dut, "edges", pick=pick, mask=one_byte).run(600)


@pytest.mark.parametrize("config", SHAPES[:2], ids=lambda config: config.name)
def test_clear_zeroes_every_byte_and_no_later_write(config):
    dut = WeightBuffer(config)
    Traffic(dut, f"clear/{config.name}").run(dut.depth + 400, clear_at=(100,))


def test_flush_discards_the_first_part_of_a_write():
    dut = WeightBuffer(SHAPES[0])
    width = dut.width
    read = []

    async def bench(ctx):
        def write(byte):
            ctx.set(dut.load.req.payload, {"addr": 5, "mask": (1 << width) - 1,
                                           "data": [byte] * width, "last": 1})
            ctx.set(dut.load.req.valid, 1)

        write(1)
        _, _, ready = await ctx.tick().sample(dut.load.req.ready)
        assert not ready
        ctx.set(dut.load.req.valid, 0)
        ctx.set(dut.i_flush, 1)
        await ctx.tick()
        ctx.set(dut.i_flush, 0)
        write(2)
        await ctx.tick().until(dut.load.req.ready)
        ctx.set(dut.load.req.valid, 0)
        for line in (1, 2):
            ctx.set(dut.matmul.req.payload, line)
            ctx.set(dut.matmul.req.valid, 1)
            await ctx.tick().until(dut.matmul.req.ready)
            ctx.set(dut.matmul.req.valid, 0)
            data, = await ctx.tick().sample(dut.matmul.data).until(dut.matmul.valid)
            read.extend(data)
    simulator = Simulator(dut)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert read == [0, 2, 2, 2, 2, 0, 0, 0]
