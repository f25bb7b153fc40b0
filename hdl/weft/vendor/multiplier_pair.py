"""Pair of signed 8 x 8 multipliers with clock enables, as ``SB_MAC16`` or as a model."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .ice40 import mac16

__all__ = ["FORMS", "MultiplierPair"]

FORMS = ("portable", "ice40")


class MultiplierPair(wiring.Component):
    """Pair of signed 8 x 8 multipliers whose operand registers have clock enables.

    Parameters
    ----------
    form : :class:`str`
        ``"ice40"`` for the primitive, or ``"portable"`` for a model that any simulator supports.

    Members
    -------
    i_act : :py:`In(16)`, ``i_wgt`` : :py:`In(16)`
        Operands: bits 7:0 for the low product, bits 15:8 for the high product, all signed.
    i_act_en, i_wgt_en : :py:`In(1)`
        Clock enables of the registers of ``i_act`` and of ``i_wgt``.
    o_low, o_high : :py:`Out(signed(16))`
        Products, ``LATENCY`` cycles after the last load of an operand.

    Raises
    ------
    ValueError
        If ``form`` is unknown.
    """

    LATENCY = 2

    def __init__(self, form):
        if form not in FORMS:
            raise ValueError(f"form of a multiplier pair must be one of {', '.join(FORMS)}, "
                             f"not {form!r}")
        self.form = form
        super().__init__({
            "i_act": In(16), "i_wgt": In(16), "i_act_en": In(1), "i_wgt_en": In(1),
            "o_low": Out(signed(16)), "o_high": Out(signed(16)),
        })

    def elaborate(self, platform):
        m = Module()
        if self.form == "ice40":
            output = Signal(32)
            m.submodules.mac16 = mac16(self.i_act, self.i_wgt, output, a_hold=~self.i_act_en,
                                       b_hold=~self.i_wgt_en)
            m.d.comb += [self.o_low.eq(output[:16]), self.o_high.eq(output[16:])]
            return m
        act = Signal(16, reset_less=True)
        wgt = Signal(16, reset_less=True)
        with m.If(self.i_act_en):
            m.d.sync += act.eq(self.i_act)
        with m.If(self.i_wgt_en):
            m.d.sync += wgt.eq(self.i_wgt)
        for half, product in enumerate((self.o_low, self.o_high)):
            m.d.sync += product.eq(act.word_select(half, 8).as_signed()
                                   * wgt.word_select(half, 8).as_signed())
        return m
