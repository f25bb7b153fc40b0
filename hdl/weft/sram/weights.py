"""The weight buffer: tiles on their way into the array, a line a cycle."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from .access import PortShape
from .banked import BankedMemory
from .ports import WeightReadPort, WritePort

__all__ = ["WeightBuffer"]


class WeightBuffer(wiring.Component):
    """``config.wgt_bytes`` bytes, filled at any byte address and read by lines of ``cols`` bytes.

    One bank with one reader and one writer, so neither ever waits for the other. A line is there
    ``READ_LATENCY`` cycles after it was asked for, with all writes that were accepted in earlier
    cycles; what it has of a write in the same cycle is undefined. See :class:`BankedMemory`.

    Parameters
    ----------
    config : :class:`Config`
        Size and width, and the widths of the ports.

    Members
    -------
    matmul : :py:`In(WeightReadPort(line_width, cols))`
        Line ``i`` is the ``cols`` bytes from byte address ``i * cols`` on. Lines asked for
        while ``o_clearing`` is high are not answered.
    load : :py:`In(WritePort(addr_width, bus_bytes))`
        Beats from host memory. Always ready, except while the memory is being cleared.
    i_clear, o_clearing : :py:`In(1)`, :py:`Out(1)`
        As those of :class:`BankedMemory`.
    """

    READ_LATENCY = BankedMemory.READ_LATENCY

    def __init__(self, config):
        self.config = config
        self.memory = BankedMemory(
            size=config.wgt_bytes, width=config.wgt_width, banks=1,
            reads={"matmul": PortShape(config.cols, step=config.cols)},
            writes={"load": PortShape(config.bus_bytes)})
        super().__init__({
            "matmul": In(WeightReadPort(line_width=self.line_width, cols=config.cols)),
            "load": In(WritePort(self.addr_width, config.bus_bytes)),
            "i_clear": In(1),
            "o_clearing": Out(1),
        })

    @property
    def addr_width(self):
        """Bits of a byte address."""
        return (self.config.wgt_bytes - 1).bit_length()

    @property
    def line_width(self):
        """Bits of a line index."""
        return (self.config.wgt_bytes // self.config.cols - 1).bit_length()

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = self.memory
        connect(m, flipped(self.load), memory.load)
        m.d.comb += [
            memory.matmul.req.valid.eq(self.matmul.en),
            memory.matmul.req.payload.eq(self.matmul.line),
            self.matmul.valid.eq(memory.matmul.valid),
            self.matmul.data.eq(memory.matmul.data),
            memory.i_clear.eq(self.i_clear),
            self.o_clearing.eq(memory.o_clearing),
        ]
        return m
