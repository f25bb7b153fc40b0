"""The grid of cells, without the skew at its edges."""

from amaranth.hdl import Module, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..vendor.multiplier import common_latency
from .cell import COLUMNS, add_cell

__all__ = ["Grid", "cell_forms", "multiplier_latency", "row_sum_width"]

# each vendor's multiplier form, and the form of the cells that the DSP budget does not cover
_VENDOR_FORMS = {"ecp5": "ecp5_lut", "ice40": "lut"}


def row_sum_width(row):
    """Return the bits of a partial sum below row ``row``: ``row + 1`` products of 16 bits."""
    return 16 + row.bit_length()


def cell_forms(config):
    """Return the multiplier form of every weight: ``rows`` lists of ``cols`` names.

    If ``dsp_cells`` limits the vendor form to some cells, these are spread evenly over the array,
    so that all its regions need about the same area. The two columns of a pair get the same form,
    because they may share one primitive; with an odd budget one pair is split.
    """
    cells = config.rows * config.cols
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
    """Return the cycles that the slowest form in use takes; the others are padded to it."""
    return common_latency({form for row in cell_forms(config) for form in row})


class Grid(wiring.Component):
    """``rows`` by ``cols`` multiply-add cells with their weights, as one module.

    Columns work in groups of :data:`~weft.array.cell.COLUMNS`. An input of row *r* at the left edge
    in cycle *t* reaches group *g* in cycle *t + g*. An input of a column at the top in cycle *t*
    reaches row *r* in cycle *t + r* (partial sums) or with the *r*-th later shift (weights). The
    vector of one position therefore enters row *r* in cycle *t + r*, and its sum leaves
    group *g* in cycle *t + latency + g*. The bytes of a vector from the top enter group *g* in
    cycle *t + g*. See :class:`~weft.array.cell.Cell` for swap, shift and depthwise.

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
        Activations.
    i_valid : :py:`In(1).array(rows)`
        The activation of this cycle belongs to a vector.
    i_depthwise : :py:`In(1).array(rows)`
        The vector of this cycle comes from the top.
    i_top : :py:`In(signed(8)).array(min(rows, cols))`
        Vectors from the top, for group *g* delayed by *g* cycles. Columns beyond a vector's bytes
        receive zeros.
    i_swap : :py:`In(1).array(rows)`
        The activation of this cycle is the first of a new tile.
    i_shift : :py:`In(1).array(rows)`
        The shadow weights move down into this row: row 0 takes ``i_wgt``.
    i_wgt : :py:`In(signed(8)).array(cols)`
        Weights, for group *g* delayed by *g* cycles.
    o_sum : :py:`Out(signed(sum_width)).array(cols)`
        Finished sums, of group *g* delayed by *g* cycles.
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
        })

    def elaborate(self, platform):
        m = Module()
        rows, cols = self.config.rows, self.config.cols
        wgts, sums = list(self.i_wgt), [None] * cols
        tops = (list(self.i_top) + [None] * cols)[:cols]
        for row in range(rows):
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
