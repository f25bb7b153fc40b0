"""Requests the weight lines of one tile after another, one tile ahead of the vectors."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..control.instruction_layout import instruction_layout
from ..control.unit_interface import INSTRUCTION_SHAPE

__all__ = ["TileLoader"]


class TileLoader(wiring.Component):
    """Walks through the tiles of MATMUL instructions.

    The lines of a tile are requested in ``rows`` consecutive cycles, which begin in the cycle
    after the array's shadow registers became free: after the swap of the tile before. With ``hold``
    an instruction has one tile only.

    Parameters
    ----------
    config : :class:`Config`
    early : :class:`int`
        A vector is asked for at least so many cycles before it is on its way, up to ``rows - 2``.

    Members
    -------
    i : :py:`In(stream.Signature(256))`
        A validated MATMUL; taken when the last tile of the one before is on its way.
    i_claim : :py:`In(1)`
        The first vector of the next tile is asked for in this cycle. Only while ``o_ready``.
    i_swap : :py:`In(1)`
        That vector is on its way.
    o_ready : :py:`Out(1)`
        The first vector of the next tile may be asked for: its last line is requested in ``early``
        cycles, or was. Out of a register.
    o_en, o_line : :py:`Out(1)`, :py:`Out(line_width)`
        Request for a line of the weight buffer.
    o_blank : :py:`Out(1)`
        With ``o_en``: the line is for a row of the array without a tap of a depthwise pass, or
        one of the first ``blank`` lines of a tile, and must enter the array as zeros.
    """

    def __init__(self, config, *, early):
        if not 0 <= early <= config.rows - 2:
            raise ValueError(f"early must be 0 to {config.rows - 2} with {config.rows} rows, "
                             f"not {early}")
        self.config = config
        self.early = early
        self.line_width = (config.wgt_bytes // config.cols - 1).bit_length()
        super().__init__({
            "i": In(stream.Signature(INSTRUCTION_SHAPE)),
            "i_claim": In(1),
            "i_swap": In(1),
            "o_ready": Out(1),
            "o_en": Out(1),
            "o_line": Out(self.line_width),
            "o_blank": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        rows = self.config.rows
        fields = data.View(instruction_layout("MATMUL"), self.i.payload)

        # tiles of the current instruction whose load has not begun: (kernel rows, chunks) left
        pending = Signal()
        next_tile = Signal(self.line_width)
        chunk_count = Signal(16)
        chunks_left = Signal(16)
        rows_left = Signal(16)
        chunk_one, row_one = Signal(), Signal()         # whether they are at 1
        blank_count = Signal(range(rows))
        m.d.comb += self.i.ready.eq(~pending)
        with m.If(~pending):
            # without a look at valid, which comes late
            m.d.sync += [
                pending.eq(self.i.valid),
                next_tile.eq(fields.wgt_addr << (rows - 1).bit_length()),
                chunk_count.eq(fields.chunk_count),
                chunks_left.eq(Mux(fields.hold, 1, fields.chunk_count)),
                rows_left.eq(Mux(fields.hold, 1, fields.row_count)),
                chunk_one.eq(fields.hold | (fields.chunk_count == 1)),
                row_one.eq(fields.hold | (fields.row_count == 1)),
                blank_count.eq(Mux(fields.depthwise, rows - 1 - fields.lead, fields.blank)),
            ]

        # a tile that begins requests its first line in the same cycle; the rest is registers
        swapped = Signal()
        begin = Signal()
        loading = Signal()
        full = Signal()
        step = Signal(range(rows))
        line = Signal(self.line_width)
        blanks, blanks_left = Signal(range(rows)), Signal(range(rows))
        m.d.sync += swapped.eq(self.i_swap)
        m.d.comb += [
            begin.eq((swapped | (~full & ~loading)) & pending),
            self.o_en.eq(loading | begin),
            self.o_line.eq(Mux(loading, line, next_tile)),
            blanks.eq(Mux(loading, blanks_left, blank_count)),
            self.o_blank.eq(blanks != 0),
        ]
        with m.If(self.i_claim):
            m.d.sync += self.o_ready.eq(0)
        with m.If(self.o_en & (step == rows - 2 - self.early)):
            m.d.sync += self.o_ready.eq(1)
        with m.If(self.o_en):
            m.d.sync += [step.eq(step + 1), line.eq(self.o_line + 1),
                         blanks_left.eq(blanks - self.o_blank)]
        with m.If(swapped):
            m.d.sync += full.eq(0)
        with m.If(step == rows - 1):
            m.d.sync += [step.eq(0), loading.eq(0), full.eq(1)]
        with m.Elif(begin):
            m.d.sync += loading.eq(1)
        with m.If(begin):
            m.d.sync += [next_tile.eq(next_tile + rows), chunks_left.eq(chunks_left - 1),
                         chunk_one.eq(chunks_left == 2)]
            with m.If(chunk_one):
                m.d.sync += [chunks_left.eq(chunk_count), chunk_one.eq(chunk_count == 1),
                             rows_left.eq(rows_left - 1), row_one.eq(rows_left == 2)]
                with m.If(row_one):
                    m.d.sync += pending.eq(0)
        return m
