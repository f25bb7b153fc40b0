"""Soft reset that completes outstanding bus transfers first."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["SoftReset"]


class SoftReset(wiring.Component):
    """Reset of the core that leaves no bus transfer incomplete.

    A request is allowed in any cycle. During a reset it has no effect.

    Members
    -------
    i_request : :py:`In(1)`
        High for one cycle: start a reset.
    i_bus_idle : :py:`In(1)`
        Valid with ``o_halt`` high: there is no address on the bus, and no data beat or response is
        outstanding. The signal may be delayed by one cycle, and ``o_halt`` by two cycles on the
        path to the units.
    o_halt : :py:`Out(1)`
        Start no burst; high from the cycle after the request to the end of the reset.
    o_clear : :py:`Out(1)`
        Reset of the core: high for ``CLEAR_CYCLES`` cycles after ``i_bus_idle`` has been high for
        ``IDLE_CYCLES`` cycles.
    o_resetting : :py:`Out(1)`
        High from the cycle after the request until ``SETTLE_CYCLES`` cycles after ``o_clear`` has
        fallen, because ``o_clear`` is delayed on the path to some blocks.
    """

    IDLE_CYCLES = 6     # a burst that was decided on before o_halt rose is on the bus by then
    CLEAR_CYCLES = 16   # more than the read latency of any memory
    SETTLE_CYCLES = 16  # more than the number of registers on any path of o_clear

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
