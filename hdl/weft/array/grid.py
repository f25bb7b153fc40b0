"""Grid of the array's cells, without the delay lines at its edges."""

from amaranth.hdl import Module, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..vendor.multiplier import common_latency
from .cell import COLUMNS, add_cell

__all__ = ["Grid", "cell_forms", "multiplier_latency", "row_sum_width"]

# forms that use DSP blocks, and the form of the cells for which there is no DSP block
_VENDOR_FORMS = {"ecp5": "ecp5_lut", "ice40": "lut"}


def row_sum_width(row):
    """Return the width of a partial sum below row ``row``: ``row + 1`` products of 16 bits."""
    return 16 + row.bit_length()


def cell_forms(config):
    """Return the multiplier form of every weight: ``rows`` lists of ``cols`` names.

    If ``dsp_cells`` limits the number of weights with a DSP block, these are spread evenly over the
    array, so that all its regions need about the same area. The two columns of a cell get the same
    form, because they may share one primitive; if ``dsp_cells`` is odd, one cell has both forms.
    """
    cells = config.cells
    if config.multiplier not in _VENDOR_FORMS or config.dsp_cells is None:
        return [[config.multiplier] * config.cols for _ in range(config.rows)]
    other = _VENDOR_FORMS[config.multiplier]
    pairs = cells // COLUMNS
    whole, odd = divmod(config.dsp_cells, COLUMNS)
    flat = []
    for pair in range(pairs):
        if (pair + 1) * whole // pairs > pair * whole // pairs:
            flat += [config.multiplier] * COLUMNS
        elif odd:
            flat += [config.multiplier, other]
            odd = 0
        else:
            flat += [other] * COLUMNS
    return [flat[row * config.cols:(row + 1) * config.cols] for row in range(config.rows)]


def multiplier_latency(config):
    """Return the latency in cycles of the slowest multiplier form in use.

    Faster forms are delayed to the same latency.
    """
    return common_latency({form for row in cell_forms(config) for form in row})


class Grid(wiring.Component):
    """Grid of multiply-add cells for ``rows`` by ``cols`` weights, as one module.

    The columns of one cell, :data:`~weft.array.cell.COLUMNS` of them, form a group. Inputs at the
    left edge take one cycle from group to group, and partial sums take one cycle from row to row.
    All inputs and outputs are therefore skewed. For a vector whose byte 0 enters in cycle *t*:

    - byte *r* enters row *r* in cycle *t + r*, together with the control inputs of row *r*;
    - with ``i_depthwise``, the bytes for group *g* enter at the top in cycle *t + g* instead;
    - the sums of group *g* leave in cycle *t + latency + g*.

    Weights move down by one row with each shift. :class:`~weft.array.cell.Cell` describes swap,
    shift and depthwise mode.

    Parameters
    ----------
    config : :class:`~weft.spec.config.Config`
        Size and multiplier forms.

    Attributes
    ----------
    latency : :class:`int`
        Cycles from the activation in row 0 to the finished sum in group 0.

    Members
    -------
    i_act : :py:`In(signed(8)).array(rows)`
        Activations, one for each row.
    i_valid : :py:`In(1).array(rows)`
        The activation of this cycle belongs to a vector.
    i_depthwise : :py:`In(1).array(rows)`
        The operands of this cycle come from the top.
    i_top : :py:`In(signed(8)).array(min(rows, cols))`
        Bytes of vectors from the top, delayed by *g* cycles for group *g*. If ``cols`` exceeds
        ``rows``, the columns beyond the bytes of a vector receive zeros.
    i_swap : :py:`In(1).array(rows)`
        The activation of this cycle is the first of a new tile.
    i_shift : :py:`In(1).array(rows)`
        The shadow weights of the row above move into this row; ``i_wgt`` moves into row 0.
    i_wgt : :py:`In(signed(8)).array(cols)`
        Weights, delayed by *g* cycles for group *g*.
    i_wgt_lower : :py:`In(signed(8)).array(cols)`
        With two lines per cycle: the weights that move into row ``rows / 2`` instead of those of
        the row above, delayed in the same way.
    o_sum : :py:`Out(signed(sum_width)).array(cols)`
        Finished sums, delayed by *g* cycles for group *g*.
    """

    def __init__(self, config):
        self.config = config
        self.forms = cell_forms(config)
        self.multiplier_latency = multiplier_latency(config)
        self.latency = config.rows + 1 + self.multiplier_latency
        super().__init__({
            "i_act": In(signed(8)).array(config.rows),
            "i_valid": In(1).array(config.rows),
            "i_depthwise": In(1).array(config.rows),
            "i_top": In(signed(8)).array(min(config.rows, config.cols)),
            "i_swap": In(1).array(config.rows),
            "i_shift": In(1).array(config.rows),
            "i_wgt": In(signed(8)).array(config.cols),
            "o_sum": Out(signed(config.sum_width)).array(config.cols),
            **({"i_wgt_lower": In(signed(8)).array(config.cols)} if config.tile_lines > 1 else {}),
        })

    def elaborate(self, platform):
        m = Module()
        rows, cols = self.config.rows, self.config.cols
        wgts, sums = list(self.i_wgt), [None] * cols
        tops = (list(self.i_top) + [None] * cols)[:cols]
        for row in range(rows):
            if row and row % self.config.tile_cycles == 0:
                wgts = list(self.i_wgt_lower)
            act, valid, depthwise = self.i_act[row], self.i_valid[row], self.i_depthwise[row]
            swap, shift = self.i_swap[row], self.i_shift[row]
            for first in range(0, cols, COLUMNS):
                columns = slice(first, first + COLUMNS)
                out = add_cell(
                    m, act=act, valid=valid, depthwise=depthwise, swap=swap, shift=shift,
                    tops=tops[columns], wgts=wgts[columns],
                    sums=sums[columns] if row else None, forms=self.forms[row][columns],
                    latency=self.multiplier_latency, sum_width=row_sum_width(row),
                    name=f"{row}_{first // COLUMNS}")
                act, valid, depthwise = out.act, out.valid, out.depthwise
                swap, shift = out.swap, out.shift
                tops[columns], wgts[columns], sums[columns] = out.tops, out.wgts, out.sums
        for column in range(cols):
            m.d.comb += self.o_sum[column].eq(sums[column])
        return m
