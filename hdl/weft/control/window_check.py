"""Check of host address ranges against the address windows."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .layouts import WINDOW_ARRAY

__all__ = ["WindowCheck"]


class WindowCheck(wiring.Component):
    """Pipeline that checks one address range per cycle against all windows.

    A range is valid if it lies entirely in one window with the required permission and below
    ``2 ** addr_width``. A window whose last byte is below its first byte is empty.

    Parameters
    ----------
    config : :class:`weft.spec.config.Config`
    width : :class:`int`
        Width of ``i_last`` in bits; more than ``addr_width``.

    Members
    -------
    i_start : :py:`In(addr_width)`, ``i_last`` : :py:`In(width)`
        Addresses of the first and the last byte. ``i_start`` may be truncated: if the first
        address exceeds ``addr_width`` bits, so does the last, which is sufficient to refuse the
        range.
    i_write : :py:`In(1)`
        The required permission is WRITE; otherwise READ.
    i_windows : :py:`In(WINDOW_ARRAY)`
        Stable from ``LATENCY`` cycles before the range.
    o_inside : :py:`Out(1)`
        The range is valid, ``LATENCY`` cycles later.
    """

    LATENCY = 2

    def __init__(self, config, *, width):
        if width <= config.addr_width:
            raise ValueError(f"width must be more than the addr_width of "
                             f"{config.addr_width}, not {width}")
        self.config = config
        self.width = width
        super().__init__({
            "i_start": In(config.addr_width),
            "i_last": In(width),
            "i_write": In(1),
            "i_windows": In(WINDOW_ARRAY),
            "o_inside": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        bits = self.config.addr_width
        start, last = self.i_start, self.i_last[:bits]
        in_address_space = Signal()
        m.d.sync += in_address_space.eq(self.i_last[bits:] == 0)
        matches = []
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
            matches.append(from_base & to_last & permitted)
        m.d.sync += self.o_inside.eq(in_address_space & Cat(*matches).any())
        return m
