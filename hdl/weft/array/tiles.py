"""Requests the weight lines of one tile after another, one tile ahead of the vectors."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..control.layout import instruction_layout
from ..control.unit import INSTRUCTION_SHAPE

__all__ = ["TileLoader"]


class TileLoader(wiring.Component):
    """Walks through the tiles of MATMUL instructions.

    The lines of a tile are requested in ``rows`` consecutive cycles, which begin in the cycle
    after the array's shadow registers became free: after the swap of the tile before.

    Parameters
    ----------
    config : :class:`Config`

    Members
    -------
    i : :py:`In(stream.Signature(256))`
        A validated MATMUL; taken when the last tile of the one before is on its way.
    i_swap : :py:`In(1)`
        The first vector of the loaded tile was requested in this cycle.
    o_ready : :py:`Out(1)`
        The first vector of the next tile may be requested in this cycle.
    o_en, o_line : :py:`Out(1)`, :py:`Out(line_width)`
        Request for a line of the weight buffer.
    """

    def __init__(self, config):
        self.config = config
        self.line_width = (config.wgt_bytes // config.cols - 1).bit_length()
        super().__init__({
            "i": In(stream.Signature(INSTRUCTION_SHAPE)),
            "i_swap": In(1),
            "o_ready": Out(1),
            "o_en": Out(1),
            "o_line": Out(self.line_width),
        })

    def elaborate(self, platform):
        m = Module()
        rows = self.config.rows
        fields = data.View(instruction_layout("MATMUL"), self.i.payload)

        # tiles of the current instruction whose load has not begun: (kernel rows, chunks) left
        pending = Signal()
        hold = Signal()
        next_tile = Signal(self.line_width)
        chunk_count = Signal(16)
        chunks_left = Signal(16)
        rows_left = Signal(16)
        m.d.comb += self.i.ready.eq(~pending)
        with m.If(~pending):
            # without a look at valid, which comes late
            m.d.sync += [
                pending.eq(self.i.valid),
                hold.eq(fields.hold),
                next_tile.eq(fields.wgt_addr << (rows - 1).bit_length()),
                chunk_count.eq(fields.chunk_count),
                chunks_left.eq(fields.chunk_count),
                rows_left.eq(fields.row_count),
            ]

        loading = Signal()
        full = Signal()
        step = Signal(range(rows))
        line = Signal(self.line_width)
        last_step = step == rows - 1
        finish = loading & last_step
        m.d.comb += [
            self.o_en.eq(loading),
            self.o_line.eq(line),
            self.o_ready.eq(full | finish),
        ]
        free = self.i_swap | (~full & ~loading)
        with m.If(loading):
            m.d.sync += [step.eq(step + 1), line.eq(line + 1)]
            with m.If(last_step):
                m.d.sync += [step.eq(0), loading.eq(0), full.eq(1)]
        with m.If(self.i_swap):
            m.d.sync += full.eq(0)
        with m.If(free & pending):
            m.d.sync += [loading.eq(1), line.eq(next_tile), chunks_left.eq(chunks_left - 1)]
            with m.If(~hold):
                m.d.sync += next_tile.eq(next_tile + rows)
            with m.If(chunks_left == 1):
                m.d.sync += [chunks_left.eq(chunk_count), rows_left.eq(rows_left - 1)]
                with m.If(rows_left == 1):
                    m.d.sync += pending.eq(0)
        return m
