"""Controller of the clearing of the on-chip memories."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["ClearControl"]


class ClearControl(wiring.Component):
    """Controller that starts the clearing of all on-chip memories and detects its end.

    Members
    -------
    i_request : :py:`In(1)`
        High for one cycle, while ``o_clearing`` is low: start clearing.
    o_clear : :py:`Out(1)`
        High for one cycle: command to the memories to clear themselves.
    i_clearing : :py:`In(1)`
        High from at most ``RESPONSE_CYCLES`` cycles after ``o_clear`` until all memories are zero.
    o_clearing : :py:`Out(1)`
        High from the cycle after ``i_request`` until all memories are zero.
    """

    RESPONSE_CYCLES = 4

    def __init__(self):
        super().__init__({
            "i_request": In(1), "o_clear": Out(1), "i_clearing": In(1), "o_clearing": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        count = Signal(range(self.RESPONSE_CYCLES + 1))
        m.d.sync += self.o_clear.eq(self.i_request)
        with m.If(self.i_request):
            m.d.sync += [count.eq(self.RESPONSE_CYCLES), self.o_clearing.eq(1)]
        with m.Elif(count != 0):
            m.d.sync += count.eq(count - 1)
        with m.Elif(~self.i_clearing):
            m.d.sync += self.o_clearing.eq(0)
        return m
