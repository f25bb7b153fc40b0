"""Delay lines of different lengths, which skew the vectors at the edges of the array."""

from amaranth.hdl import Module, Shape, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Skew"]


class Skew(wiring.Component):
    """Group of delay lines, one for each lane, each with its own length.

    ``o[k]`` is ``i[k]`` delayed by ``delays[k]`` cycles; a delay of 0 is a wire. The registers are
    not reset.

    Parameters
    ----------
    shape : shape-castable
        Shape of the value of a lane.
    delays : sequence of :class:`int`
        Length of each lane's delay line, in cycles.

    Members
    -------
    i : :py:`In(shape).array(len(delays))`
        Lanes.
    o : :py:`Out(shape).array(len(delays))`
        Lanes, delayed.

    Raises
    ------
    ValueError
        If a delay is negative.
    """

    def __init__(self, *, shape, delays):
        self.shape = Shape.cast(shape)
        self.delays = tuple(delays)
        for lane, delay in enumerate(self.delays):
            if delay < 0:
                raise ValueError(f"delays[{lane}] must be at least 0 cycles, not {delay}")
        super().__init__({
            "i": In(self.shape).array(len(self.delays)),
            "o": Out(self.shape).array(len(self.delays)),
        })

    def elaborate(self, platform):
        m = Module()
        for lane, delay in enumerate(self.delays):
            value = self.i[lane]
            for stage in range(delay):
                delayed = Signal(self.shape, reset_less=True, name=f"lane{lane}_{stage}")
                m.d.sync += delayed.eq(value)
                value = delayed
            m.d.comb += self.o[lane].eq(value)
        return m
