"""Two signed 8 x 8 products whose operands stay where they are: ``SB_MAC16``, or a model.

Source: Lattice FPGA-TN-02007, "DSP Function Usage Guide for iCE40 Devices", the dual 8 x 8 mode
with AHOLD and BHOLD.
"""

from amaranth.hdl import ClockSignal, Const, Instance, Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["FORMS", "HeldProducts"]

FORMS = ("portable", "ice40")
_SELECT_8X8_PRODUCT = 0b10


class HeldProducts(wiring.Component):
    """Two multipliers with operand registers that are loaded on request.

    Parameters
    ----------
    form : :class:`str`
        ``"ice40"``, the primitive, or ``"portable"``, a model that simulates anywhere.

    Members
    -------
    i_act : :py:`In(16)`, ``i_wgt`` : :py:`In(16)`
        Two signed bytes each: bits 7:0 for the low product.
    i_act_en, i_wgt_en : :py:`In(1)`
        Take them.
    o_low, o_high : :py:`Out(signed(16))`
        The products, ``LATENCY`` cycles after the later of their operands.

    Raises
    ------
    ValueError
        If there is no such form.
    """

    LATENCY = 2

    def __init__(self, form):
        if form not in FORMS:
            raise ValueError(f"form of held products must be one of {', '.join(FORMS)}, "
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
            m.submodules.mac16 = Instance(
                "SB_MAC16",
                p_MODE_8x8=Const(1, 1), p_A_SIGNED=Const(1, 1), p_B_SIGNED=Const(1, 1),
                p_A_REG=Const(1, 1), p_B_REG=Const(1, 1),
                p_TOP_8x8_MULT_REG=Const(1, 1), p_BOT_8x8_MULT_REG=Const(1, 1),
                p_TOPOUTPUT_SELECT=Const(_SELECT_8X8_PRODUCT, 2),
                p_BOTOUTPUT_SELECT=Const(_SELECT_8X8_PRODUCT, 2),
                i_CLK=ClockSignal(), i_CE=1,
                i_A=self.i_act, i_B=self.i_wgt, i_C=Const(0, 16), i_D=Const(0, 16),
                i_AHOLD=~self.i_act_en, i_BHOLD=~self.i_wgt_en, i_CHOLD=0, i_DHOLD=0,
                i_IRSTTOP=0, i_IRSTBOT=0, i_ORSTTOP=0, i_ORSTBOT=0,
                i_OLOADTOP=0, i_OLOADBOT=0, i_ADDSUBTOP=0, i_ADDSUBBOT=0,
                i_OHOLDTOP=0, i_OHOLDBOT=0, i_CI=0, i_ACCUMCI=0, i_SIGNEXTIN=0,
                o_O=output)
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
