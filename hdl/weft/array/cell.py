"""Cell of the systolic array: multiply-add with double-buffered weights and a filter mode."""

import dataclasses

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..vendor.multiplier import add_multiplier, common_latency

__all__ = ["COLUMNS", "Cell", "CellOutputs", "add_cell"]

COLUMNS = 2
"""Number of columns of a cell. They operate in the same cycle and share one activation register.

Without this sharing, each weight would cost 12 more flip-flops (activations, control, skew and
deskew). One ``SB_MAC16`` also computes two products.
"""


@dataclasses.dataclass(frozen=True)
class CellOutputs:
    """Outputs of a cell.

    The lists, with one entry per column, lead to the cell below. The other members lead to the cell
    on the right.
    """

    act: object
    valid: object
    depthwise: object
    swap: object
    shift: object
    tops: list
    wgts: list
    sums: list


def add_cell(m, *, act, valid, depthwise, swap, shift, tops, wgts, sums, forms, latency, sum_width,
             name):
    """Add one cell to ``m`` and return its :class:`CellOutputs`.

    This is a function so that a grid can be a single module. :class:`Cell` states the contract.
    ``sums`` is ``None`` in the first row. An entry of ``tops`` may be ``None``: this column and
    the cells below it then receive zeros.
    """
    o_act = Signal(signed(8), reset_less=True, name=f"act_{name}")
    # These registers need no reset: the inputs at the array's edges are reset, and values in flight
    # leave the array within a few cycles. The registers of the skew at the left edge have a reset,
    # so synthesis cannot merge the two. Otherwise, equal values on one diagonal would become one
    # net across the chip.
    o_valid = Signal(reset_less=True, name=f"valid_{name}")
    o_depthwise = Signal(reset_less=True, name=f"depthwise_{name}")
    o_swap = Signal(reset_less=True, name=f"swap_{name}")
    o_shift = Signal(reset_less=True, name=f"shift_{name}")
    m.d.sync += [o_act.eq(act), o_valid.eq(valid), o_depthwise.eq(depthwise), o_swap.eq(swap),
                 o_shift.eq(shift)]
    # The operand is selected before its register, so that no logic precedes the multiplier.
    operands, o_tops = [], []
    for column, top in enumerate(tops):
        operand = Signal(signed(8), reset_less=True, name=f"operand_{name}_{column}")
        with m.If(valid):
            m.d.sync += operand.eq(Mux(depthwise, 0 if top is None else top, act))
        operands.append(operand)
        if top is not None:
            top = Signal(signed(8), reset_less=True, name=f"before_{name}_{column}")
            with m.If(valid):
                m.d.sync += top.eq(operand)
        o_tops.append(top)
    shadows, actives = [], []
    for column, wgt in enumerate(wgts):
        shadow = Signal(signed(8), reset_less=True, name=f"shadow_{name}_{column}")
        active = Signal(signed(8), reset_less=True, name=f"active_{name}_{column}")
        with m.If(shift):
            m.d.sync += shadow.eq(wgt)
        with m.If(swap):
            m.d.sync += active.eq(shadow)
        shadows.append(shadow)
        actives.append(active)
    products = add_multiplier(m, operands, actives, forms=forms, latency=latency, name=name)
    o_sums = []
    for column, product in enumerate(products):
        o_sum = Signal(signed(sum_width), reset_less=True, name=f"sum_{name}_{column}")
        m.d.sync += o_sum.eq(product if sums is None else sums[column] + product)
        o_sums.append(o_sum)
    return CellOutputs(o_act, o_valid, o_depthwise, o_swap, o_shift, o_tops, shadows, o_sums)


class Cell(wiring.Component):
    """Weight-stationary multiply-add cell for two neighbouring columns.

    Activations move right, partial sums and weights move down, one cell per cycle. There is no
    handshake: the parent component schedules every input. In each column, ``o_sum`` is ``i_sum``
    plus the product of an operand and a weight: the operand that entered ``latency`` - 1 cycles
    before ``i_sum``, and the weight that was active in the cycle of that operand.

    Both columns use the activation from the left as operand. With ``i_depthwise``, each column uses
    its own operand from above instead. The cell below then receives the operand of the previous
    vector, so that row *r* of the array multiplies the *r*-th previous vector. Operands only change
    with ``i_valid``: a cycle without a vector does not count.

    With ``i_swap``, the shadow weight replaces the active weight, and multiplies the activation of
    the same cycle. If ``i_shift`` is high as well, this is the shadow weight from before the shift.

    Parameters
    ----------
    forms : pair of :class:`str`
        Form of each multiplier, a key of :data:`weft.vendor.multiplier.FORMS`.
    sum_width : :class:`int`
        Width of a partial sum in bits.

    Attributes
    ----------
    latency : :class:`int`
        Cycles from ``i_act`` or ``i_top`` to the ``o_sum`` that contains it. The latency from
        ``i_sum`` to ``o_sum`` is one cycle.

    Members
    -------
    i_act : :py:`In(signed(8))`, ``o_act`` : :py:`Out(signed(8))`
        Activation from the left and, a cycle later, to the right.
    i_valid : :py:`In(1)`, ``o_valid`` : :py:`Out(1)`
        The activation of this cycle belongs to a vector.
    i_depthwise : :py:`In(1)`, ``o_depthwise`` : :py:`Out(1)`
        The operands of this cycle come from above.
    i_top : :py:`In(ArrayLayout(signed(8), 2))`
        Operands from above, in the cycle of the activation.
    o_top : :py:`Out(ArrayLayout(signed(8), 2))`
        Operands of the previous vector for the cell below, from the cycle after ``i_valid`` on.
    i_swap : :py:`In(1)`, ``o_swap`` : :py:`Out(1)`
        The activation of this cycle is the first of a new tile.
    i_shift : :py:`In(1)`, ``o_shift`` : :py:`Out(1)`
        From the left and, a cycle later, to the right: the shadow registers load ``i_wgt``.
    i_wgt : :py:`In(ArrayLayout(signed(8), 2))`, ``o_wgt`` : :py:`Out(ArrayLayout(signed(8), 2))`
        Weights from above; shadow weights for the cell below.
    i_sum, o_sum : :py:`In` and :py:`Out` of :py:`ArrayLayout(signed(sum_width), 2)`
        Partial sums from the cell above, and to the cell below.
    """

    def __init__(self, *, forms=("portable", "portable"), sum_width=19):
        self.forms = tuple(forms)
        self.sum_width = sum_width
        self.multiplier_latency = common_latency(self.forms)
        self.latency = self.multiplier_latency + 2
        operands = wgts = data.ArrayLayout(signed(8), COLUMNS)
        sums = data.ArrayLayout(signed(sum_width), COLUMNS)
        super().__init__({
            "i_act": In(signed(8)), "o_act": Out(signed(8)),
            "i_valid": In(1), "o_valid": Out(1),
            "i_depthwise": In(1), "o_depthwise": Out(1),
            "i_top": In(operands), "o_top": Out(operands),
            "i_swap": In(1), "o_swap": Out(1),
            "i_shift": In(1), "o_shift": Out(1),
            "i_wgt": In(wgts), "o_wgt": Out(wgts),
            "i_sum": In(sums), "o_sum": Out(sums),
        })

    def elaborate(self, platform):
        m = Module()
        out = add_cell(m, act=self.i_act, valid=self.i_valid, depthwise=self.i_depthwise,
                       swap=self.i_swap, shift=self.i_shift, tops=list(self.i_top),
                       wgts=list(self.i_wgt), sums=list(self.i_sum), forms=self.forms,
                       latency=self.multiplier_latency, sum_width=self.sum_width, name="cell")
        m.d.comb += [
            self.o_act.eq(out.act), self.o_valid.eq(out.valid),
            self.o_depthwise.eq(out.depthwise), self.o_swap.eq(out.swap),
            self.o_shift.eq(out.shift),
        ]
        for column in range(COLUMNS):
            m.d.comb += [
                self.o_top[column].eq(out.tops[column]),
                self.o_wgt[column].eq(out.wgts[column]),
                self.o_sum[column].eq(out.sums[column]),
            ]
        return m
