"""Is an extent of host memory inside a window that the host has set?"""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .layouts import WINDOWS

__all__ = ["WindowCheck"]


class WindowCheck(wiring.Component):
    """Checks extents against the address windows, one a cycle.

    An extent is inside if all of it lies in one window with the needed permission and below
    ``2 ** addr_width``. A window whose last byte lies before its first holds nothing.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
    width : :class:`int`
        Bits of ``i_last``; more than ``addr_width``.

    Members
    -------
    i_start : :py:`In(addr_width)`, ``i_last`` : :py:`In(width)`
        First and last byte. Of the first, the bits that an address has: where it has more, so
        has the last.
    i_write : :py:`In(1)`
        The permission needed is WRITE; otherwise READ.
    i_windows : :py:`In(WINDOWS)`
        Stable from ``LATENCY`` cycles before the extent.
    o_inside : :py:`Out(1)`
        The answer, ``LATENCY`` cycles later.
    """

    LATENCY = 2

    def __init__(self, config, *, width):
        if width <= config.addr_width:
            raise ValueError(f"width must be more than addr_width, {config.addr_width}, "
                             f"not {width}")
        self.config = config
        self.width = width
        super().__init__({
            "i_start": In(config.addr_width),
            "i_last": In(width),
            "i_write": In(1),
            "i_windows": In(WINDOWS),
            "o_inside": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        # below the end of the address space, an address has these bits and no other
        bits = self.config.addr_width
        start, last = self.i_start, self.i_last[:bits]
        below = Signal()
        m.d.sync += below.eq(self.i_last[bits:] == 0)
        holds = []
        for index in range(len(self.i_windows.as_value()) // len(self.i_windows[0].as_value())):
            window = self.i_windows[index]
            base_beyond = Signal(name=f"base_beyond{index}")
            last_beyond = Signal(name=f"last_beyond{index}")
            from_base = Signal(name=f"from_base{index}")
            to_last = Signal(name=f"to_last{index}")
            permitted = Signal(name=f"permitted{index}")
            m.d.sync += [
                base_beyond.eq(window.base[bits:] != 0),
                last_beyond.eq(window.last[bits:] != 0),
                from_base.eq((start >= window.base[:bits]) & ~base_beyond),
                to_last.eq((last <= window.last[:bits]) | last_beyond),
                permitted.eq((self.i_write & window.write) | (~self.i_write & window.read)),
            ]
            holds.append(from_base & to_last & permitted)
        m.d.sync += self.o_inside.eq(below & Cat(*holds).any())
        return m
