"""Performance counters with an atomic snapshot."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from . import regmap
from .records import counter_increments

__all__ = ["PerformanceCounters"]


class PerformanceCounters(wiring.Component):
    """One 32-bit counter, modulo 2^32, for each of :data:`regmap.COUNTERS`.

    An increment is counted one cycle after it comes. A snapshot and a clearing in the same cycle
    lose no event and count none twice.

    Parameters
    ----------
    config : :class:`weft.config.Config`

    Members
    -------
    i : :py:`In(counter_increments(config))`
    i_snapshot : :py:`In(1)`
        Copy all counters at once to ``o``.
    i_clear : :py:`In(1)`
        Zero all counters.
    o : :py:`Out(ArrayLayout(32, len(regmap.COUNTERS)))`
        The last snapshot.
    """

    def __init__(self, config):
        self.config = config
        super().__init__({
            "i": In(counter_increments(config)),
            "i_snapshot": In(1),
            "i_clear": In(1),
            "o": Out(data.ArrayLayout(32, len(regmap.COUNTERS))),
        })

    def elaborate(self, platform):
        m = Module()
        increments = Signal.like(self.i)
        m.d.sync += increments.eq(self.i)
        for index, (name, _) in enumerate(regmap.COUNTERS):
            count = Signal(32, name=name.lower())
            with m.If(self.i_clear):
                m.d.sync += count.eq(increments[name])
            with m.Else():
                m.d.sync += count.eq(count + increments[name])
            with m.If(self.i_snapshot):
                m.d.sync += self.o[index].eq(count)
        return m
