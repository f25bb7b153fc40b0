"""Counters of the tokens that a unit has given to another unit and that are not yet taken."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..spec.config import UNITS
from .layouts import TOKEN_MATRIX

__all__ = ["TokenCounters"]


class TokenCounters(wiring.Component):
    """Token counters from 0 to ``MAXIMUM``, one for each ordered pair of different units.

    A token is available from the cycle after it was given. Only an available token may be taken.
    If one token is given and one is taken in the same cycle, the counter keeps its value and does
    not overflow.

    Members
    -------
    i_clear : :py:`In(1)`
        Zero all counters.
    i_take : :py:`In(TOKEN_MATRIX)`
        Bit [w][s]: unit w takes a token of unit s.
    i_give : :py:`In(TOKEN_MATRIX)`
        Bit [w][s]: unit s gives a token to unit w.
    o_available : :py:`Out(TOKEN_MATRIX)`
        Bit [w][s]: unit w can take a token of unit s.
    o_overflow : :py:`Out(4)`
        Bit s: in this cycle unit s gives a token to a counter that is at its maximum. The token
        is lost.
    """

    MAXIMUM = 255

    def __init__(self):
        super().__init__({
            "i_clear": In(1),
            "i_take": In(TOKEN_MATRIX),
            "i_give": In(TOKEN_MATRIX),
            "o_available": Out(TOKEN_MATRIX),
            "o_overflow": Out(len(UNITS)),
        })

    def elaborate(self, platform):
        m = Module()
        for giver, giver_name in enumerate(UNITS):
            overflows = []
            for waiter, waiter_name in enumerate(UNITS):
                if giver == waiter:
                    continue
                name = f"{giver_name.lower()}_to_{waiter_name.lower()}"
                count = Signal(range(self.MAXIMUM + 1), name=name)
                full = Signal(name=f"{name}_full")
                nonzero = Signal(name=f"{name}_nonzero")    # register with the value of count != 0
                give, take = self.i_give[waiter][giver], self.i_take[waiter][giver]
                m.d.comb += [
                    full.eq(count == self.MAXIMUM),
                    self.o_available[waiter][giver].eq(nonzero),
                ]
                # a single adder adds 1 or -1
                with m.If((give & ~take & ~full) | (take & ~give)):
                    m.d.sync += [count.eq(count + Cat(1, take.replicate(len(count) - 1))),
                                 nonzero.eq(give | (count != 1))]
                with m.If(self.i_clear):
                    m.d.sync += [count.eq(0), nonzero.eq(0)]
                overflows.append(full & give & ~take)
            overflow = overflows[0]
            for other in overflows[1:]:
                overflow = overflow | other
            m.d.comb += self.o_overflow[giver].eq(overflow)
        return m
