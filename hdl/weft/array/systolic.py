"""Systolic array whose inputs and outputs are whole vectors, without skew."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..delay_line import delay_line
from .cell import COLUMNS
from .grid import Grid, multiplier_latency
from .skew import Skew

__all__ = ["SystolicArray"]


class SystolicArray(wiring.Component):
    """Systolic array that multiplies one vector per cycle by a tile of ``rows`` x ``cols`` weights.

    For every vector that enters, ``o_sum[c] = sum(i_act[r] * weight[r][c])`` appears exactly
    ``latency`` cycles later. There is no handshake: the parent component schedules all inputs.
    Cycles without a vector are allowed anywhere, and so are cycles between the lines of a tile.

    Weights are double-buffered. A tile consists of ``rows`` lines; line 0 contains the weights of
    row ``rows - 1``, the last line those of row 0. Lines enter shadow registers. The vector with
    ``i_swap`` and all later vectors use the new tile, while vectors in flight still use the old
    one. The schedule must follow two rules:

    1. the swap to a tile occurs in a later cycle than the tile's last line;
    2. the first line of the next tile enters in the cycle of that swap or later.

    A tile with *M* vectors therefore takes ``max(rows, M)`` cycles, without a gap between tiles. A
    synchronous reset discards the lines of an incomplete tile and the vectors in flight.

    With two lines per cycle, the lower half of the rows has an input for lines of its own. Lines 0
    to ``rows / 2 - 1`` of a tile enter there, and the others at the top. Of each half, line *j*
    enters the lower half exactly ``rows / 2`` cycles after line *j* enters the upper half, which is
    the time that a swap takes to reach the lower half. The two rules hold for the lines of the
    upper half, and a tile with *M* vectors takes ``max(rows / 2, M)`` cycles.

    With ``i_depthwise``, a vector enters from the top, byte *c* into column *c*, and every column
    is a filter: ``o_sum[c] = sum(before[r][c] * weight[r][c])``, where ``before[r]`` is the *r*-th
    vector before this one. Cycles without a vector do not count, and columns beyond the bytes of a
    vector receive 0. ``before[r]`` is unspecified if that vector or a later one was not a depthwise
    vector. A filter of ``lead + 1`` taps therefore needs zero weights in all rows beyond ``lead``,
    and its first ``lead`` sums are meaningless.

    Parameters
    ----------
    config : :class:`~weft.spec.config.Config`
        Size and multiplier forms.

    Attributes
    ----------
    latency : :class:`int`
        Cycles from ``i_valid`` to ``o_valid``: ``rows + cols / 2`` plus the multiplier's latency.
    sum_width : :class:`int`
        Width of a sum in bits; no sum can overflow.

    Members
    -------
    i_act : :py:`In(ArrayLayout(signed(8), rows))`
        A vector; byte *r* is multiplied by the weights of row *r*.
    i_valid : :py:`In(1)`
        A vector enters in this cycle.
    i_depthwise : :py:`In(1)`
        With ``i_valid``: this vector enters from the top.
    i_swap : :py:`In(1)`
        With ``i_valid``: this vector is the first of a new tile.
    i_wgt : :py:`In(ArrayLayout(signed(8), cols))`
        A line of weights.
    i_load_next : :py:`In(1)`
        A line enters in the next cycle.
    i_wgt_lower : :py:`In(ArrayLayout(signed(8), cols))`
        With two lines per cycle: the line of the lower half, ``rows / 2`` cycles after that of the
        upper half.
    o_sum : :py:`Out(ArrayLayout(signed(sum_width), cols))`
        The sums of one vector, all columns in the same cycle.
    o_valid : :py:`Out(1)`
        ``o_sum`` belongs to the vector that entered ``latency`` cycles ago.
    o_next : :py:`Out(1)`
        ``o_valid`` will be high in the next cycle.
    """

    def __init__(self, config):
        self.config = config
        self.sum_width = config.sum_width
        self._groups = config.cols // COLUMNS
        self.latency = config.rows + self._groups + multiplier_latency(config)
        super().__init__({
            "i_act": In(data.ArrayLayout(signed(8), config.rows)),
            "i_valid": In(1),
            "i_depthwise": In(1),
            "i_swap": In(1),
            "i_wgt": In(data.ArrayLayout(signed(8), config.cols)),
            "i_load_next": In(1),
            "o_sum": Out(data.ArrayLayout(signed(self.sum_width), config.cols)),
            "o_valid": Out(1),
            "o_next": Out(1),
            **({"i_wgt_lower": In(data.ArrayLayout(signed(8), config.cols))}
               if config.tile_lines > 1 else {}),
        })

    def elaborate(self, platform):
        m = Module()
        rows, cols = self.config.rows, self.config.cols
        group_of = [column // COLUMNS for column in range(cols)]

        m.submodules.grid = grid = Grid(self.config)
        m.submodules.act_skew = act_skew = Skew(shape=signed(8), delays=range(rows))
        m.submodules.top_skew = top_skew = Skew(
            shape=signed(8), delays=group_of[:min(rows, cols)])
        m.submodules.wgt_skew = wgt_skew = Skew(shape=signed(8), delays=group_of)
        lines = [(wgt_skew, self.i_wgt, grid.i_wgt)]
        if self.config.tile_lines > 1:
            m.submodules.lower_skew = lower_skew = Skew(shape=signed(8), delays=group_of)
            lines.append((lower_skew, self.i_wgt_lower, grid.i_wgt_lower))
        m.submodules.sum_skew = sum_skew = Skew(
            shape=signed(self.sum_width),
            delays=[self._groups - 1 - group for group in group_of])

        # delay lines along the left edge, aligned with the skewed vector
        valid = Signal(self.latency)
        depthwise = Signal(rows - 1)
        swap = Signal(rows - 1)
        m.d.sync += [
            valid.eq(Cat(self.i_valid, valid)),
            depthwise.eq(Cat(self.i_depthwise, depthwise)),
            swap.eq(Cat(self.i_valid & self.i_swap, swap)),
        ]
        for lane in range(min(rows, cols)):
            m.d.comb += [
                top_skew.i[lane].eq(self.i_act[lane]),
                grid.i_top[lane].eq(top_skew.o[lane]),
            ]
        for row in range(rows):
            m.d.comb += [
                act_skew.i[row].eq(self.i_act[row]),
                grid.i_act[row].eq(act_skew.o[row]),
                grid.i_valid[row].eq(valid[row - 1] if row else self.i_valid),
                grid.i_depthwise[row].eq(depthwise[row - 1] if row else self.i_depthwise),
                grid.i_swap[row].eq(swap[row - 1] if row else self.i_valid & self.i_swap),
            ]

        self._elaborate_shift(m, grid, 0, self.i_load_next)
        if self.config.tile_lines > 1:
            load_lower, = delay_line(m, "load_lower", self.config.tile_cycles, self.i_load_next)
            self._elaborate_shift(m, grid, 1, load_lower)

        for column in range(cols):
            for skew, entering, inside in lines:
                m.d.comb += [
                    skew.i[column].eq(entering[column]),
                    inside[column].eq(skew.o[column]),
                ]
            m.d.comb += [
                sum_skew.i[column].eq(grid.o_sum[column]),
                self.o_sum[column].eq(sum_skew.o[column]),
            ]

        m.d.comb += [self.o_valid.eq(valid[-1]), self.o_next.eq(valid[-2])]
        return m

    def _elaborate_shift(self, m, grid, half, load_next):
        """Drive the shift enables of the rows that receive the same lines.

        Relative to the lines, a swap reaches row *r* of the half after *r* cycles, and until then
        the row must not shift. The first line that it needs is line *r* of the half, which arrives
        no earlier than the swap. Row *r* therefore skips lines 0 to *r* - 1. Bit *r* - 1 of
        ``begun`` is set once line *r* is due. The shift enables are computed one cycle before the
        line, so that each row, which may be far away, has a register of its own.
        """
        count = self.config.tile_cycles
        suffix = ("", "_lower")[half]
        begun = Signal(count - 1, name=f"begun{suffix}")
        shift = Signal(count, name=f"shift{suffix}")
        with m.If(load_next):
            m.d.sync += begun.eq(Mux(begun[-1], 0, Cat(1, begun)))
        m.d.sync += shift.eq(Mux(load_next, Cat(1, begun), 0))
        for row in range(count):
            m.d.comb += grid.i_shift[half * count + row].eq(shift[row])
