"""Soft reset: stops, lets the bus finish, clears."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["SoftReset"]


class SoftReset(wiring.Component):
    """Resets the core without leaving the bus in the middle of anything.

    Legal in any cycle. A request during a reset is part of it.

    Members
    -------
    i_request : :py:`In(1)`
        High for one cycle: begin.
    i_bus_idle : :py:`In(1)`
        With ``o_halt`` high: nobody has an address on the bus or is owed a beat or a response. It
        may come a cycle late, and ``o_halt`` reach the units two late.
    o_halt : :py:`Out(1)`
        Start no burst, from the cycle after the request to the end.
    o_clear : :py:`Out(1)`
        Reset what is to be reset: high for ``CLEAR_CYCLES`` cycles, after ``i_bus_idle`` has been
        high for ``IDLE_CYCLES``.
    o_resetting : :py:`Out(1)`
        From the cycle after the request to ``SETTLE_CYCLES`` after the fall of ``o_clear``, which
        reaches who is to be reset later.
    """

    IDLE_CYCLES = 6     # a burst that was decided on when o_halt rose is on the bus by then
    CLEAR_CYCLES = 16   # longer than any memory takes to answer
    SETTLE_CYCLES = 16  # more than there are registers on any way of o_clear

    def __init__(self):
        super().__init__({
            "i_request": In(1),
            "i_bus_idle": In(1),
            "o_halt": Out(1),
            "o_clear": Out(1),
            "o_resetting": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        count = Signal(range(max(self.IDLE_CYCLES, self.CLEAR_CYCLES, self.SETTLE_CYCLES)))
        with m.FSM() as fsm:
            with m.State("IDLE"):
                with m.If(self.i_request):
                    m.d.sync += count.eq(self.IDLE_CYCLES - 1)
                    m.next = "DRAIN"
            with m.State("DRAIN"):
                with m.If(~self.i_bus_idle):
                    m.d.sync += count.eq(self.IDLE_CYCLES - 1)
                with m.Elif(count != 0):
                    m.d.sync += count.eq(count - 1)
                with m.Else():
                    m.d.sync += [count.eq(self.CLEAR_CYCLES - 1), self.o_clear.eq(1)]
                    m.next = "CLEAR"
            with m.State("CLEAR"):
                m.d.sync += count.eq(count - 1)
                with m.If(count == 0):
                    m.d.sync += [count.eq(self.SETTLE_CYCLES - 1), self.o_clear.eq(0)]
                    m.next = "SETTLE"
            with m.State("SETTLE"):
                m.d.sync += count.eq(count - 1)
                with m.If(count == 0):
                    m.next = "IDLE"
        m.d.comb += [
            self.o_resetting.eq(~fsm.ongoing("IDLE")),
            self.o_halt.eq(~fsm.ongoing("IDLE")),
        ]
        return m
