"""Token counters: "this is done", from one unit to another."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..spec.config import UNITS
from .layouts import TOKENS

__all__ = ["TokenCounters"]


class TokenCounters(wiring.Component):
    """A counter of 0 to ``MAXIMUM`` for each ordered pair of different units.

    A token that is given in a cycle can be taken in the next one. To take a token that is not
    there is the caller's mistake. Giving and taking one in the same cycle changes nothing and
    cannot overflow.

    Members
    -------
    i_clear : :py:`In(1)`
        Zero all counters.
    i_take : :py:`In(TOKENS)`
        Bit [w][s]: unit w takes a token that s gave it.
    i_give : :py:`In(TOKENS)`
        Bit [w][s]: unit s gives unit w a token.
    o_available : :py:`Out(TOKENS)`
        Bit [w][s]: there is a token for unit w from unit s.
    o_overflow : :py:`Out(4)`
        Bit s: a counter was at its maximum when unit s gave it another token in this cycle. That
        token is lost.
    """

    MAXIMUM = 255

    def __init__(self):
        super().__init__({
            "i_clear": In(1),
            "i_take": In(TOKENS),
            "i_give": In(TOKENS),
            "o_available": Out(TOKENS),
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
                some = Signal(name=f"{name}_some")      # count != 0, without the logic
                give, take = self.i_give[waiter][giver], self.i_take[waiter][giver]
                m.d.comb += [
                    full.eq(count == self.MAXIMUM),
                    self.o_available[waiter][giver].eq(some),
                ]
                # one adder: what is added is 1, or -1
                with m.If((give & ~take & ~full) | (take & ~give)):
                    m.d.sync += [count.eq(count + Cat(1, take.replicate(len(count) - 1))),
                                 some.eq(give | (count != 1))]
                with m.If(self.i_clear):
                    m.d.sync += [count.eq(0), some.eq(0)]
                overflows.append(full & give & ~take)
            overflow = overflows[0]
            for other in overflows[1:]:
                overflow = overflow | other
            m.d.comb += self.o_overflow[giver].eq(overflow)
        return m
