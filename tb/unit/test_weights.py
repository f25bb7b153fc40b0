import pytest

from support.byte_memory import Traffic
from weft.presets import preset
from weft.sram.weights import WeightBuffer

SHAPES = [
    preset("tiny", wgt_bytes=128),
    preset("tiny", wgt_bytes=256, bus_width=256),
    preset("tiny", cols=2, vector_lanes=1, wgt_bytes=64),
    preset("wide", wgt_bytes=256),
    preset("tall", wgt_bytes=256),
]


@pytest.mark.parametrize("config", SHAPES, ids=lambda config: config.name)
def test_lines_agree_with_a_byte_array_and_nobody_waits(config):
    dut = WeightBuffer(config)
    traffic = Traffic(dut, seed=f"lines/{config.name}")
    traffic.run(600)
    assert traffic.together[2] == 600
    assert len(dut.matmul.req.payload) == dut.line_width
    assert 1 << dut.line_width == config.wgt_bytes // config.cols


def test_stalls_change_nothing():
    traffic = Traffic(WeightBuffer(SHAPES[1]), seed="stalls",
                      stalls={"matmul": "heavy", "load": "bursts"})
    traffic.run(600)
    assert traffic.made["matmul"] > 60


def test_writes_at_every_address_leave_the_bytes_around_alone():
    dut = WeightBuffer(SHAPES[3])
    count = iter(range(10**6))

    def pick(name, rng):
        if name == "load":
            return next(count) % dut.size
        # the lines around what was just written
        return rng.randrange(dut.size // SHAPES[3].cols)

    def one_byte(width, rng):
        return 1 << rng.randrange(width)
    Traffic(dut, seed="edges", pick=pick, mask=one_byte).run(600)


@pytest.mark.parametrize("config", SHAPES[:2], ids=lambda config: config.name)
def test_clear_zeroes_every_byte_and_nothing_later(config):
    dut = WeightBuffer(config)
    Traffic(dut, seed=f"clear/{config.name}").run(dut.depth + 400, clear_at=(100,))
