"""Sum of two planes in one lane of DRAIN_PLANES."""

from amaranth.hdl import Cat, Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .right_shift import RightShift, saturated

__all__ = ["PlaneSum"]

SUM = 41                # bits of 256 times an int32, plus an int32


class PlaneSum(wiring.Component):
    """Pipeline that computes ``sat(round_shift(256 * high + low, pre_shift))``.

    Members
    -------
    i_high, i_low : :py:`In(signed(32))` each
        Accumulators of both planes.
    i_pre_shift : :py:`In(6)`
        Shift, which must not change while a sum is in progress.
    o_sum : :py:`Out(signed(32))`
        Result, ``LATENCY`` cycles later.
    """

    LATENCY = 2 + RightShift.LATENCY

    def __init__(self):
        super().__init__({
            "i_high": In(signed(32)),
            "i_low": In(signed(32)),
            "i_pre_shift": In(6),
            "o_sum": Out(signed(32)),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.shift = shift = RightShift(SUM)
        total = Signal(signed(SUM), reset_less=True)
        upper = self.i_high + self.i_low[8:].as_signed()
        m.d.sync += [
            total.eq(Cat(self.i_low[:8], upper)),
            self.o_sum.eq(saturated(shift.o_result, 32)),
        ]
        m.d.comb += [shift.i_value.eq(total), shift.i_amount.eq(self.i_pre_shift)]
        return m
