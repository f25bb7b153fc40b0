import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import connect, flipped

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


class Buffer(wiring.Component):
    """A weight buffer whose reader has the handshake that :class:`Traffic` drives."""

    READ_LATENCY = WeightBuffer.READ_LATENCY

    def __init__(self, config):
        self.buffer = WeightBuffer(config)
        inner = self.buffer.memory
        self.size, self.width, self.banks = inner.size, inner.width, inner.banks
        self.depth, self.reads, self.writes = inner.depth, inner.reads, inner.writes
        super().__init__(inner.signature)

    def elaborate(self, platform):
        m = Module()
        m.submodules.buffer = buffer = self.buffer
        connect(m, flipped(self.load), buffer.load)
        m.d.comb += [
            # what asks while the memory is cleared gets no answer: ask later
            self.matmul.req.ready.eq(~self.o_clearing),
            buffer.matmul.en.eq(self.matmul.req.valid),
            buffer.matmul.line.eq(self.matmul.req.payload),
            self.matmul.valid.eq(buffer.matmul.valid),
            self.matmul.data.eq(buffer.matmul.data),
            self.o_conflict_matmul.eq(self.matmul.req.valid & ~self.matmul.req.ready),
            self.o_conflict_load.eq(self.load.req.valid & ~self.load.req.ready),
            buffer.i_clear.eq(self.i_clear),
            self.o_clearing.eq(buffer.o_clearing),
        ]
        return m


@pytest.mark.parametrize("config", SHAPES, ids=lambda config: config.name)
def test_lines_agree_with_a_byte_array_and_nobody_waits(config):
    dut = Buffer(config)
    traffic = Traffic(dut, seed=f"lines/{config.name}")
    traffic.run(600)
    assert traffic.together[2] == 600
    assert len(dut.buffer.matmul.line) == dut.buffer.line_width
    assert 1 << dut.buffer.line_width == config.wgt_bytes // config.cols


def test_stalls_change_nothing():
    traffic = Traffic(Buffer(SHAPES[1]), seed="stalls",
                      stalls={"matmul": "heavy", "load": "bursts"})
    traffic.run(600)
    assert traffic.accepted["matmul"] > 60


def test_writes_at_every_address_leave_the_bytes_around_alone():
    dut = Buffer(SHAPES[3])
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
    dut = Buffer(config)
    Traffic(dut, seed=f"clear/{config.name}").run(dut.depth + 400, clear_at=(100,))
