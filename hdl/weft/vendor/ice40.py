"""Multiplier form for Lattice iCE40 UltraPlus: one ``SB_MAC16`` for two products.

Source: Lattice FPGA-TN-02007, "DSP Function Usage Guide for iCE40 Devices", the dual 8 x 8 mode
with AHOLD and BHOLD.
"""

from amaranth.hdl import Cat, ClockSignal, Const, Instance, Signal, signed

__all__ = ["LATENCY", "add_products", "mac16"]

LATENCY = 2
"""Operand register and product register of the primitive."""

_SELECT_8X8_PRODUCT = 0b10


def mac16(a, b, output, *, a_hold=0, b_hold=0):
    """Return an ``SB_MAC16`` that computes two signed 8 x 8 products in ``LATENCY`` cycles.

    Parameters
    ----------
    a, b : 16 bits each
        Operands: bits 7:0 for the low product, bits 15:8 for the high product.
    output : 32 bits
        Products: bits 15:0 are the low product, bits 31:16 the high product.
    a_hold, b_hold : 1 bit each
        Keep the operand that is in the register of ``a``, of ``b``.
    """
    return Instance(
        "SB_MAC16",
        p_MODE_8x8=Const(1, 1), p_A_SIGNED=Const(1, 1), p_B_SIGNED=Const(1, 1),
        p_A_REG=Const(1, 1), p_B_REG=Const(1, 1),
        p_TOP_8x8_MULT_REG=Const(1, 1), p_BOT_8x8_MULT_REG=Const(1, 1),
        p_TOPOUTPUT_SELECT=Const(_SELECT_8X8_PRODUCT, 2),
        p_BOTOUTPUT_SELECT=Const(_SELECT_8X8_PRODUCT, 2),
        i_CLK=ClockSignal(), i_CE=1,
        i_A=a, i_B=b, i_C=Const(0, 16), i_D=Const(0, 16),
        i_AHOLD=a_hold, i_BHOLD=b_hold, i_CHOLD=0, i_DHOLD=0,
        i_IRSTTOP=0, i_IRSTBOT=0, i_ORSTTOP=0, i_ORSTBOT=0,
        i_OLOADTOP=0, i_OLOADBOT=0, i_ADDSUBTOP=0, i_ADDSUBBOT=0,
        i_OHOLDTOP=0, i_OHOLDBOT=0, i_CI=0, i_ACCUMCI=0, i_SIGNEXTIN=0,
        o_O=output)


def add_products(m, acts, wgts, *, name):
    """Add one primitive for one or two pairs of ``acts`` and ``wgts``, and return the products.

    See :func:`weft.vendor.multiplier.add_multiplier` for the arguments.
    """
    top_act, top_wgt = (acts[1], wgts[1]) if len(wgts) > 1 else (Const(0, 8), Const(0, 8))
    products = [Signal(signed(16), name=f"product_{name}_{lane}") for lane in range(len(wgts))]
    output = Signal(32, name=f"output_{name}")
    m.submodules[f"mac16_{name}"] = mac16(Cat(acts[0], top_act), Cat(wgts[0], top_wgt), output)
    for lane, product in enumerate(products):
        m.d.comb += product.eq(output[16 * lane:16 * lane + 16])
    return products
