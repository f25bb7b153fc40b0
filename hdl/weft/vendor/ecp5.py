"""Multiplier form for Lattice ECP5: one ``MULT18X18D`` per product.

Source: Lattice FPGA-TN-02205, "ECP5 and ECP5-5G sysDSP Usage Guide".
"""

from amaranth.hdl import ClockSignal, Instance, Signal, signed

from .form_logic import add_each, register

__all__ = ["LATENCY", "add_products"]

LATENCY = 4
"""Input, pipeline and output register of the primitive, and a register in the fabric."""

_WIDTH = 18
_SHIFT = _WIDTH - 8


def _left_aligned(port, operand):
    """Return the 18 single-bit inputs of a port: the operand in the upper bits, zeros below.

    Constants need no routing, whereas sign extension would route every sign to eleven pins.
    """
    return {f"i_{port}{bit}": operand[bit - _SHIFT] if bit >= _SHIFT else 0
            for bit in range(_WIDTH)}


def _product(m, act, wgt, name):
    wide = Signal(2 * _WIDTH, name=f"wide_{name}")
    clocks = {}
    for stage in ("INPUTA", "INPUTB", "PIPELINE", "OUTPUT"):
        clocks |= {f"p_REG_{stage}_CLK": "CLK0", f"p_REG_{stage}_CE": "CE0",
                   f"p_REG_{stage}_RST": "RST0"}
    m.submodules[f"mult_{name}"] = Instance(
        "MULT18X18D", **clocks,
        p_REG_INPUTC_CLK="NONE", p_CLK0_DIV="ENABLED", p_GSR="DISABLED",
        p_SOURCEB_MODE="B_SHIFT", p_MULT_BYPASS="DISABLED", p_RESETMODE="SYNC",
        # the same constant in all instances, because the multipliers of a DSP block share enables
        i_CLK0=ClockSignal(), i_CE0=1, i_RST0=0,
        i_SIGNEDA=1, i_SIGNEDB=1, i_SOURCEA=0, i_SOURCEB=0,
        **_left_aligned("A", act), **_left_aligned("B", wgt),
        **{f"o_P{bit}": wide[bit] for bit in range(2 * _WIDTH)})
    # a cycle for the route from the DSP row to the adder, which is the longest one of the array
    return register(m, signed(16), f"product_{name}", wide[2 * _SHIFT:].as_signed())


def add_products(m, acts, wgts, *, name):
    """Add one multiplier for each pair of ``acts`` and ``wgts``, and return the products.

    See :func:`weft.vendor.multiplier.add_multiplier` for the arguments.
    """
    return add_each(m, _product, acts, wgts, name=name)
