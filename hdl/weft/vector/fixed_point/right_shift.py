"""Rounding right shift of signed numbers, in four cycles."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..rounding import mux_tree

__all__ = ["MOST_SHIFT", "RightShift", "saturated"]

MOST_SHIFT = 63
"""Largest amount, which yields 0 for every number."""


def saturated(value, width):
    """Return the signed ``value`` limited to ``width`` bits with sign."""
    high = value[width - 1:]
    fits = high.all() | ~high.any()
    limit = Cat((~value[-1]).replicate(width - 1), value[-1])
    return Mux(fits, value[:width], limit).as_signed()


class RightShift(wiring.Component):
    """Pipeline that computes ``floor(value / 2^amount + 1/2)``.

    A result leaves ``LATENCY`` cycles after its value enters, in every cycle. The amount
    ``MOST_SHIFT`` yields 0.

    Parameters
    ----------
    width : :class:`int`
        Bits of a value with its sign, at most 64. The magnitude of values is at most 2^62.

    Members
    -------
    i_value, i_amount : :py:`In(signed(width))`, :py:`In(6)`
        Number and shift.
    o_result : :py:`Out(signed(width))`
        Result, ``LATENCY`` cycles later.
    """

    LATENCY = 4

    def __init__(self, width):
        self.width = width
        super().__init__({
            "i_value": In(signed(width)),
            "i_amount": In(6),
            "o_result": Out(signed(width)),
        })

    def elaborate(self, platform):
        m = Module()
        # a guard bit below bit 0: the last bit that is dropped is the rounding's increment
        value, amount = Cat(0, self.i_value).as_signed(), self.i_amount
        for name, bits in (("coarse", slice(4, 6)), ("middle", slice(2, 4)), ("fine", slice(0, 2))):
            step = 1 << bits.start
            shifted = Signal(signed(self.width + 1), name=name, reset_less=True)
            chosen = Signal(signed(self.width + 1), name=f"{name}_chosen")
            m.d.comb += chosen.eq(mux_tree(amount[bits], [value >> step * n for n in range(4)]))
            following = chosen
            if name == "fine":
                # value is now -1 or 0 beyond the widest number, but 2^62 would round up
                zero = Signal()
                m.d.comb += zero.eq(amount.all())
                following = Cat(Mux(zero, value[-1], chosen[0]), chosen[1:])
            later = Signal(6, name=f"{name}_amount", reset_less=True)
            m.d.sync += [shifted.eq(following), later.eq(amount)]
            value, amount = shifted, later
        m.d.sync += self.o_result.eq(value[1:].as_signed() + value[0])
        return m
