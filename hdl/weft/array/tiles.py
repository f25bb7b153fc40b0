"""Tile loader of MATMUL: requests the lines of each tile, one tile ahead of the vectors."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from ..control.instruction_layout import instruction_layout
from ..control.unit_interface import INSTRUCTION_SHAPE

__all__ = ["TileLoader"]


class TileLoader(wiring.Component):
    """Address generator that reads the tiles of MATMUL instructions line by line.

    The lines of a tile are requested in ``tile_cycles`` consecutive cycles: one line per cycle, or
    one line for each half of the array's rows. The requests begin in the cycle after the shadow
    registers of the array become free, that is after the swap to the previous tile. With ``hold``,
    an instruction has only one tile.

    Parameters
    ----------
    config : :class:`Config`
    grant_delay : :class:`int`
        Minimum number of cycles from the request of a vector to the grant of its read, up to
        ``tile_cycles - 2``.

    Members
    -------
    i : :py:`In(stream.Signature(256))`
        A validated MATMUL. It is accepted once the load of the previous instruction's last tile
        has begun.
    i_tile_start : :py:`In(1)`
        The first vector of the next tile is requested in this cycle. Allowed while ``o_ready`` is
        high.
    i_swap : :py:`In(1)`
        The read of that vector is granted; the vector carries the swap to its tile.
    o_ready : :py:`Out(1)`
        The first vector of the next tile may be requested: the tile's last line is requested in at
        most ``grant_delay`` cycles, or was requested already. Driven by a register.
    o_en, o_line : :py:`Out(1)`, :py:`Out(line_width)`
        Request for a line of the weight buffer, or for a line of each half of a tile.
    o_blank : :py:`Out(1)`
        With ``o_en``: the line must enter the array as zeros. It belongs to an array row without a
        tap in a depthwise pass, or is one of the first ``blank`` lines of a tile.
    o_blank_lower : :py:`Out(1)`
        With two lines per cycle: the same for the line of the lower half of the rows; ``o_blank``
        is for the upper half.
    i_ring : :py:`In(1)`
        With the fixed-point instructions: the instruction in ``i`` takes its tiles from the ring.
    i_available : :py:`In(1)`
        The ring has a tile. May be high until the cycle after ``o_ring_begin``.
    i_clear : :py:`In(1)`
        Empty the ring.
    o_ring_begin, o_ring_end : :py:`Out(1)` each
        The first, or the last, line of a tile of the ring is requested.
    """

    def __init__(self, config, *, grant_delay):
        most = config.tile_cycles - 2
        if not 0 <= grant_delay <= most:
            raise ValueError(f"grant_delay must be 0 to {most} with {config.tile_cycles} cycles "
                             f"per tile, not {grant_delay}")
        self.config = config
        self.grant_delay = grant_delay
        self.line_width = config.wgt_line_addr_width
        super().__init__({
            "i": In(stream.Signature(INSTRUCTION_SHAPE)),
            "i_tile_start": In(1),
            "i_swap": In(1),
            "o_ready": Out(1),
            "o_en": Out(1),
            "o_line": Out(self.line_width),
            "o_blank": Out(1),
            **({"o_blank_lower": Out(1)} if config.tile_lines > 1 else {}),
            **({"i_ring": In(1), "i_available": In(1), "i_clear": In(1), "o_ring_begin": Out(1),
                "o_ring_end": Out(1)} if config.fixed_point else {}),
        })

    def elaborate(self, platform):
        m = Module()
        rows, count = self.config.rows, self.config.tile_cycles
        fields = data.View(instruction_layout("MATMUL"), self.i.payload)

        # tiles of the current instruction that have not begun to load, counted as kernel rows and
        # chunks
        pending = Signal()
        next_tile = Signal(self.line_width)
        chunk_count = Signal(16)
        chunks_left = Signal(16)
        rows_left = Signal(16)
        chunk_one, row_one = Signal(), Signal()         # chunks_left, rows_left is 1
        blank_count = Signal(range(rows))
        m.d.comb += self.i.ready.eq(~pending)
        with m.If(~pending):
            # the payload is loaded whether or not it is valid, because i.valid arrives last
            m.d.sync += [
                pending.eq(self.i.valid),
                next_tile.eq(fields.wgt_addr << exact_log2(count)),
                chunk_count.eq(fields.chunk_count),
                chunks_left.eq(Mux(fields.hold, 1, fields.chunk_count)),
                rows_left.eq(Mux(fields.hold, 1, fields.row_count)),
                chunk_one.eq(fields.hold | (fields.chunk_count == 1)),
                row_one.eq(fields.hold | (fields.row_count == 1)),
                blank_count.eq(Mux(fields.depthwise, rows - 1 - fields.lead, fields.blank)),
            ]

        may_begin, is_ring = pending, None
        if self.config.fixed_point:
            is_ring = Signal()
            may_begin = pending & self._elaborate_ring(m, pending, next_tile, is_ring)

        # the first line of a tile is requested in the cycle of `begin`, later lines from registers
        swapped = Signal()
        begin = Signal()
        loading = Signal()
        full = Signal()
        step = Signal(range(count))
        line = Signal(self.line_width)
        blanks, blanks_left = Signal(range(rows)), Signal(range(rows))
        m.d.sync += swapped.eq(self.i_swap)
        m.d.comb += [
            begin.eq((swapped | (~full & ~loading)) & may_begin),
            self.o_en.eq(loading | begin),
            self.o_line.eq(Mux(loading, line, next_tile)),
            blanks.eq(Mux(loading, blanks_left, blank_count)),
        ]
        # the lower half receives the first lines of a tile
        blank_first = self.o_blank if self.config.tile_lines == 1 else self.o_blank_lower
        m.d.comb += blank_first.eq(blanks != 0)
        if self.config.tile_lines > 1:
            m.d.comb += self.o_blank.eq(blanks > count)
        with m.If(self.i_tile_start):
            m.d.sync += self.o_ready.eq(0)
        with m.If(self.o_en & (step == count - 2 - self.grant_delay)):
            m.d.sync += self.o_ready.eq(1)
        with m.If(self.o_en):
            m.d.sync += [step.eq(step + 1), line.eq(self.o_line + 1),
                         blanks_left.eq(blanks - blank_first)]
        with m.If(swapped):
            m.d.sync += full.eq(0)
        with m.If(step == count - 1):
            m.d.sync += [step.eq(0), loading.eq(0), full.eq(1)]
        with m.Elif(begin):
            m.d.sync += loading.eq(1)
        with m.If(begin):
            m.d.sync += [next_tile.eq(next_tile + count), chunks_left.eq(chunks_left - 1),
                         chunk_one.eq(chunks_left == 2)]
            with m.If(chunk_one):
                m.d.sync += [chunks_left.eq(chunk_count), chunk_one.eq(chunk_count == 1),
                             rows_left.eq(rows_left - 1), row_one.eq(rows_left == 2)]
                with m.If(row_one):
                    m.d.sync += pending.eq(0)
        if is_ring is not None:
            of_ring = Signal()          # the tile that is loading comes from the ring
            with m.If(begin):
                m.d.sync += of_ring.eq(is_ring)
            m.d.comb += [self.o_ring_begin.eq(begin & is_ring),
                         self.o_ring_end.eq((step == count - 1) & of_ring)]
        return m

    def _elaborate_ring(self, m, pending, next_tile, is_ring):
        """Take the tiles of an instruction from the ring; return 1 bit, high if there is one."""
        ring_tile = Signal(self.line_width)     # first line of the next tile of the ring
        with m.If(~pending):
            m.d.sync += is_ring.eq(self.i_ring)
            with m.If(self.i_ring):
                m.d.sync += next_tile.eq(ring_tile)
        with m.If(self.o_ring_begin):
            m.d.sync += ring_tile.eq(ring_tile + self.config.tile_cycles)
        with m.If(self.i_clear):
            m.d.sync += ring_tile.eq(0)
        return ~is_ring | self.i_available
