"""Is an extent of host memory inside a window that the host has set?"""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .records import WINDOWS

__all__ = ["WindowCheck"]


class WindowCheck(wiring.Component):
    """Checks extents against the address windows, one a cycle.

    An extent is inside if all of it lies in one window with the needed permission and below
    ``2 ** addr_width``. A window whose last byte lies before its first holds nothing.

    Parameters
    ----------
    config : :class:`weft.config.Config`
    end_width : :class:`int`
        Bits of ``i_end``; at least 33.

    Members
    -------
    i_start : :py:`In(end_width)`, ``i_end`` : :py:`In(end_width)`
        First byte and the byte after the last; ``i_start < i_end``.
    i_write : :py:`In(1)`
        The permission needed is WRITE; otherwise READ.
    i_windows : :py:`In(WINDOWS)`
        Stable from ``LATENCY`` cycles before the extent.
    o_inside : :py:`Out(1)`
        The answer, ``LATENCY`` cycles later.
    """

    LATENCY = 2

    def __init__(self, config, *, end_width):
        if end_width < 33:
            raise ValueError(f"end_width must be at least 33 to hold the end of the address "
                             f"space, not {end_width}")
        self.config = config
        self.end_width = end_width
        super().__init__({
            "i_start": In(end_width),
            "i_end": In(end_width),
            "i_write": In(1),
            "i_windows": In(WINDOWS),
            "o_inside": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        space = 1 << self.config.addr_width
        below = Signal()
        m.d.sync += below.eq(self.i_end <= space)
        holds = []
        for index in range(len(self.i_windows.as_value()) // len(self.i_windows[0].as_value())):
            window = self.i_windows[index]
            after = Signal(33, name=f"after{index}")
            from_base = Signal(name=f"from_base{index}")
            to_last = Signal(name=f"to_last{index}")
            permitted = Signal(name=f"permitted{index}")
            m.d.sync += [
                after.eq(window.last + 1),
                from_base.eq(self.i_start >= window.base),
                to_last.eq(self.i_end <= after),
                permitted.eq((self.i_write & window.write) | (~self.i_write & window.read)),
            ]
            holds.append(from_base & to_last & permitted)
        m.d.sync += self.o_inside.eq(below & Cat(*holds).any())
        return m
