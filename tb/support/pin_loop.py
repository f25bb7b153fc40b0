"""Top of a board without an accelerator, for fast conversions of pins and clocks."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from weft.host_memory.sdram_pins import SdramPins

__all__ = ["PinLoop"]


class PinLoop(wiring.Component):
    """Component with the ports of a :class:`weft_boards._top.BoardTop`, which echoes its input.

    Parameters
    ----------
    sdram : :class:`~weft.host_memory.sdram_chip.SdramChip`, optional
        Chip of the board.
    """

    def __init__(self, sdram=None):
        pins = {} if sdram is None else {"sdram": Out(SdramPins(sdram))}
        super().__init__({"rx": In(1), "tx": Out(1), "busy": Out(1), **pins})

    def elaborate(self, platform):
        m = Module()
        m.d.sync += [self.tx.eq(self.rx), self.busy.eq(~self.rx)]
        return m
