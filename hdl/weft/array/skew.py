"""Delay lines of a different length for each lane, for the triangles at the array's edges."""

from amaranth.hdl import Module, Shape, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Skew"]


class Skew(wiring.Component):
    """One delay line per lane, each with its own length.

    ``o[k]`` is ``i[k]`` of ``delays[k]`` cycles before; a delay of 0 is a wire. The delay lines
    are not reset.

    Parameters
    ----------
    shape : shape-castable
        Shape of a lane.
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
                raise ValueError(f"Lane {lane} cannot be delayed by {delay} cycles")
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
